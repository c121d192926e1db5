"""``pairspec report``: what a run found, on the screen and as JSON."""

import json
from pathlib import Path
from typing import Any

from pipeline.core.atomic import write_json
from pipeline.core.ledger import Done
from pipeline.core.published import Published
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.evaluation.stage import REPORT as EVALUATION
from pipeline.evaluation.truth import TruthComparison, compare_with_truth
from pipeline.network.checkpoint import ModelCard, read_card
from schemas.catalogue import SPECTRA, STARS

SUMMARY = "summary.json"
THRESHOLDS = (0.5, 0.8)


def run(run: Run) -> StageReport:
    """Write ``reports/summary.json`` and print it as a table.

    Parameters
    ----------
    run : Run
        Of it: ``inputs.truth`` where the survey is simulated.

    Returns
    -------
    StageReport
        Spectra, stars, and the catalogue against the truth.
    """
    root, truth = run.root, run.settings.inputs.truth
    (catalogue,) = run.needs()
    run.require_unchanged("model")
    evaluation, card = run.uses("evaluation"), read_card(root.model)
    digest = run.digest(catalogue, evaluation, card.model_id, str(truth))
    evaluated = evaluation is not None
    done = run.once(_summarise, root, catalogue, card, truth, evaluated, digest=digest)
    counts = catalogue.counts
    shown = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        "stars with p_b > 0.5": counts["above_0.5"],
        "stars with p_b > 0.8": counts["above_0.8"],
    }
    outputs = (root.reports / SUMMARY, root.table(STARS), root.table(SPECTRA))
    return run.publish(digest, counts, shown=shown, notes=done.notes, outputs=outputs)


def _summarise(
    root: Root, catalogue: Published, card: ModelCard, truth: Path | None, evaluated: bool
) -> Done:
    counts = catalogue.counts
    summary: dict[str, Any] = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        "stars_above": {str(t): counts[f"above_{t}"] for t in THRESHOLDS},
        "model": {"id": card.model_id, "data": card.data, "metrics": dict(card.metrics)},
    }
    notes = [f"network {card.model_id}: {card.data}"]
    if truth is not None:
        comparison = compare_with_truth(root.table(SPECTRA), truth, THRESHOLDS)
        summary["truth"] = as_json(comparison)
        notes += as_lines(comparison)
    if evaluated:
        summary["evaluation"] = json.loads((root.reports / EVALUATION).read_text())
    write_json(root.reports / SUMMARY, summary)
    return Done(counts, (root.reports / SUMMARY,), tuple(notes))


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
