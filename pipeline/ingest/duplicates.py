"""Two files of one exposure: the newest pipeline's counts, the others are marked."""

from pathlib import Path

import pyarrow as pa

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.root import Root
from pipeline.tables.database import database
from pipeline.tables.literal import parquet_files
from schemas.observations import DUPLICATES, HEADERS
from schemas.table import conform

# Exposures are told apart by OBSID: LAMOST's are positive (one DR3 file has an overflown, negative
# one), others may be any number. A file without one (DR1, DR2) belongs to the OBSID that another
# file gives for the same night, plan, spectrograph and fibre, all of which must be known; where two
# OBSIDs share a fibre, nothing is known about such a file.
# DESI numbers targets: coadds of one target in two programmes are two spectra.
# Versions compare as lists of numbers: 2.9.10 is newer than 2.9.9, DR13-Q1 newer than DR9. A number
# may be too long for any type: the one with more digits is the larger.
_SUPERSEDED = r"""
    WITH file AS NOT MATERIALIZED (
        SELECT "row", path, layout, planid,
               if(obsid > 0 OR layout IN ('sdss', 'desi', 'own'), obsid, NULL) AS obsid,
               lmjd || '-' || planid || '-' || spid || '-' || fiberid AS fibre,
               list_transform(
                   regexp_extract_all(pipeline_version, '0*(\d+)', 1),
                   lambda digits: (length(digits), digits)
               ) AS version,
               list_transform(
                   regexp_extract_all(data_release, '0*(\d+)', 1),
                   lambda digits: (length(digits), digits)
               ) AS release,
               created
        FROM read_parquet($headers, hive_partitioning = false) WHERE reason IS NULL
    ), named AS (
        SELECT fibre, min(obsid) AS fibre_obsid FROM file WHERE obsid IS NOT NULL
        GROUP BY fibre HAVING count(DISTINCT obsid) = 1
    ), exposed AS NOT MATERIALIZED (
        SELECT file.*,
               coalesce('OBSID ' || coalesce(obsid, fibre_obsid), file.fibre)
               || if(layout = 'desi', ' of ' || planid, '') AS exposure
        FROM file LEFT JOIN named ON obsid IS NULL AND file.fibre = named.fibre
    ), repeated AS (
        SELECT exposure FROM exposed GROUP BY exposure HAVING count(*) > 1
    )
    SELECT "row", path, exposure,
           first_value("row") OVER newest AS newest_row,
           first_value(path) OVER newest AS newest_path
    FROM exposed SEMI JOIN repeated USING (exposure)
    WINDOW newest AS (
        PARTITION BY exposure
        ORDER BY version DESC NULLS LAST, release DESC NULLS LAST, created DESC NULLS LAST, path
    )
    QUALIFY "row" <> newest_row
    ORDER BY "row"
"""


def find_duplicates(headers: Path) -> pa.Table:
    """Look through the headers of all files for exposures that stand in more than one.

    Parameters
    ----------
    headers : pathlib.Path
        Folder of the table of headers.

    Returns
    -------
    pyarrow.Table
        The superseded files, as the schema ``duplicates``.
    """
    with database(headers.parent) as db:
        found = db.sql(_SUPERSEDED, params={"headers": parquet_files(headers)})
        return conform(found.to_arrow_table(), DUPLICATES)


def write_duplicates(root: Root) -> Done:
    """Write the table of duplicates.

    Parameters
    ----------
    root : Root
        Where the headers are.
    """
    table = find_duplicates(root.table(HEADERS))
    write_parquet(root.table(DUPLICATES), table)
    return Done({"superseded": table.num_rows}, (root.table(DUPLICATES),))
