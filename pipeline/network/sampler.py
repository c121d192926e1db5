"""Decides which examples make up each batch, on each rank, in each epoch."""

import numpy as np
from numpy.typing import NDArray


class Sampler:
    """Seeded order of the examples, cut into equal batches.

    Rank and world size are plain arguments and the order follows from seed and epoch alone, so
    that every rank knows every rank's batches without talking, and a resumed run gets the very
    same ones.

    In one epoch the ranks' examples are disjoint, every rank has as many batches as the others,
    and its i-th batch is as large as theirs; batches differ in size by one at most. Fewer than
    `world` examples of an epoch are left out, others in the next one.

    Parameters
    ----------
    label_B
        Class of every example, 0 or 1.
    batch_size
        Largest batch on one rank.
    seed
        Seed of the order.
    rank, world
        This rank, and how many there are.
    oversample
        Repeat the rarer class until both are equal [paper]. Each of its examples comes as often
        as any other, or once more.

    Attributes
    ----------
    epoch
        Epoch that `batches` gives next; with `state_dict` all there is to save.

    Raises
    ------
    ValueError
        When the rank is not in the world, or there are fewer examples than ranks.
    """

    def __init__(
        self,
        label_B: NDArray[np.integer],
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        oversample: bool = True,
    ) -> None:
        if not 0 <= rank < world:
            raise ValueError(f"rank {rank} is not in 0..{world - 1}")
        if len(label_B) < world:
            raise ValueError(f"{len(label_B)} examples are too few for {world} ranks")
        self._label_B = np.asarray(label_B)
        self._batch_size, self._seed, self._oversample = batch_size, seed, oversample
        self._rank, self._world = rank, world
        self.epoch = 0

    def __len__(self) -> int:
        """Batches in an epoch on each rank."""
        n = len(self._label_B)
        if self._oversample:
            n1 = int((self._label_B == 1).sum())
            n = n if n1 in (0, n) else 2 * max(n1, n - n1)
        return (n // self._world + self._batch_size - 1) // self._batch_size

    def batches(self) -> list[NDArray[np.int64]]:
        """Rows of each batch of this rank in the epoch at hand."""
        rng = np.random.default_rng((self._seed, self.epoch))
        rows = np.arange(len(self._label_B))
        if self._oversample:
            rows = np.concatenate([rows, self._repeats(rng)])
        order = rng.permutation(rows)
        mine = order[: len(order) // self._world * self._world][self._rank :: self._world]
        return np.array_split(mine, len(self))

    def _repeats(self, rng: np.random.Generator) -> NDArray[np.int64]:
        ones, zeros = np.flatnonzero(self._label_B == 1), np.flatnonzero(self._label_B != 1)
        rare, common = sorted((ones, zeros), key=len)
        if not len(rare):
            return rare
        whole, rest = divmod(len(common) - len(rare), len(rare))
        return np.concatenate([np.tile(rare, whole), rng.choice(rare, rest, replace=False)])

    def state_dict(self) -> dict[str, int]:
        """Return what makes the batches, as plain numbers; the same on every rank."""
        return {
            "epoch": self.epoch,
            "seed": self._seed,
            "batch_size": self._batch_size,
            "world": self._world,
            "oversample": int(self._oversample),
            "n_examples": len(self._label_B),
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where another sampler stopped.

        Raises
        ------
        ValueError
            When that one would not have given the same batches.
        """
        mine = self.state_dict()
        different = [key for key in mine if key != "epoch" and state.get(key) != mine[key]]
        if different:
            raise ValueError(
                f"cannot go on with other batches: {', '.join(different)} changed; "
                "set them back, or train from the start in a new folder"
            )
        self.epoch = state["epoch"]
