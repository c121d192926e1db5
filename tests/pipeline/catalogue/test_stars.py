"""One row of each star, from spectra written by hand."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from pipeline.catalogue.job import CatalogueJob
from pipeline.catalogue.stars import gather_stars
from pipeline.core.root import Root
from pipeline.evaluation.epochs import Combination
from pipeline.evaluation.smooth import SmoothCalibration
from pipeline.settings.catalogue import CatalogueSettings
from schemas.catalogue import SPECTRA, STARS
from schemas.quality import PhotometryFlag, QualityFlag

LARGE = 2**62 + 1


def spectra(rows):
    """Rows of the catalogue of spectra, null where nothing is given."""
    arrays = [pa.array([row.get(f.name) for row in rows], f.type) for f in SPECTRA.schema]
    return pa.Table.from_arrays(arrays, schema=SPECTRA.schema)


@pytest.fixture
def job(tmp_path):
    combination = Combination(2.0, 0.5, 1 / 3, 30, 0.5, True)  # noqa: FBT003 (a field)
    return CatalogueJob(
        Root(tmp_path), CatalogueSettings(), 1, 8, trust_ids=False, has_photometry=True,
        has_sample=True, has_labels=False, log_age=9.5, combination=combination,
    )  # fmt: skip


A = {"_healpix_29": 7, "star_id": f"Gaia {LARGE}", "source_id": LARGE, "star_ra_deg": 10.5,
     "star_dec_deg": -20.25, "model_id": "m"}  # fmt: skip
B = A | {"_healpix_29": 9, "star_id": "J1", "source_id": None, "star_ra_deg": 11.0}
ROWS = [
    B | {"row": 1, "obsid": 11, "snr_g": 9.0, "quality": int(QualityFlag.NO_PARAMETERS),
         "rv_kms": 5.0, "in_sample": False, "obj_class": "Unknown"},
    A | {"row": 2, "obsid": 12, "snr_g": 50.0, "p_b": 0.2, "logit": -1.4, "quality": 0,
         "teff_k": 5000.0, "logg": 4.5, "feh": 0.1, "rv_kms": 10.0, "rv_err_kms": 1.0,
         "in_sample": True, "g_mag": 12.5, "flags": 0, "obj_class": "STAR"},
    A | {"row": 0, "obsid": 10, "snr_g": 20.0, "p_b": 0.9, "logit": 2.2,
         "quality": int(QualityFlag.OUTSIDE_SNR), "teff_k": 5100.0, "logg": 4.4, "feh": 0.0,
         "rv_kms": 40.0, "rv_err_kms": 2.0, "in_sample": False,
         "flags": int(PhotometryFlag.NO_GAIA)},
    A | {"row": 3, "obsid": 13, "snr_g": 99.0, "quality": int(QualityFlag.TOO_MANY_BAD_PIXELS),
         "flags": int(PhotometryFlag.BLENDED), "g_mag": 12.6},
]  # fmt: skip


def test_a_star_of_several_spectra_by_hand(job):
    star, other = gather_stars(spectra(ROWS), job).to_pylist()
    assert list(star) == STARS.names
    assert star["source_id"] == LARGE
    assert star["designation"] == "J004200.00-201500.0"
    assert (star["n_spectra"], star["n_spectra_all"], star["n_rv"]) == (2, 3, 2)
    assert star["p_b"] == pytest.approx(0.9) and star["obsid_max"] == 10 and star["row_max"] == 0
    assert star["p_b_best"] == pytest.approx(0.2) and star["obsid_best"] == 12
    assert star["snr_g_best"] == 50.0 and star["obj_class"] == "STAR"
    assert star["p_b_mean"] == pytest.approx(0.55)
    assert star["p_b_spread"] == pytest.approx(np.std([0.2, 0.9], ddof=1))
    evidence = (2.2 - 1.4) / 2 / np.sqrt(2)
    assert star["p_b_combined"] == pytest.approx(expit(evidence + np.log(0.5)))
    assert star["teff_k"] == 5000.0 and star["feh"] == pytest.approx(0.1)
    assert star["rv_kms"] == pytest.approx((10 + 40 / 4) / 1.25)
    assert star["rv_err_kms"] == pytest.approx(1.25**-0.5)
    assert star["delta_rv_max_kms"] == 30.0
    assert star["g_mag"] == 12.5  # of the first spectrum that has a source
    assert star["in_sample"]
    assert star["quality"] == QualityFlag.OUTSIDE_SNR | QualityFlag.TOO_MANY_BAD_PIXELS
    assert star["flags"] == PhotometryFlag.NO_GAIA | PhotometryFlag.BLENDED
    assert other["star_id"] == "J1" and other["source_id"] is None


def test_a_smooth_calibration_takes_each_spectrum_at_its_own_teff_and_snr(job):
    smooth = SmoothCalibration(
        (-0.5, 0.4, 0.1), (0.2, 0.0, 0.3), (4000, 6000), (10, 100), (5000, 50), 3, 0.4, 0.5
    )
    combination = replace(job.combination, temperature=1.0, smooth=smooth)
    star, _ = gather_stars(spectra(ROWS), replace(job, combination=combination)).to_pylist()
    values = np.array([[-1.4, 5000.0, 50.0], [2.2, 5100.0, 20.0]]).T
    evidence = smooth.calibrated(*values).sum() / np.sqrt(2)
    assert star["p_b_combined"] == pytest.approx(expit(evidence + np.log(0.5)))
    assert star["p_b_mean"] == pytest.approx(0.55)


def test_what_is_not_known_is_null(job):
    *_, star = gather_stars(spectra(ROWS), job).to_pylist()
    unknown = (
        "p_b p_b_best p_b_mean p_b_spread p_b_combined obsid_max delta_rv_max_kms rv_err_kms "
        "teff_k g_mag flags label"
    )
    assert {name: star[name] for name in unknown.split()} == dict.fromkeys(unknown.split())
    assert star["rv_kms"] == 5.0  # without errors the plain mean
    assert star["obsid_best"] == 11 and star["n_spectra"] == 0
    assert star["quality"] == QualityFlag.NO_PARAMETERS
    assert star["in_sample"] is False


def test_the_order_of_the_rows_does_not_matter(job):
    expected = gather_stars(spectra(ROWS), job)
    for shift in range(1, 4):
        assert gather_stars(spectra(ROWS[shift:] + ROWS[:shift]), job).equals(expected)
    assert gather_stars(spectra([]), job).num_rows == 0


def test_two_stars_at_one_place_stay_two(job):
    twin = [row | {"_healpix_29": 7} for row in ROWS]
    found = gather_stars(spectra(twin), job)
    assert found["star_id"].to_pylist() == [f"Gaia {LARGE}", "J1"]
    assert found["n_spectra_all"].to_pylist() == [3, 1]


def test_stars_without_a_position(job):
    row = ROWS[0] | {"_healpix_29": None, "star_ra_deg": None, "star_dec_deg": None}
    (star,) = gather_stars(spectra([row]), job).to_pylist()
    assert star["ra_deg"] is star["designation"] is star["_healpix_29"] is None
