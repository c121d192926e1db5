"""``pairspec report``: what a run found, on the screen and as JSON."""

import json
from typing import TYPE_CHECKING, Any

from pipeline.core.atomic import write_json
from pipeline.core.published import published
from pipeline.core.root import Root
from pipeline.core.stage import StageReport
from pipeline.evaluation.stage import REPORT as EVALUATION
from pipeline.evaluation.truth import Verdict, judge
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
        verdict = judge(root.table(SPECTRA), truth, THRESHOLDS)
        summary["truth"] = as_json(verdict)
        notes += as_lines(verdict)
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


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict for ``summary.json``."""
    return {
        "spectra": verdict.n_spectra,
        "stars": verdict.n_stars,
        "auc": verdict.auc.as_dict(),
        "auc_by_teff": {name: e.as_dict() for name, e in verdict.auc_by_teff.items()},
        "completeness": {str(t): e.as_dict() for t, e in verdict.completeness.items()},
        "purity": {str(t): e.as_dict() for t, e in verdict.purity.items()},
    }


def as_lines(verdict: Verdict) -> list[str]:
    """Return the verdict as lines of text."""
    compared = f"{verdict.n_spectra:,} spectra of {verdict.n_stars:,} dwarfs with S/N > 20"
    return [
        f"against the truth: {compared}; value [95 % interval]",
        f"AUC, pairs of q 0.71-0.93 against singles: {verdict.auc}",
        *(
            f"p_b > {t}: completeness {verdict.completeness[t]}, purity {verdict.purity[t]}"
            for t in verdict.completeness
        ),
    ]
