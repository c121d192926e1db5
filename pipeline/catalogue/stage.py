"""``pairspec catalogue``: from predictions per spectrum to one row per star."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_table
from pipeline.core.progress import track
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.photometry.assignment import assign_stars
from pipeline.settings.load import Settings
from pipeline.store.manifest import open_manifest
from pipeline.tables.literal import parquet_files
from schemas.catalogue import PREDICTIONS, SPECTRA, STARS
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.table import conform

# One thread and ordered input: a mean must not depend on the order of its terms.
_STARS = """
    SELECT star_id,
           first(source_id) AS source_id,
           first(ra_deg ORDER BY "row") AS ra_deg,
           first(dec_deg ORDER BY "row") AS dec_deg,
           max(p_b) AS p_b,
           avg(p_b ORDER BY "row") AS p_b_mean,
           count(p_b) AS n_spectra,
           count(*) AS n_spectra_all,
           first(obsid ORDER BY p_b DESC, "row") FILTER (p_b IS NOT NULL) AS obsid_max,
           first("row" ORDER BY p_b DESC, "row") FILTER (p_b IS NOT NULL) AS row_max,
           bit_or(quality) AS quality,
           max(model_id) AS model_id
    FROM read_parquet($spectra, hive_partitioning = false) GROUP BY star_id ORDER BY star_id
"""


_OBSERVED = ["ra_deg", "dec_deg", "mjd_utc", "snr_g", "teff_k", "logg", "feh", "rv_kms"]


def run(run: Run) -> StageReport:
    """Write the catalogue of spectra, one part per shard, and from it the catalogue of stars.

    Parameters
    ----------
    run : Run
        Of it: ``catalogue``, ``inputs.gaia_release``.

    Returns
    -------
    StageReport
        Stars, spectra, and stars above the thresholds of the paper.

    Raises
    ------
    MismatchError
        Predictions and catalogued spectra differ in number.
    """
    settings, root = run.settings, run.root
    predicted, _ = run.needs()
    photometry = run.uses("photometry")
    digest = run.digest(predicted, settings.catalogue, settings.inputs.gaia_release, photometry)
    counts = run.once(_write, settings, root, photometry is not None, digest=digest).counts
    run.balance(predicted.counts["spectra"], counts["spectra"], "predictions")
    shown = {
        "stars": counts["stars"],
        "spectra": counts["spectra"],
        "stars with p_b > 0.5": counts["above_0.5"],
        "stars with p_b > 0.8": counts["above_0.8"],
    }
    outputs = (root.table(STARS), root.table(SPECTRA))
    return run.publish(digest, counts, shown=shown, outputs=outputs)


def _write(settings: Settings, root: Root, matched: bool) -> Done:
    spectra = _write_spectra(settings, root, root.table(PHOTOMETRY) if matched else None)
    counts, stars = _write_stars(settings, root)
    return Done(counts, (*spectra, *stars))


def _write_spectra(settings: Settings, root: Root, photometry: Path | None) -> list[Path]:
    trust = settings.inputs.gaia_release is not None
    radius = settings.catalogue.star_radius_arcsec
    stars = assign_stars(root.table(OBSERVATIONS), radius, trust_ids=trust, photometry=photometry)
    parts = [root.part(SPECTRA, n) for n in range(open_manifest(root.manifest).n_shards)]
    with track("catalogue", len(parts), 0, "shards") as advance:
        for shard, part in enumerate(parts):
            # The star's source may come from another of its spectra, the prediction's may not.
            predictions = read_table(root.part(PREDICTIONS, shard), PREDICTIONS)
            predictions = predictions.drop_columns("source_id")
            observed = read_table(root.part(OBSERVATIONS, shard), OBSERVATIONS, ["row", *_OBSERVED])
            table = (
                predictions.join(observed, "row", join_type="left outer")
                .join(stars, "row", join_type="left outer")
                .sort_by("row")
            )
            write_parquet(part, conform(table, SPECTRA))
            advance()
    return parts


def _write_stars(settings: Settings, root: Root) -> tuple[dict[str, int], list[Path]]:
    shutil.rmtree(root.table(STARS), ignore_errors=True)
    counts = {"stars": 0, "spectra": 0, "above_0.5": 0, "above_0.8": 0}
    parts = []
    with duckdb.connect(config={"threads": 1}) as db:
        stars = db.sql(_STARS, params={"spectra": parquet_files(root.table(SPECTRA))})
        reader = stars.to_arrow_reader(settings.catalogue.part_stars)
        for number, part in enumerate(_regroup(reader, settings.catalogue.part_stars)):
            table = conform(part, STARS)
            parts.append(root.part(STARS, number))
            write_parquet(parts[-1], table)
            p_b = table["p_b"].to_numpy()
            counts["stars"] += table.num_rows
            counts["spectra"] += int(table["n_spectra_all"].to_numpy().sum())
            counts["above_0.5"] += int((p_b > 0.5).sum())
            counts["above_0.8"] += int((p_b > 0.8).sum())
    return counts, parts


def _regroup(reader: pa.RecordBatchReader, rows: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in reader:
        held.append(batch)
        while sum(b.num_rows for b in held) >= rows:
            table = pa.Table.from_batches(held)
            yield table.slice(0, rows)
            held = table.slice(rows).to_batches()
    if held:
        yield pa.Table.from_batches(held)
