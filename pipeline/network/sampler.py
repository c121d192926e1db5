"""Decides which examples make up each batch, on each rank, in each epoch."""

import math
import zlib

import numpy as np
from numpy.typing import NDArray

CHUNK = 256
"""Neighbouring examples that are shuffled as one, so that they are read together."""


class Sampler:
    """Seeded, weighted order of the examples, cut into equal batches.

    Rank and world size are plain arguments and the order follows from seed and epoch alone, so
    every rank knows the batches of all ranks without communication, and a resumed run gets the
    same ones. The i-th batches of all ranks together are the i-th batch of one rank alone, so
    the number of ranks does not change the order of learning.

    An example of weight w comes w times per epoch: its whole part always, and the rest at random
    (systematic sampling, so that the length of an epoch is fixed). In one epoch the ranks'
    examples are disjoint, every rank has as many batches as the others, and its i-th batch is as
    large as theirs; sizes differ by one at most. Up to ``world - 1`` of the heaviest examples
    come once more to make that even.

    Parameters
    ----------
    weight_B : ndarray of float64, (B,)
        How often each example comes in an epoch, on average.
    batch_size : int
        Largest batch of all ranks together.
    seed : int
        Seed of the order.
    rank, world : int
        This rank, and the number of ranks.
    shuffle_rows : int
        Chunks of neighbours are shuffled first, then single examples within so many rows.

    Attributes
    ----------
    epoch : int
        Epoch that `batches` gives next; with `state_dict` all there is to save.

    Raises
    ------
    ValueError
        The rank is not in the world, a weight is not a positive number or zero, or batch or
        examples are too few for the ranks.
    """

    def __init__(
        self,
        weight_B: NDArray[np.floating],
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        shuffle_rows: int = 16384,
    ) -> None:
        weight_B = np.asarray(weight_B, np.float64)
        if not 0 <= rank < world:
            raise ValueError(f"rank {rank} is not in 0..{world - 1}")
        if not (np.isfinite(weight_B) & (weight_B >= 0)).all():
            raise ValueError("weights of examples must be finite and not negative")
        if batch_size < world:
            raise ValueError(f"a batch of {batch_size} cannot be shared by {world} ranks")
        # Weights are stored in float32: what is within rounding of a whole number is one.
        self._whole_B = np.floor(weight_B + 1e-5).astype(np.int64)
        self._rest_B = np.clip(weight_B - self._whole_B, 0.0, None)
        self._rest_B[self._rest_B < 1e-5] = 0.0
        wanted = int(self._whole_B.sum() + round(self._rest_B.sum()))
        if wanted < world:
            raise ValueError(f"{wanted} examples are too few for {world} ranks")
        self._n = -(-wanted // world) * world
        self._heaviest_B = (weight_B == weight_B.max()).astype(np.float64)
        self._weights_crc = zlib.crc32(np.ascontiguousarray(weight_B).tobytes())
        self._batch_size, self._seed, self._shuffle_rows = batch_size, seed, shuffle_rows
        self._rank, self._world = rank, world
        self.epoch = 0

    def __len__(self) -> int:
        """Batches in an epoch, the same on each rank."""
        return math.ceil(self._n // self._world / (self._batch_size // self._world))

    @property
    def examples(self) -> int:
        """Examples in an epoch, those of all ranks together."""
        return self._n

    def batches(self) -> list[NDArray[np.int64]]:
        """Rows of each batch of this rank in the current epoch.

        Returns
        -------
        list of ndarray of int64
            One array per batch.
        """
        order = self._order(np.random.default_rng((self._seed, self.epoch)))
        mine = order.reshape(-1, self._world)[:, self._rank]
        return np.array_split(mine, len(self))

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        times_B = self._whole_B + self._repeats(rng)
        row = np.repeat(np.arange(len(times_B)), times_B)
        # Repeats of a chunk are chunks of their own, so that they spread over the epoch.
        repeat = np.arange(len(row)) - np.repeat(np.cumsum(times_B) - times_B, times_B)
        chunk = repeat * (len(times_B) // CHUNK + 1) + row // CHUNK
        names, place = np.unique(chunk, return_inverse=True)
        order = row[np.argsort(rng.permutation(len(names))[place], kind="stable")]
        for start in range(0, len(order), self._shuffle_rows):
            rng.shuffle(order[start : start + self._shuffle_rows])
        return order

    def _repeats(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the fractional parts of the weights, and what makes the ranks equal."""
        n = self._n - int(self._whole_B.sum())
        share_B = self._rest_B if self._rest_B.any() else self._heaviest_B
        candidates = rng.permutation(np.flatnonzero(share_B))
        upper = np.cumsum(share_B[candidates])
        points = (rng.random() + np.arange(n)) * (upper[-1] / max(n, 1))
        drawn = np.minimum(np.searchsorted(upper, points, side="right"), len(upper) - 1)
        return np.bincount(candidates[drawn], minlength=len(share_B)).astype(np.int64)

    def state_dict(self) -> dict[str, int]:
        """Return what makes the batches, as plain numbers; the same on every rank."""
        return {
            "epoch": self.epoch,
            "seed": self._seed,
            "batch_size": self._batch_size,
            "shuffle_rows": self._shuffle_rows,
            "n_examples": len(self._whole_B),
            "weights": self._weights_crc,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where another sampler stopped, in a world of any size.

        Parameters
        ----------
        state : dict of str to int
            As from `state_dict`.

        Raises
        ------
        ValueError
            The other sampler would not have given the same batches.
        """
        mine = self.state_dict()
        different = [key for key in mine if key != "epoch" and state.get(key) != mine[key]]
        if different:
            raise ValueError(
                f"cannot go on with other batches: {', '.join(different)} changed; "
                "set them back, or train from the start in a new folder"
            )
        self.epoch = state["epoch"]


def balancing_weights(label_B: NDArray[np.integer]) -> NDArray[np.float64]:
    """Weigh the rarer class so that it comes as often as the other, which comes once.

    Parameters
    ----------
    label_B : ndarray of int, (B,)
        0 single, 1 binary.

    Returns
    -------
    ndarray of float64, (B,)
        All 1 where a class is missing.
    """
    positive_B = np.asarray(label_B) == 1
    n1 = int(positive_B.sum())
    n0 = len(positive_B) - n1
    if not n0 or not n1:
        return np.ones(len(positive_B))
    return np.where(positive_B, max(1.0, n0 / n1), max(1.0, n1 / n0))
