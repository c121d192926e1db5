"""What a run found, as JSON and as lines of text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.core.published import Published
from pipeline.core.root import Root
from pipeline.evaluation.truth import TruthComparison, compare_with_truth
from pipeline.network.card import ModelCard
from pipeline.report.networks import in_words
from schemas.catalogue import SPECTRA

THRESHOLDS = (0.5, 0.8)


def summarise(
    root: Root,
    catalogue: Published,
    model_id: str,
    cards: Sequence[ModelCard],
    truth: Path | None,
    *,
    evaluated: bool,
) -> tuple[dict[str, Any], list[str]]:
    """Summarise a run.

    Parameters
    ----------
    root : Root
        Root of the run.
    catalogue : Published
        The catalogue.
    model_id : str
        Of the network, or of the ensemble.
    cards : sequence of ModelCard
        Of each network.
    truth : pathlib.Path, optional
        Folder of the truth of a simulated survey.
    evaluated : bool
        The network was evaluated.

    Returns
    -------
    content : dict of str to object
        For JSON.
    lines : list of str
        For the screen.
    """
    counts = catalogue.counts
    summary: dict[str, Any] = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        "stars_above": {str(t): counts[f"above_{t}"] for t in THRESHOLDS},
        "model": {"id": model_id, "data": in_words(cards)},
    }
    if len(cards) == 1:
        summary["model"]["metrics"] = dict(cards[0].metrics)
    else:
        summary["model"]["members"] = [
            {"id": card.model_id, "data": card.data, "metrics": dict(card.metrics)}
            for card in cards
        ]
    lines = [f"network {model_id}: {in_words(cards)}"]
    if truth is not None:
        comparison = compare_with_truth(root.table(SPECTRA), truth, THRESHOLDS)
        summary["truth"] = as_json(comparison)
        lines += as_lines(comparison)
    if evaluated:
        summary["evaluation"] = json.loads(root.evaluation.read_text())
    return summary, lines


def as_json(comparison: TruthComparison) -> dict[str, Any]:
    """Return the comparison for ``summary.json``."""
    return {
        "spectra": comparison.n_spectra,
        "stars": comparison.n_stars,
        "auc": comparison.auc.as_dict(),
        "auc_by_teff": {name: e.as_dict() for name, e in comparison.auc_by_teff.items()},
        "completeness": {str(t): e.as_dict() for t, e in comparison.completeness.items()},
        "purity": {str(t): e.as_dict() for t, e in comparison.purity.items()},
    }


def as_lines(comparison: TruthComparison) -> list[str]:
    """Return the comparison as lines of text."""
    compared = f"{comparison.n_spectra:,} spectra of {comparison.n_stars:,} dwarfs with S/N > 20"
    return [
        f"against the truth: {compared}; value [95 % interval]",
        f"AUC, pairs of q 0.71-0.93 against singles: {comparison.auc}",
        *(
            f"p_b > {t}: completeness {comparison.completeness[t]}, purity {comparison.purity[t]}"
            for t in comparison.completeness
        ),
    ]
