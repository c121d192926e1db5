from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.photometry.pairs import ROW, SEPARATION, SHARD
from pipeline.photometry.resolve import choose_sources
from pipeline.settings.photometry import PhotometrySettings

FIRST = 2**60 + 1
OBSERVED = pa.table({"row": [4, 5], "obsid": [40, 50], "gaia_source_id": [FIRST, None]})
JOB = SimpleNamespace(
    names={"source_id": "Source", "phot_g_mean_mag": "Gmag", "ra": "RA_ICRS"},
    settings=PhotometrySettings(),
    declared=False,
)


def pairs(row, source, separation, mag):
    return pa.table(
        {
            "Source": source,
            "Gmag": mag,
            "RA_ICRS": np.full(len(row), 1.0),
            ROW: pa.array(row, pa.int64()),
            SHARD: pa.array(np.zeros(len(row)), pa.int32()),
            SEPARATION: separation,
        }
    )


def test_a_source_of_two_files_is_one_source_and_no_blend():
    twice = pairs([4, 4, 5, 5], [FIRST] * 4, [0.4, 0.5, 1.0, 1.0], [14.0, 14.0001, 14.0, 14.0])
    table, repeated = choose_sources(twice, OBSERVED, JOB)
    assert table["source_id"].to_pylist() == [FIRST, FIRST]
    assert table["n_candidates"].to_pylist() == [1, 1]
    assert table["blended"].to_pylist() == [False, False]
    assert table["separation_arcsec"].to_pylist() == [0.4, 1.0]
    assert table["obsid"].to_pylist() == [40, 50]
    assert repeated == 2


def test_another_source_still_blends():
    two = pairs([4, 4, 4], [FIRST, FIRST + 1, FIRST], [0.4, 0.5, 0.4], [14.0, 15.0, 14.0])
    table, repeated = choose_sources(two, OBSERVED, JOB)
    assert table["n_candidates"].to_pylist() == [2]
    assert table["blended"].to_pylist() == [True]
    assert repeated == 1


def test_ids_as_text_keep_every_digit_and_a_source_without_id_is_no_candidate():
    text = pa.array([str(FIRST), None, str(FIRST + 2)])
    table, _ = choose_sources(pairs([4, 4, 5], text, [1.0, 0.1, 1.0], [14.0] * 3), OBSERVED, JOB)
    assert table["source_id"].to_pylist() == [FIRST, FIRST + 2]
    assert table["n_candidates"].to_pylist() == [1, 1]


@pytest.mark.parametrize(
    "ids", [pa.array([float(FIRST)]), pa.array(["1.15e18"]), pa.array([FIRST], pa.decimal128(20))]
)
def test_ids_that_have_lost_digits_are_refused(ids):
    with pytest.raises(InputError, match=r"Source .*2\^53"):
        choose_sources(pairs([4], ids, [1.0], [14.0]), OBSERVED, JOB)
