"""The stage on a small survey: several blocks of spectra, several pieces of the photometry."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.core.root import Root
from schemas.catalogue import SPECTRA, STARS
from schemas.photometry import PHOTOMETRY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("finished")]

OF_GAIA = ["ref_epoch_yr", "pm_ra_masyr", "pm_dec_masyr"]


def read(root, table):
    return pq.read_table(root.table(table), partitioning=None).to_pandas()


def test_every_block_of_spectra_has_what_gaia_knows_of_its_stars(finished):
    root = Root(finished.root)
    spectra, measured = read(root, SPECTRA), read(root, PHOTOMETRY).set_index("row")
    assert len(list(root.table(SPECTRA).glob("*.parquet"))) > 1
    assert len(spectra) > 100
    expected = measured.loc[spectra["row"]].reset_index()
    for name in OF_GAIA:
        np.testing.assert_array_equal(spectra[name], expected[name])
    matched = expected["source_id"].notna().to_numpy()
    assert spectra.loc[matched, OF_GAIA].notna().all(axis=None)


def test_stars_stand_where_gaia_has_them(finished):
    root = Root(finished.root)
    stars, measured = read(root, STARS), read(root, PHOTOMETRY)
    gaia = measured.dropna(subset="source_id").drop_duplicates("source_id").set_index("source_id")
    matched = stars.dropna(subset="source_id")
    assert len(matched) > 50
    expected = gaia.loc[matched["source_id"]]
    np.testing.assert_array_equal(matched["ra_deg"], expected["gaia_ra_deg"])
    np.testing.assert_array_equal(matched["dec_deg"], expected["gaia_dec_deg"])
    np.testing.assert_array_equal(matched["pm_ra_masyr"], expected["pm_ra_masyr"])
