"""``pairspec report``: what a run found, as one page, as JSON and on the screen."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.atomic import write_bytes, write_json
from pipeline.core.ledger import Done
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.network.card import ModelCard
from pipeline.network.members import EnsemblePlan, judged_networks, plan_ensemble
from pipeline.report import provenance, tables
from pipeline.report.gallery import PICTURES, Picture, gather
from pipeline.report.licences import licences
from pipeline.report.networks import card_lines, check_catalogue
from pipeline.report.page import as_data, render, size_of
from pipeline.report.summary import THRESHOLDS, summarise
from schemas.catalogue import SPECTRA, STARS

SUMMARY = "summary.json"
PAGE = "report.html"


def run(run: Run) -> StageReport:
    """Write ``reports/report.html`` with its figures, and ``reports/summary.json``.

    Parameters
    ----------
    run : Run
        Of it: ``infer.models``; ``inputs.truth`` where the survey is simulated.

    Returns
    -------
    StageReport
        Spectra, stars, and the catalogue against the truth.

    Raises
    ------
    MismatchError
        The catalogue is by other networks than are named.
    """
    root = run.root
    (catalogue,) = run.needs()
    used = {name: run.uses(name) for name in run.stage.uses}
    plan, versions = plan_ensemble(judged_networks(run)), provenance.versions()
    cards = plan.cards()
    check_catalogue(root, plan)
    # What it says of itself would make each report another one.
    others = {name: stage for name, stage in run.makers.items() if name != run.stage.makes}
    settings = provenance.settings_by_stage(root, others)
    times = provenance.times(root, others.values())
    shown = {name for name, one in used.items() if one is not None}
    if [member.path for member in plan.members] == [root.model.resolve()]:
        shown.add("model")
    digest = run.digest(
        catalogue, *used.values(), plan.model_id, settings, str(run.settings.inputs.truth),
        versions, times, [vars(picture) for picture in PICTURES],
    )  # fmt: skip
    origin = {
        "cards": [card_lines(card) for card in cards],
        "datasets": provenance.datasets(root, others),
        "settings": settings,
        "times": times,
        "versions": versions,
        "licences": licences(settings),
    }
    done = run.once(_write, run, plan, cards, shown, origin, digest=digest)
    counts = catalogue.counts
    printed = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        **{f"stars with p_b > {t}": counts[f"above_{t}"] for t in THRESHOLDS},
        "figures": done.counts["figures"],
    }
    outputs = (root.reports / SUMMARY, root.table(STARS), root.table(SPECTRA), root.reports / PAGE)
    return run.publish(digest, done.counts, shown=printed, notes=done.notes, outputs=outputs)


def _write(
    run: Run,
    plan: EnsemblePlan,
    cards: Sequence[ModelCard],
    shown: set[str],
    origin: Mapping[str, Any],
) -> Done:
    root, settings = run.root, run.settings
    (catalogue,) = run.needs()
    evaluated = "evaluation" in shown
    summary, lines = summarise(
        root, catalogue, plan.model_id, cards, settings.inputs.truth, evaluated=evaluated
    )
    write_json(root.reports / SUMMARY, summary)
    pictures, files = gather(root, shown)
    rows = tables.validation_rows(root) if "validation" in shown else []
    judged: list[tables.Row] = []
    if evaluated:
        judged = tables.evaluation_rows(json.loads(root.evaluation.read_text()))
    # The validation of scores has most of them, too.
    others = [row for row in rows if row.paper != "-" and row.validation != "scores"]
    names = list(dict.fromkeys(row.validation for row in rows))
    counts = catalogue.counts
    tiles = {"spectra": counts["spectra"], "stars": counts["stars"]}
    tiles |= {f"stars with p_b > {t}": counts[f"above_{t}"] for t in THRESHOLDS}
    content = {
        "simulated": settings.inputs.truth is not None,
        "tiles": {name: f"{n:,}" for name, n in tiles.items()},
        "published": judged + others,
        "truth_lines": lines[1:],
        "figures": [_shown(root, picture, judged + rows) for picture in pictures],
        "cuts": tables.cut_flow(root) if "sample" in shown else [],
        "validations": {name: [r for r in rows if r.validation == name] for name in names},
        "notes": tables.validation_notes(root, [p.validation for p in PICTURES if p.validation])
        if rows
        else [],
        **origin,
    }
    write_bytes(root.reports / PAGE, render(content))
    outputs = (root.reports / SUMMARY, root.reports / PAGE, *files)
    return Done(dict(counts) | {"figures": len(pictures)}, outputs, tuple(lines))


def _shown(root: Root, picture: Picture, rows: Sequence[tables.Row]) -> dict[str, Any]:
    path = picture.copied(root)
    width, height = size_of(path)
    belongs = picture.validation or ("evaluate" if picture.dataset == "evaluation" else "")
    return {
        "name": picture.name,
        "title": picture.title,
        "caption": picture.alt,
        "alt": tables.alternative_text(picture.alt, rows, belongs),
        "data": as_data(path),
        "width": width,
        "height": height,
    }
