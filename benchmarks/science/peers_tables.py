"""The tables of ``benchmarks/science/peers.py``."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from difficulty_tables import SNR_EDGES, area, table
from pca_logistic import PcaLogistic

from pipeline.evaluation.intervals import by_star
from pipeline.network.card import ModelCard
from pipeline.network.metrics import weighted_auc

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Peers:
    """Scores on all test spectra, fits of some, and spectra per core-second."""

    scatter: str
    card: ModelCard | None
    pca: PcaLogistic
    test: Columns
    fit: Columns
    speed: dict[str, float]


NAMES = ("settings", "AUC", "S/N", "differences")


def names_of(scatter: str) -> list[str]:
    """Return the names of the tables of one choice of scatter."""
    return [f"{name}, scatter {scatter}" for name in NAMES]


def peers_tables(peers: Peers) -> dict[str, str]:
    """Return the tables by the names of their markers."""
    both = _joined(peers)
    scores = {
        f"quadratic logistic regression on {peers.pca.n_component} PCA components": "pca",
        "template fit, chi2 difference": "gain",
        "template fit, chi2 difference over reduced chi2": "relative",
        "network": "network",
    }
    scores = {name: score for name, score in scores.items() if score in both}
    tables = (_settings(peers), _areas(peers, both, scores), _by_snr(both, scores),
              _differences(both))  # fmt: skip
    return dict(zip(names_of(peers.scatter), tables, strict=True))


def _settings(peers: Peers) -> str:
    rows = []
    if peers.card is not None:
        epoch = int(peers.card.metrics.get("epoch", 0))
        rows.append((f"network {peers.card.model_id}", f"{peers.card.data}, best epoch {epoch}"))
    chosen = (
        f"products of the leading {peers.pca.n_quadratic} components, ridge {peers.pca.ridge}, "
        f"validation AUC {peers.pca.validation_auc:.4f}"
    )
    rate = f"{_rounded(peers.speed.get('prepare'))} spectra per core-second"
    rows += [("regression", chosen), ("preparing spectra, before regression and network", rate)]
    return table(("", ""), rows)


def _areas(peers: Peers, both: Columns, scores: dict[str, str]) -> str:
    rates = {"gain": "fit", "relative": "fit"}
    n, n_fit = len(peers.test["label"]), len(both["label"])
    rows: list[tuple[object, ...]] = []
    for name, score in scores.items():
        rate = peers.speed.get(rates.get(score, score))
        whole = area(peers.test[score], peers.test["label"]) if score in peers.test else "-"
        rows.append((name, area(both[score], both["label"]), whole, _rounded(rate)))
    head = ("", f"AUC, {n_fit} spectra", f"AUC, {n} spectra", "spectra per core-second")
    return table(head, rows)


def _joined(peers: Peers) -> Columns:
    """Scores of the fitted spectra."""
    _, row, fitted = np.intersect1d(peers.test["star"], peers.fit["star"], return_indices=True)
    chosen = {name: column[row] for name, column in peers.test.items()}
    fit = {name: column[fitted] for name, column in peers.fit.items() if name != "star"}
    return {**chosen, **fit, "relative": fit["gain"] * fit["pixels"] / fit["chi2"]}


def _by_snr(both: Columns, scores: dict[str, str]) -> str:
    bins = list(pairwise(SNR_EDGES))
    here = [(both["snr_g"] >= low) & (both["snr_g"] < high) for low, high in bins]
    rows = [
        (name, *(area(both[score][rows], both["label"][rows]) for rows in here))
        for name, score in scores.items()
    ]
    return table(("", *(f"{low:.0f}-{high:.0f}" for low, high in bins)), rows)


def _differences(both: Columns) -> str:
    """AUC of the network less that of the others, on the same spectra."""
    label = both["label"] == 1
    rows = []
    for name, score in (("regression", "pca"), ("chi2 difference", "gain"),
                        ("chi2 difference over reduced chi2", "relative")):  # fmt: skip

        def lead(weight: np.ndarray, score: str = score) -> float:
            network = weighted_auc(both["network"], label, weight)
            return network - weighted_auc(both[score], label, weight)

        rows.append((name, by_star(lead, both["star"]) if "network" in both else "-"))
    return table(("network less", "difference of AUC"), rows)


def _rounded(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}" if rate > 100 else f"{rate:.1f}"
