"""``pairspec simulate``: a synthetic survey in the real file formats, with known truth."""

import json
import shutil
from pathlib import Path

from pipeline.core.atomic import write_bytes, write_json
from pipeline.core.errors import InputError
from pipeline.core.ledger import Done
from pipeline.core.records import records_path
from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.field import SimulateJob, simulate_field
from pipeline.simulate.merge import merge_csv, merge_parquet, write_hats
from pipeline.simulate.settings_file import settings_file
from pipeline.simulate.survey import n_fields

RECORD = "survey.json"
CSV_TABLES = {
    "lamost_stellar": ("catalogues/dr10_sim_LRS_stellar.csv.gz", ","),
    "lamost_mec": ("catalogues/dr10_sim_LRS_mec.csv.gz", "|"),
    "eclipsing": ("catalogues/ztf_eclipsing.csv", ","),
    "planets": ("catalogues/planet_hosts.csv", ","),
}
PARQUET_TABLES = {
    "gaia": "catalogues/gaia_source.parquet",
    "tmass": "catalogues/tmass.parquet",
    "tmass_best_neighbour": "catalogues/tmass_best_neighbour.parquet",
    "truth_stars": "truth/stars.parquet",
    "truth_observations": "truth/observations.parquet",
    "truth_broken": "truth/broken.parquet",
}
HATS_TABLES = {"gaia": "catalogues/gaia_source_hats", "tmass": "catalogues/tmass_hats"}
INPUTS = {
    "spectra": "spectra",
    "catalogue": CSV_TABLES["lamost_stellar"][0],
    "multi_epoch": CSV_TABLES["lamost_mec"][0],
    "gaia": PARQUET_TABLES["gaia"],
    "gaia_release": "DR3",
    "tmass": PARQUET_TABLES["tmass"],
    "tmass_best_neighbour": PARQUET_TABLES["tmass_best_neighbour"],
    "eclipsing": CSV_TABLES["eclipsing"][0],
    "planets": CSV_TABLES["planets"][0],
    "truth": "truth",
}
"""What ``pairspec.toml`` names; inputs that no stage reads are given as comments."""


def run(run: Run) -> StageReport:
    """Simulate a survey.

    Parameters
    ----------
    run : Run
        Of it: ``simulate``, above all ``n_stars``, ``seed`` and ``out``. The files don't depend on
        the number of workers.

    Returns
    -------
    StageReport
        Stars, spectra, broken files and rows of the catalogues.

    Raises
    ------
    InputError
        The folder holds a survey of other settings.
    """
    digest = run.digest(run.settings.simulate.model_dump(mode="json", exclude={"out"}))
    _claim(run.root.path, digest)
    done = run.once(_simulate, run, digest, digest=digest)
    note = f"next: cd {run.settings.simulate.out}, then pairspec ingest"
    outputs = (run.root.path / "pairspec.toml",)
    return run.publish(digest, done.counts, notes=(note,), outputs=outputs)


def _claim(out: Path, digest: str) -> None:
    """Mark the folder as that of one survey, so that no other one is written over it."""
    path = out / RECORD
    if not path.exists():
        write_json(path, {"digest": digest})
    elif json.loads(path.read_text())["digest"] != digest:
        raise InputError(
            f"{out} holds a survey of other settings; choose another folder (--out), or delete it"
        )


def _simulate(run: Run, digest: str) -> Done:
    settings, out = run.settings.simulate, run.root.path
    job = SimulateJob(out, settings)
    counts = run.each(
        simulate_field, n_fields(settings), job, digest=digest, step="fields", of="fields"
    )
    counts |= _merge(settings, out)
    write_bytes(out / "pairspec.toml", settings_file(run.settings, INPUTS).encode())
    shutil.rmtree(out / "parts", ignore_errors=True)
    records_path(out, "fields").unlink(missing_ok=True)
    tables = (*(name for name, _ in CSV_TABLES.values()), *PARQUET_TABLES.values())
    return Done(counts, [out / name for name in ("pairspec.toml", *tables)])


def _merge(settings: SimulateSettings, out: Path) -> dict[str, int]:
    rows = {}
    for table, (name, delimiter) in CSV_TABLES.items():
        rows[table] = merge_csv(out / "parts" / table, out / name, delimiter)
    for table, name in PARQUET_TABLES.items():
        rows[table] = merge_parquet(out / "parts" / table, out / name)
    if settings.survey.hats:
        for table, name in HATS_TABLES.items():
            write_hats(out / PARQUET_TABLES[table], out / name, Path(name).name)
    shown = ("lamost_mec", "gaia", "tmass", "eclipsing", "planets")
    return {f"rows of {name}": rows[name] for name in shown}
