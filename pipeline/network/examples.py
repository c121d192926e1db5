"""Simulated training spectra, in network form."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from pipeline.network.loader import Labelled
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.simulate.examples import labelled_block
from pipeline.spectra.prepare import network_input

Q_RANGE = (0.71, 0.93)
"""Mass ratios of the training pairs [paper]."""

SNR_RANGE = (20.0, 200.0)
"""S/N in g of the training spectra [paper: above 20]."""

TRUTH = ("snr_g", "teff_k", "logg", "feh", "q", "mass1_msun")
"""What is kept of each star; q is NaN for a single one."""


@dataclass(frozen=True)
class Examples:
    """Labelled spectra and their stars.

    Parameters
    ----------
    spectra : Labelled
        Flux (float16) and labels.
    star_B : ndarray of int64, (B,)
        Number of the star; each simulated star has one spectrum.
    truth : dict of str to ndarray of float64, (B,)
        Columns named in `TRUTH`, as the survey's catalogue gives them or as simulated.
    """

    spectra: Labelled
    star_B: NDArray[np.int64]
    truth: dict[str, NDArray[np.floating]]

    def __len__(self) -> int:
        """Count the spectra."""
        return len(self.spectra)

    def take(self, rows: NDArray[np.int64] | slice) -> "Examples":
        """Return some of the examples; a slice copies nothing.

        Parameters
        ----------
        rows : ndarray of int64 or slice
            Which of them.

        Returns
        -------
        examples : Examples
            In the order of ``rows``.
        """
        return Examples(
            Labelled(self.spectra.flux_BL[rows], self.spectra.label_B[rows]),
            self.star_B[rows],
            {name: column[rows] for name, column in self.truth.items()},
        )


def example_block(
    block: int,
    seed: int,
    simulate: SimulateSettings,
    spectra: SpectraSettings,
    binary_fraction: float = 0.5,
) -> Examples:
    """Simulate one block of spectra and bring them into network form.

    Parameters
    ----------
    block : int
        Number of the block; blocks may be made in any order, on any machine.
    seed : int
        Seed of the simulated stars.
    simulate, spectra : SimulateSettings, SpectraSettings
        Priors of the simulation, and the preprocessing.
    binary_fraction : float
        Share of pairs.

    Returns
    -------
    examples : Examples
        Those of the block's stars whose spectra pass the cleaning.
    """
    raw = labelled_block(
        block,
        seed,
        simulate,
        q_range=Q_RANGE,
        snr_range=SNR_RANGE,
        binary_fraction=binary_fraction,
    )
    ready = network_input(
        raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B, spectra
    )
    usable = np.flatnonzero(np.asarray(ready.usable_B))
    # Steps of float16 near 1 are below 0.001, a fifth of the noise of the best spectra.
    flux_BL = np.asarray(ready.flux_BL)[usable].astype(np.float16)
    return Examples(
        Labelled(flux_BL, raw.label_B[usable].astype(np.int8)),
        block * len(raw) + usable,
        {name: getattr(raw, name)[usable] for name in TRUTH},
    )


def simulated_examples(
    n: int,
    seed: int,
    simulate: SimulateSettings,
    spectra: SpectraSettings,
    binary_fraction: float = 0.5,
) -> Examples:
    """Simulate `n` spectra that pass the cleaning, in network form, in this process.

    Parameters
    ----------
    n : int
        Number of spectra; the first ones of a longer request are the same.
    seed, simulate, spectra, binary_fraction : int, SimulateSettings, SpectraSettings, float
        As for `example_block`.

    Returns
    -------
    examples : Examples
        In memory, 2 bytes per pixel; only one block at a time is held as raw spectra.

    Raises
    ------
    ValueError
        `n` is not positive.
    """
    blocks = (example_block(i, seed, simulate, spectra, binary_fraction) for i in count())
    return joined(blocks, n)


def joined(blocks: Iterable[Examples], n: int) -> Examples:
    """Take blocks, in order, until there are `n` examples.

    Parameters
    ----------
    blocks : iterable of Examples
        The blocks.
    n : int
        Number of spectra.

    Returns
    -------
    examples : Examples
        Exactly `n`.

    Raises
    ------
    ValueError
        `n` is not positive, or the blocks end before.
    """
    if n < 1:
        raise ValueError(f"the number of spectra must be positive, not {n}")
    parts: list[Examples] = []
    found = 0
    for part in blocks:
        parts.append(part)
        found += len(part)
        if found >= n:
            break
    else:
        raise ValueError(f"the blocks hold {found} usable spectra, not {n}")
    whole = Examples(
        Labelled(
            np.concatenate([part.spectra.flux_BL for part in parts]),
            np.concatenate([part.spectra.label_B for part in parts]),
        ),
        np.concatenate([part.star_B for part in parts]),
        {name: np.concatenate([part.truth[name] for part in parts]) for name in TRUTH},
    )
    return whole.take(slice(0, n))
