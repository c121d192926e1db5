import numpy as np
import pytest

from pipeline.composites.pool import Pool
from pipeline.composites.sums import Stored
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.examples import labelled_spectra
from pipeline.stars.dwarf_mass import dwarf_mass


@pytest.fixture(scope="session")
def pool_and_spectra():
    """Simulated single stars, seen well, with their true masses and M_G."""
    raw = labelled_spectra(400, 5, SimulateSettings(), snr_range=(60.0, 150.0), binary_fraction=0.0)
    mass, m_g = dwarf_mass(raw.teff1_k, raw.mh, 9.0)
    rows, number = np.flatnonzero(np.isfinite(mass)), np.arange(len(raw))
    columns = (raw.teff1_k, raw.logg, raw.mh, raw.rv_kms_B, mass, m_g)
    pool = Pool(number * 0, number, 1000 + number, *columns)
    grid = (raw.log10_first_B, raw.n_pixel_B.astype(np.int32))
    stored = Stored(raw.flux_BN, raw.ivar_BN, *grid, raw.rv_kms_B)
    return pool.take(rows), stored.take(rows)
