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
    unseen_S : ndarray of int64, (S,)
        Gaia sources of the validation and the test part, rising; none for simulated stars.
    n_held : int
        Stars that the validation part shows, first ones of pairs.
    """

    training: Labelled
    weight_B: NDArray[np.float64]
    validation: Labelled
    test: Labelled
    words: str
    domain: Domain
    unseen_S: NDArray[np.int64]
    n_held: int

    @property
    def binary_fraction(self) -> float:
        """Fraction of pairs in an epoch: the mean of what the training part is to answer."""
        training = self.training
        target_B = training.label_B if training.target_B is None else training.target_B
        return float(np.average(np.asarray(target_B, np.float64), weights=self.weight_B))


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
    domain = find_domain([shown], real=False)
    unseen = np.empty(0, np.int64)
    return Parts(training, weight_B, validation, test, words, domain, unseen, len(validation))


def survey_parts(
    labelled: Sequence[Path],
    composites: Sequence[Sequence[Path]],
    composite_share: float,
    *,
    oversample: bool,
    soft: bool = False,
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
    soft : bool
        Let the training part be taught each label's probability instead of the label; validation
        and test keep to the labels.

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
        unseen = find_domain([columns for _, columns in parts[1:]], real=True)
        n_held = _n_star([parts[1][1]])
        return Parts(training, weight_B, validation, test, words, domain, unseen.star_S, n_held)
    flux, columns = _stack(labelled, ("label", "split", "weight"), (*SHOWN, "target"))
    of_part = [np.flatnonzero(columns["split"] == i) for i in range(len(PARTS))]
    training, validation, test = (
        Labelled(flux.take(rows), columns["label"][rows]) for rows in of_part
    )
    if soft:
        if "target" not in columns:
            raise InputError(
                "the labels have no probabilities, they are of an older version: run "
                "`pairspec label` again"
            )
        target_B = columns["target"][of_part[0]]
        training = Labelled(training.flux_BL, training.label_B, target_B)
    stored = columns["weight"][of_part[0]]
    weight_B = _weights(training.label_B, stored, oversample=oversample)
    words = f"{len(training)} spectra with labels"
    shown = [{name: column[of_part[0]] for name, column in columns.items()}]
    kept = [{name: column[columns["split"] > 0] for name, column in columns.items()}]
    held = [{name: column[of_part[1]] for name, column in columns.items()}]
    if composite_share:
        training, weight_B, added = _mixed(training, weight_B, composites[0], composite_share)
        if composites[1]:
            validation, _, more = _mixed(validation, np.ones(len(validation)), composites[1], 0.5)
            kept.append(more)
            held.append(more)
        words += f" and {len(added['label'])} composites of the survey's single stars"
        shown.append(added)
    domain, unseen = (find_domain(columns, real=True) for columns in (shown, kept))
    return Parts(training, weight_B, validation, test, words, domain, unseen.star_S, _n_star(held))


def _n_star(columns: Sequence[Columns]) -> int:
    """Count the stars; where they are not named, every spectrum is of another one."""
    named = [c.get("star", np.arange(len(c["label"]))) for c in columns]
    return int(np.unique(np.concatenate(named)).size)


def _mixed(
    training: Labelled, weight_B: NDArray[np.float64], files: Sequence[Path], share: float
) -> tuple[Labelled, NDArray[np.float64], Columns]:
    """Put composites behind the training part, each class of them half of their share."""
    flux, columns = _stack(files, ("label",), SHOWN)
    mine = balancing_weights(columns["label"])
    mine *= share / (1 - share) * weight_B.sum() / mine.sum()
    both = Stacked([training.flux_BL, flux])
    label_B = np.concatenate([training.label_B, columns["label"]])
    target_B = training.target_B
    if target_B is not None:
        target_B = np.concatenate([target_B, columns["label"].astype(target_B.dtype)])
    return Labelled(both, label_B, target_B), np.concatenate([weight_B, mine]), columns


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
