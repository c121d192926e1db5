"""``pairspec report``: what a run found, on the screen and as JSON."""

import json
from typing import TYPE_CHECKING, Any

from pipeline.core.atomic import write_json
from pipeline.core.published import published
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.evaluation.stage import REPORT as EVALUATION
from pipeline.evaluation.truth import TruthComparison, compare_with_truth
from pipeline.network.checkpoint import read_card
from pipeline.settings.load import Settings
from schemas.catalogue import SPECTRA, STARS

if TYPE_CHECKING:
    from distributed import Client

THRESHOLDS = (0.5, 0.8)


def run(settings: Settings, client: "Client") -> StageReport:  # noqa: ARG001 (one door for all)
    """Write ``reports/summary.json`` and print it as a table.

    Parameters
    ----------
    settings : Settings
        ``root``; ``inputs.truth`` where the survey is simulated.
    client : distributed.Client
        Not needed.

    Returns
    -------
    StageReport
        Spectra, stars, and the catalogue against the truth.
    """
    root = Root(settings.root.resolve())
    counts = published(root.path, "catalogue", "catalogue").counts
    card = read_card(root.model)
    summary: dict[str, Any] = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        "stars_above": {str(t): counts[f"above_{t}"] for t in THRESHOLDS},
        "model": {"id": card.model_id, "data": card.data, "metrics": dict(card.metrics)},
    }
    notes = [f"network {card.model_id}: {card.data}"]
    truth = settings.inputs.truth
    if truth is not None:
        comparison = compare_with_truth(root.table(SPECTRA), truth, THRESHOLDS)
        summary["truth"] = as_json(comparison)
        notes += as_lines(comparison)
    evaluation = root.reports / EVALUATION
    if evaluation.exists():
        summary["evaluation"] = json.loads(evaluation.read_text())
    write_json(root.reports / "summary.json", summary)
    shown = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        "stars with p_b > 0.5": counts["above_0.5"],
        "stars with p_b > 0.8": counts["above_0.8"],
    }
    outputs = (root.reports / "summary.json", root.table(STARS), root.table(SPECTRA))
    return StageReport("report", shown, tuple(notes), outputs)


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
