from pathlib import Path

import numpy as np
import pytest
from real_files import couple_light, write_files
from real_folds import Stars

from pipeline.composites.exposure import exposure
from pipeline.composites.pairing import draw_couples
from pipeline.composites.pool import Pool
from pipeline.composites.sums import Stored
from pipeline.lamost.reader import read_spectrum
from pipeline.settings.load import load_settings
from pipeline.simulate.examples import labelled_spectra
from pipeline.spectra.grid import WaveGrid
from pipeline.spectra.prepare import network_input
from pipeline.stars.dwarf_mass import dwarf_mass


def test_a_sum_from_its_file_is_the_sum_in_memory(real_data: Path, tmp_path: Path) -> None:
    """To the last digits of float32, so p_b by the command line is that of a benchmark."""
    settings = load_settings(None, [], root=tmp_path)
    raw = labelled_spectra(80, 5, settings.simulate, snr_range=(60.0, 150.0), binary_fraction=0.0)
    mass, m_g = dwarf_mass(raw.teff1_k, raw.mh, 9.0)
    row = np.arange(len(raw))
    pool = Pool(row * 0, row, row, raw.teff1_k, raw.logg, raw.mh, raw.rv_kms_B, mass, m_g)
    n_pixel = raw.n_pixel_B.astype(np.int32)
    stored = Stored(raw.flux_BN, raw.ivar_BN, raw.log10_first_B, n_pixel, raw.rv_kms_B)
    stars = Stars(pool, stored).take(np.isfinite(mass))
    rng = np.random.default_rng(1)
    couples = draw_couples(
        rng, 12, stars.pool.mass_msun, stars.pool.feh, stars.pool.star, settings.composites
    )
    light, label, used = couple_light(rng, stars, couples, settings)
    assert len(used) > 3 and label.tolist() == [0, 1] * len(used)
    like = next((real_data / "spectra" / "DR5").glob("*.fits.gz"))
    write_files(light, tmp_path / "sums", like, settings)
    wanted = exposure(light, None, None, settings.spectra)
    read = [read_spectrum(path) for path in (tmp_path / "sums").glob("*.fits")]
    assert {one.header.obsid for one in read} == set(range(1, len(label) + 1))
    first = WaveGrid.from_settings(settings.spectra).log10_first
    for one in read:
        stored_as = np.log10(float(one.wave[0]))
        assert stored_as == pytest.approx(first, abs=1e-7)
        ready = network_input(
            one.flux[None], one.ivar[None], np.array([stored_as]), np.array([one.flux.size]),
            np.zeros(1), settings.spectra,
        )  # fmt: skip
        k = one.header.obsid - 1
        np.testing.assert_allclose(ready.flux_BL[0], wanted.flux_BL[k], atol=2e-5)
