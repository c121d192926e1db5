"""The tables of ``benchmarks/science/peers.py``."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from difficulty_tables import SNR_EDGES, area, table
from pca_logistic import PcaLogistic

from pipeline.evaluation.intervals import by_star
from pipeline.network.checkpoint import ModelCard
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


def report(peers: Peers) -> str:
    """Put all tables together."""
    both = _joined(peers)
    scores = {
        f"quadratic logistic regression on {peers.pca.basis_LI.shape[1]} PCA components": "pca",
        "template fit, chi2 difference": "gain",
        "template fit, chi2 difference over reduced chi2": "relative",
        "network": "network",
    }
    scores = {name: score for name, score in scores.items() if score in both}
    rates = {"gain": "fit", "relative": "fit"}
    n, n_fit = len(peers.test["label"]), len(both["label"])
    rows: list[tuple[object, ...]] = []
    for name, score in scores.items():
        rate = peers.speed.get(rates.get(score, score))
        whole = area(peers.test[score], peers.test["label"]) if score in peers.test else "-"
        rows.append((name, area(both[score], both["label"]), whole, _rounded(rate)))
    head = ("", f"AUC, {n_fit} spectra", f"AUC, {n} spectra", "spectra per core-second")
    about = (
        f"Scatter {peers.scatter}.{_network(peers.card)} Regression: products of the leading "
        f"{peers.pca.n_quadratic} components, ridge {peers.pca.ridge}, validation AUC "
        f"{peers.pca.validation_auc:.4f}. Preparing spectra, which comes before regression and "
        f"network: {_rounded(peers.speed.get('prepare'))} spectra per core-second.\n"
    )
    title = f"By S/N in g, the {n_fit} spectra:\n"
    parts = (about, table(head, rows), title, _by_snr(both, scores), *_differences(both))
    return "\n".join(parts)


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


def _differences(both: Columns) -> list[str]:
    """AUC of the network less that of the others, on the same spectra."""
    if "network" not in both:
        return []
    label = both["label"] == 1
    lines = []
    for name, score in (("regression", "pca"), ("chi2 difference", "gain"),
                        ("chi2 difference over reduced chi2", "relative")):  # fmt: skip

        def lead(weight: np.ndarray, score: str = score) -> float:
            network = weighted_auc(both["network"], label, weight)
            return network - weighted_auc(both[score], label, weight)

        lines.append(f"- network less {name}: {by_star(lead, both['star'])}")
    return ["Differences of AUC on the same spectra:\n", *lines]


def _network(card: ModelCard | None) -> str:
    if card is None:
        return ""
    epochs = int(card.metrics.get("epoch", 0))
    return f" Network {card.model_id}: {card.data}, best epoch {epochs}."


def _rounded(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.0f}" if rate > 100 else f"{rate:.1f}"
