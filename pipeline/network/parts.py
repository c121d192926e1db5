"""The training, validation and test parts, put together from blocks on disk."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import InputError
from pipeline.labels.split import PARTS
from pipeline.network.blocks import Stacked, map_block
from pipeline.network.domain import PARAMETERS, Domain, find_domain
from pipeline.network.loader import Labelled
from pipeline.network.sampler import balancing_weights

Columns = dict[str, NDArray[Any]]

SHOWN = (*PARAMETERS, "star", "star2")
"""Columns of a block that say which stars it shows."""


class Parts(NamedTuple):
    """The examples of a training.

    Parameters
    ----------
    training : Labelled
        Spectra of the training part.
    weight_B : ndarray of float64, (B,)
        How often each of them comes in an epoch.
    validation : Labelled
        Decides when to stop.
    test : Labelled
        Used once, at the end.
    words : str
        Describes them.
    domain : Domain
        Stars of the training part, and the range of their parameters.
    """

    training: Labelled
    weight_B: NDArray[np.float64]
    validation: Labelled
    test: Labelled
    words: str
    domain: Domain


def simulated_parts(
    files: Sequence[Path], n_examples: int, test_share: float, *, oversample: bool
) -> Parts:
    """Divide simulated spectra, of which each is of another star, in the order of the blocks.

    Training, validation and test follow each other, the last two of equal size.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Blocks with ``flux`` and ``label``.
    n_examples : int
        Spectra of all parts together.
    test_share : float
        Share of the validation and of the test part.
    oversample : bool
        Let both classes of the training part come equally often.

    Returns
    -------
    Parts
        Memory-mapped.

    Raises
    ------
    InputError
        The blocks hold fewer spectra, or a file is damaged.
    """
    flux, columns = _stack(files, ("label",), PARAMETERS)
    if len(flux) < n_examples:
        raise InputError(f"the blocks hold {len(flux)} usable spectra, not {n_examples}")
    n = max(1, round(test_share * n_examples))
    cuts = (0, n_examples - 2 * n, n_examples - n, n_examples)
    training, validation, test = (
        Labelled(flux.take(slice(a, b)), columns["label"][a:b]) for a, b in pairwise(cuts)
    )
    weight_B = _weights(training.label_B, None, oversample=oversample)
    words = f"{len(training)} simulated spectra of single and composite dwarfs"
    shown = {name: columns[name][: len(training)] for name in columns}
    return Parts(training, weight_B, validation, test, words, find_domain([shown], real=False))


def survey_parts(
    labelled: Sequence[Path],
    composites: Sequence[Sequence[Path]],
    composite_share: float,
    *,
    oversample: bool,
) -> Parts:
    """Divide the survey's own spectra by their labels' split, and mix composites in.

    Parameters
    ----------
    labelled : sequence of pathlib.Path
        Blocks of `pipeline.network.label_block`; unused where there are only composites.
    composites : sequence of sequence of pathlib.Path
        Blocks with ``flux`` and ``label``, one list per part, in the order of `PARTS`.
    composite_share : float
        Share of the composites among the examples of an epoch, half of them pairs. The
        validation part has those of its own stars too, for a few labelled binaries do not determine
        the best epoch; the test part has labels alone, except with a share of 1.
    oversample : bool
        Take the labels' weights; off: each labelled spectrum once.

    Returns
    -------
    Parts
        Memory-mapped.

    Raises
    ------
    InputError
        There are no spectra, or a file is damaged.
    """
    if composite_share == 1:
        parts = [_stack(files, ("label",), SHOWN) for files in composites]
        training, validation, test = (Labelled(flux, c["label"]) for flux, c in parts)
        weight_B = _weights(training.label_B, None, oversample=oversample)
        words = f"{len(training)} composites of the survey's single stars"
        domain = find_domain([parts[0][1]], real=True)
        return Parts(training, weight_B, validation, test, words, domain)
    flux, columns = _stack(labelled, ("label", "split", "weight"), SHOWN)
    of_part = [np.flatnonzero(columns["split"] == i) for i in range(len(PARTS))]
    training, validation, test = (
        Labelled(flux.take(rows), columns["label"][rows]) for rows in of_part
    )
    stored = columns["weight"][of_part[0]]
    weight_B = _weights(training.label_B, stored, oversample=oversample)
    words = f"{len(training)} spectra with photometric labels"
    shown = [{name: column[of_part[0]] for name, column in columns.items()}]
    if composite_share:
        training, weight_B, added = _mixed(training, weight_B, composites[0], composite_share)
        if composites[1]:
            validation, *_ = _mixed(validation, np.ones(len(validation)), composites[1], 0.5)
        words += f" and {len(added['label'])} composites of the survey's single stars"
        shown.append(added)
    domain = find_domain(shown, real=True)
    return Parts(training, weight_B, validation, test, words, domain)


def _mixed(
    training: Labelled, weight_B: NDArray[np.float64], files: Sequence[Path], share: float
) -> tuple[Labelled, NDArray[np.float64], Columns]:
    """Put composites behind the training part, each class of them half of their share."""
    flux, columns = _stack(files, ("label",), SHOWN)
    mine = balancing_weights(columns["label"])
    mine *= share / (1 - share) * weight_B.sum() / mine.sum()
    both = Stacked([training.flux_BL, flux])
    label_B = np.concatenate([training.label_B, columns["label"]])
    return Labelled(both, label_B), np.concatenate([weight_B, mine]), columns


def _weights(
    label_B: NDArray[np.integer], stored_B: NDArray[np.floating] | None, *, oversample: bool
) -> NDArray[np.float64]:
    if not oversample:
        return np.ones(len(label_B))
    return balancing_weights(label_B) if stored_B is None else stored_B.astype(np.float64)


def _stack(
    files: Sequence[Path], names: Sequence[str], optional: Sequence[str] = ()
) -> tuple[Stacked, Columns]:
    """Map blocks, and read their small columns; of the optional ones those that all have."""
    blocks = [block for block in map(map_block, files) if len(block["flux"])]
    if not blocks:
        raise InputError("there are no spectra to train on: look at the labels and the cleaning")
    flux = Stacked([block["flux"] for block in blocks])
    found = (*names, *(n for n in optional if all(n in block for block in blocks)))
    return flux, {n: np.concatenate([np.asarray(b[n]) for b in blocks]) for n in found}
