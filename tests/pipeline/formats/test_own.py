"""What a table of one's own may hold beside good values."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.formats.own import read_own
from pipeline.settings.ingest import IngestSettings

WAVE = 10 ** (3.5681 + 1e-4 * np.arange(3900))
KMS = 299_792.458


def read(path, unit=1.0, **values):
    flux = np.full(WAVE.size, 2.0) * unit
    ivar = np.full(WAVE.size, 400.0) / unit**2
    columns = {"obsid": [5], "flux": [flux], "ivar": [ivar], "wave": [WAVE]}
    pq.write_table(pa.table(columns | {name: [value] for name, value in values.items()}), path)
    (spectrum,) = read_own(path, [0], IngestSettings())
    return spectrum


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf"), -9999.0, -999.0])
def test_a_missing_value_is_none_however_it_is_written(tmp_path, missing):
    found = read(tmp_path / "a.parquet", rv_kms=missing, z=1e-4, snr_g=missing).header
    assert found.z == pytest.approx(1e-4)
    assert found.snr_g == pytest.approx(40.0)
    assert read(tmp_path / "b.parquet", rv_kms=missing).header.z is None


def test_a_velocity_counts_before_a_redshift(tmp_path):
    found = read(tmp_path / "a.parquet", rv_kms=-30.0, z=1e-4).header
    assert found.z == pytest.approx(-30 / KMS)


@pytest.mark.parametrize("unit", [1e-20, 1e-17, 1e18])
def test_the_unit_of_the_flux_does_not_matter(tmp_path, unit):
    plain, other = read(tmp_path / "a.parquet"), read(tmp_path / "b.parquet", unit)
    assert np.isfinite(other.ivar).all() and (other.ivar > 0).all()
    np.testing.assert_allclose(
        other.flux * np.sqrt(other.ivar), plain.flux * np.sqrt(plain.ivar), rtol=1e-5
    )
    assert other.header.snr_g == pytest.approx(40.0)
