"""Neighbouring shards that one task works on, where a single one takes milliseconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pieces:
    """Shards of the store, several together.

    Parameters
    ----------
    n_shards : int
        Shards of the store.
    size : int
        Shards of a piece; the last may have fewer.
    """

    n_shards: int
    size: int

    @classmethod
    def of_rows(cls, n_shards: int, shard_rows: int, rows: int) -> "Pieces":
        """Make pieces of so many rows, rounded up to whole shards.

        Parameters
        ----------
        n_shards : int
            Shards of the store.
        shard_rows : int
            Rows of a shard.
        rows : int
            Rows of a piece.
        """
        return cls(n_shards, -(-rows // shard_rows))

    def __len__(self) -> int:
        """Count the pieces."""
        return (self.n_shards + self.size - 1) // self.size

    def shards(self, number: int) -> range:
        """Return the shards of one piece.

        Parameters
        ----------
        number : int
            Number of the piece, from 0.
        """
        first = number * self.size
        return range(first, min(first + self.size, self.n_shards))
