"""Learns single stars from the pool of composites, and what their evidence weighs."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pipeline.core.root import Root
from pipeline.network.loader import Labelled
from pipeline.network.metrics import auc
from pipeline.network.model import PairNet
from pipeline.network.pair_fit import FloatArray, PairFit, weighed_terms
from pipeline.network.parts import Parts
from pipeline.network.scoring import log_odds
from pipeline.pairfit.evidence import Evidence
from pipeline.pairfit.fit import fit_stars
from pipeline.pairfit.grid import label_grid
from pipeline.pairfit.spectra import read_singles
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings

MOST = 16_384
"""Spectra of the validation and of the test part that are looked at, evenly over all."""

USUAL, SPREAD = (0.4, 0.6), 0.2
"""Weights of the network and of the evidence that few validation stars do not change much, and how
far these may lie from them. [derived: mean of five folds of real dwarfs, by their validation stars]
"""

_ROWS = 1024


def fit_pairs(
    root: Root,
    composites: CompositeSettings,
    spectra: SpectraSettings,
    model: PairNet,
    parts: Parts,
) -> tuple[PairFit | None, dict[str, float]]:
    """Fit single stars, and weigh the evidence for pairs beside a network.

    Parameters
    ----------
    root : Root
        Where the pool and its spectra are.
    composites, spectra : CompositeSettings, SpectraSettings
        How light is scaled; grid and continuum.
    model : PairNet
        The trained network.
    parts : Parts
        The validation part gives the weights.

    Returns
    -------
    pair_fit : PairFit or None
        None where the pool has too few stars.
    metrics : dict of str to float
        AUC of the validation and the test part with it.
    """
    stars = read_singles(root, composites, spectra)
    if stars is None:
        return None, {}
    grid = label_grid(stars.wave_L, composites.log_age)
    singles = fit_stars(stars, grid)
    evidence = Evidence(singles, grid)
    terms_B3, label_B = _looked_at(evidence, parts.validation, model)
    fit = PairFit(singles, grid, weights(terms_B3, label_B == 1, parts.n_held))
    metrics = {"validation_auc_with_fit": auc(terms_B3 @ fit.weight_3, label_B)}
    if len(np.unique(parts.test.label_B)) == 2:
        terms_B3, label_B = _looked_at(evidence, parts.test, model)
        metrics["test_auc_with_fit"] = auc(terms_B3 @ fit.weight_3, label_B)
    return fit, metrics


def weights(terms_B3: FloatArray, pair_B: NDArray[np.bool_], n_star: int) -> FloatArray:
    """Find the likeliest weights, given the usual ones; both classes weigh the same.

    Parameters
    ----------
    terms_B3 : ndarray of float64, (B, 3)
        As from :func:`pipeline.network.pair_fit.weighed_terms`.
    pair_B : ndarray of bool, (B,)
        True classes, both present.
    n_star : int
        Stars that these spectra show: as many independent observations, however many spectra.

    Returns
    -------
    ndarray of float64, (3,)
        Of the network's log-odds and of the evidence, neither below 0, and a constant.
    """
    times_B = np.where(pair_B, 0.5 / pair_B.mean(), 0.5 / (~pair_B).mean())
    sign_B = np.where(pair_B, -1.0, 1.0)

    def loss(weight_3: FloatArray) -> float:
        loss_B = np.logaddexp(0, sign_B * (terms_B3 @ weight_3))
        apart_2 = (weight_3[:2] - USUAL) / SPREAD
        return float((times_B * loss_B).mean() + np.square(apart_2).sum() / (2 * n_star))

    bounds = [(0, None), (0, None), (None, None)]
    found = minimize(loss, np.array([*USUAL, 0.0]), method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x)


def _looked_at(
    evidence: Evidence, part: Labelled, model: PairNet
) -> tuple[FloatArray, NDArray[np.integer]]:
    """Return what is weighed of some spectra, and their classes."""
    rows = np.unique(np.linspace(0, len(part) - 1, min(len(part), MOST)).astype(np.int64))
    some = Labelled(part.flux_BL[rows], part.label_B[rows])
    gain_B = np.concatenate(
        [
            evidence.gain(some.fetch(slice(start, start + _ROWS))[0].float().numpy() - 1)
            for start in range(0, len(some), _ROWS)
        ]
    )
    return weighed_terms(log_odds(model, some).numpy(), gain_B), some.label_B
