"""The real DR12 x Gaia EDR3 table: fibres where LAMOST says, sources where Gaia says."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.pieces import Pieces
from pipeline.photometry.matching import MovingMatch
from pipeline.photometry.nearest import choose_nearest
from pipeline.photometry.pairs import Match, match_catalogues, read_pairs
from pipeline.photometry.positions import julian_year
from pipeline.photometry.source_blocks import blocks_of
from pipeline.photometry.target_parts import TargetParts, sort_targets
from pipeline.photometry.targets import TARGETS

pytestmark = [pytest.mark.timeout(300)]

RADIUS, REACH = 3.0, 150.0

TABLE_IS_WRONG: set[int] = set()
"""OBSIDs whose ``source_id`` in the table is not the nearest source: none of the 79 rows."""


@pytest.fixture(scope="module")
def table(real_data):
    ids = {"source_id": "int64", "gaia_source_id": "int64", "obsid": "int64"}
    return pd.read_csv(real_data / "tables" / "dr12_gaia_edr3_subset.csv", dtype=ids)


@pytest.fixture(scope="module")
def matched(table, make_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    run = make_run("photometry", folder)
    sources = table.drop_duplicates("source_id")
    columns = {
        "source_id": sources["source_id"].to_numpy(),
        "ra": sources["ra_gedr3"].to_numpy(),
        "dec": sources["dec_gedr3"].to_numpy(),
        "pmra": sources["pmra"].to_numpy(),
        "pmdec": sources["pmdec"].to_numpy(),
        "phot_g_mean_mag": sources["phot_g_mean_mag"].to_numpy(),
    }
    pq.write_table(pa.table(columns), folder / "gaia.parquet")
    row = np.arange(len(table))
    year = julian_year(table["lmjd"].to_numpy(dtype=float))
    values = [row, row * 0, table["ra"].to_numpy(), table["dec"].to_numpy(), year]
    pq.write_table(pa.table(values, names=TARGETS.names).cast(TARGETS), folder / "t.parquet")
    names = {name: name for name in columns}
    algorithm = MovingMatch(RADIUS, REACH, names, 2016.0)
    parts = TargetParts(folder / "targets", RADIUS, REACH)
    sort_targets(run, [folder / "t.parquet"], parts, 30)
    match = Match(tuple(columns), parts, algorithm, folder / "pairs", Pieces(1, 1))
    blocks = blocks_of([folder / "gaia.parquet"], 20)
    files, _ = match_catalogues(run, blocks, match, "match", "x")
    pairs = read_pairs(range(1), files[0])
    chosen = choose_nearest(
        pairs["target_row"].to_numpy(), pairs["separation_arcsec"].to_numpy(),
        pairs["source_id"].to_numpy(), pairs["phot_g_mean_mag"].to_numpy(),
        np.zeros(pairs.num_rows, dtype=bool), 2.0,
    )  # fmt: skip
    return pairs, chosen


def test_positions_recover_the_source_ids(table, matched):
    pairs, chosen = matched
    assert pairs["source_id"].type == pa.int64()
    assert chosen.row.tolist() == list(range(len(table)))
    found = pairs["source_id"].to_numpy()[chosen.pair]
    differs = set(table["obsid"][found != table["source_id"]])
    assert differs == TABLE_IS_WRONG
    assert (found > 2**53).all()


def test_separations_are_those_of_the_table(table, matched):
    pairs, chosen = matched
    found = pairs["separation_arcsec"].to_numpy()[chosen.pair]
    np.testing.assert_allclose(found, table["angDist"], atol=0.02)  # the table's is at J2000


def test_the_ids_of_this_release_are_those_of_edr3(table):
    assert (table["gaia_source_id"] == table["source_id"]).all()
