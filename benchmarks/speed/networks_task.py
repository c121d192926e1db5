"""What the networks of ``networks.py`` learn from, and what they are judged on."""

from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.core.root import Root
from pipeline.labels.split import PARTS
from pipeline.network.blocks import map_block
from pipeline.network.card import ModelCard, read_card
from pipeline.network.examples import example_block
from pipeline.network.parts import Parts, survey_parts
from pipeline.settings.load import load_settings
from pipeline.settings.training import TrainingSettings

UNSEEN_SEED = 7000
"""No network is trained on simulated stars of this seed."""


class Test(NamedTuple):
    """Spectra that no network has seen, and the first star of each."""

    flux_BL: np.ndarray
    label_B: np.ndarray
    star_B: np.ndarray


@dataclass(frozen=True)
class Task:
    """The parts of a finished run with composites; its network is the default one, and teaches."""

    root: Root

    @cached_property
    def card(self) -> ModelCard:
        """Card of the run's own network."""
        return read_card(self.root.model)

    @cached_property
    def training(self) -> TrainingSettings:
        """As on the card, for one thread and without an early end."""
        found = self.card.training
        if found is None or not 0 < found.composite_share < 1:
            raise ValueError(f"{self.root.path} has no network of labels and composites")
        return found.model_copy(update={"threads": 1, "device": "cpu", "patience": 99})

    @cached_property
    def parts(self) -> Parts:
        """The parts as ``pairspec train`` puts them together."""
        labelled = sorted((self.root.path / "training_cache").glob("*/*.safetensors"))
        composites = [self._composites(part) for part in PARTS]
        share, oversample = self.training.composite_share, self.training.oversample
        return survey_parts(labelled, composites, share, oversample=oversample)

    def tests(self, cache: Path, n: int) -> dict[str, Test]:
        """Return `n` simulated dwarfs, kept in the cache, and the composites of the test part."""
        kept = cache / f"simulated-{n}.npz"
        if not kept.exists():
            np.savez(kept, **self._simulated(n)._asdict())
        with np.load(kept) as arrays:
            simulated = Test(*(arrays[name] for name in Test._fields))
        blocks = [map_block(path) for path in self._composites("test")]
        columns = [np.concatenate([b[name] for b in blocks]) for name in ("flux", "label", "star")]
        return {"simulated": simulated, "composites": Test(*columns)}

    def _composites(self, part: str) -> list[Path]:
        return sorted((self.root.path / "composites").glob(f"*/{part}/*.safetensors"))

    def _simulated(self, n: int) -> Test:
        """Simulate dwarfs with parameters that the training spectra cover."""
        simulate, found, parts = load_settings().simulate, 0, []
        for block in count():
            made = example_block(block, UNSEEN_SEED, simulate, self.card.spectra)
            inside = [
                (made.truth[name] >= low) & (made.truth[name] <= high)
                for name, (low, high) in self.card.training_range.items()
            ]
            parts.append(made.take(np.flatnonzero(np.all(inside, axis=0))))
            found += len(parts[-1])
            if found >= n:
                break
        flux_BL = np.concatenate([part.spectra.flux_BL[:] for part in parts])
        label_B = np.concatenate([part.spectra.label_B for part in parts])
        star_B = np.concatenate([part.star_B for part in parts])
        return Test(flux_BL[:n], label_B[:n], star_B[:n])
