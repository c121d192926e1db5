"""``pairspec report``: what a run found, as one page, as JSON and on the screen."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.atomic import write_bytes, write_json
from pipeline.core.ledger import Done
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.network.card import ModelCard, read_card
from pipeline.report import provenance, tables
from pipeline.report.gallery import PICTURES, Picture, gather
from pipeline.report.licences import licences
from pipeline.report.page import as_data, render, size_of
from pipeline.report.summary import THRESHOLDS, summarise
from pipeline.settings.load import Settings
from schemas.catalogue import SPECTRA, STARS

SUMMARY = "summary.json"
PAGE = "report.html"


def run(run: Run) -> StageReport:
    """Write ``reports/report.html`` with its figures, and ``reports/summary.json``.

    Parameters
    ----------
    run : Run
        Of it: all settings, which the page shows; ``inputs.truth`` where the survey is simulated.

    Returns
    -------
    StageReport
        Spectra, stars, and the catalogue against the truth.
    """
    root = run.root
    (catalogue,) = run.needs()
    run.require_unchanged("model")
    used = {name: run.uses(name) for name in run.stage.uses}
    card, versions = read_card(root.model), provenance.versions()
    settings = provenance.all_settings(run.settings)
    times = provenance.times(root, run.makers.values())
    # Its own times would make each report another one.
    times = [row for row in times if row["stage"] != run.stage.name]
    shown = {name for name, one in used.items() if one is not None} | {"model"}
    digest = run.digest(
        catalogue, *used.values(), card.model_id, settings, versions, times,
        [vars(picture) for picture in PICTURES],
    )  # fmt: skip
    done = run.once(_write, run, card, shown, times, digest=digest)
    counts = catalogue.counts
    printed = {
        "spectra": counts["spectra"],
        "stars": counts["stars"],
        **{f"stars with p_b > {t}": counts[f"above_{t}"] for t in THRESHOLDS},
        "figures": done.counts["figures"],
    }
    outputs = (root.reports / SUMMARY, root.table(STARS), root.table(SPECTRA), root.reports / PAGE)
    return run.publish(digest, done.counts, shown=printed, notes=done.notes, outputs=outputs)


def _write(run: Run, card: ModelCard, shown: set[str], times: Sequence[Mapping[str, Any]]) -> Done:
    root, settings = run.root, run.settings
    (catalogue,) = run.needs()
    evaluated = "evaluation" in shown
    summary, lines = summarise(root, catalogue, card, settings.inputs.truth, evaluated=evaluated)
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
        "card": _card(card),
        "datasets": [
            one for one in provenance.datasets(root, run.makers) if one["name"] != run.stage.makes
        ],
        "times": times,
        **_provenance(settings),
    }
    write_bytes(root.reports / PAGE, render(content))
    outputs = (root.reports / SUMMARY, root.reports / PAGE, *files)
    return Done(dict(counts) | {"figures": len(pictures)}, outputs, tuple(lines))


def _provenance(settings: Settings) -> dict[str, Any]:
    return {
        "changed": provenance.changed_settings(settings),
        "settings": provenance.all_settings(settings),
        "versions": provenance.versions(),
        "licences": licences(settings),
    }


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


def _card(card: ModelCard) -> dict[str, str]:
    """Return the lines of a network's card that say what it is."""
    plain = card.model_dump(mode="json")
    names = ("model_id", "sha256", "data", "data_digest", "split_seed", "training_stars")
    lines = {name: str(plain[name]) for name in names}
    for name in ("metrics", "training_range", "network", "versions"):
        lines[name] = ", ".join(f"{key} {_short(value)}" for key, value in plain[name].items())
    return lines


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
