"""``pairspec simulate``: a synthetic survey in the real file formats, with known truth."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.window import run_window
from pipeline.core.atomic import sweep, write_bytes, write_json
from pipeline.core.digest import digest_of
from pipeline.core.ledger import Ledger
from pipeline.core.progress import track
from pipeline.core.stage import StageReport
from pipeline.settings.load import Settings
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.field import SimulateJob, simulate_field
from pipeline.simulate.merge import merge_csv, merge_parquet, write_hats
from pipeline.simulate.settings_file import settings_file
from pipeline.simulate.survey import n_fields

if TYPE_CHECKING:
    from distributed import Client

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


class SimulateError(ValueError):
    """The folder holds another survey."""


def run(settings: Settings, client: "Client") -> StageReport:
    """Simulate a survey.

    Parameters
    ----------
    settings : Settings
        ``simulate``, above all ``n_stars``, ``seed`` and ``out``.
    client : distributed.Client
        Where to run; the files don't depend on the number of workers.

    Returns
    -------
    StageReport
        Stars, spectra, broken files and rows of the catalogues.

    Raises
    ------
    SimulateError
        The folder holds a survey of other settings.
    """
    simulate = settings.simulate
    out = simulate.out.resolve()
    digest = digest_of(simulate.model_dump(mode="json", exclude={"out"}))
    record = _record(out, digest)
    if not record["done"]:
        write_json(out / RECORD, record)
        sweep(out)
        counts = _simulate(simulate, settings.cluster.retries, client, out, digest)
        counts |= _merge(simulate, out)
        write_bytes(out / "pairspec.toml", settings_file(settings, INPUTS).encode())
        record = {"digest": digest, "done": True, "counts": counts}
        write_json(out / RECORD, record)
        for leftover in ("parts", "ledger"):
            shutil.rmtree(out / leftover, ignore_errors=True)
    note = f"next: cd {simulate.out}, then pairspec ingest"
    return StageReport("simulate", record["counts"], (note,), (out / "pairspec.toml",))


def _record(out: Path, digest: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((out / RECORD).read_text())
    except FileNotFoundError:
        return {"digest": digest, "done": False, "counts": {}}
    if record["digest"] != digest:
        raise SimulateError(
            f"{out} holds a survey of other settings; choose another folder (--out), or delete it"
        )
    return record


def _simulate(
    settings: SimulateSettings, retries: int, client: "Client", out: Path, digest: str
) -> dict[str, int]:
    job = SimulateJob(out, settings)
    total = n_fields(settings)
    ledger = Ledger(out / "ledger", digest)
    pending = ledger.pending(total)
    with track("simulate", total, total - len(pending), "fields") as advance:
        for number, counts in run_window(client, simulate_field, pending, job, retries=retries):
            ledger.write(number, counts)
            advance()
    return ledger.total(total)


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
