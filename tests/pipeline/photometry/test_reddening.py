import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from pipeline.core.errors import InputError
from pipeline.photometry.reddening import e_bv_from_map, open_dust_map
from tests.dust import write_sfd


@pytest.fixture
def sfd_folder(tmp_path):
    return write_sfd(tmp_path)


def test_the_map_is_read_at_the_place_of_each_star(sfd_folder):
    dust = open_dust_map("sfd", sfd_folder)
    galactic = SkyCoord([10, 120, 250, 300] * u.deg, [60, 35, -40, -70] * u.deg, frame="galactic")
    ra, dec = galactic.icrs.ra.deg, galactic.icrs.dec.deg
    found = e_bv_from_map(dust, np.append(ra, np.nan), np.append(dec, np.nan))
    np.testing.assert_allclose(found[:4], 0.1 + galactic.b.deg / 1000, atol=1e-3)
    assert np.isnan(found[4])


def test_a_missing_map_says_how_to_get_it(tmp_path):
    with pytest.raises(InputError, match="no SFD map that can be read in .*dust_folder"):
        open_dust_map("sfd", tmp_path)
    with pytest.raises(InputError, match="there is sfd"):
        open_dust_map("bayestar", None)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dustmaps.sfd", None)
    with pytest.raises(InputError, match=r"pairspec\[dust\]"):
        open_dust_map("sfd", None)


def test_what_is_not_on_the_sky_has_no_reddening(sfd_folder):
    dust = open_dust_map("sfd", sfd_folder)
    ra, dec = np.array([10.0, 10.0, np.nan, 10.0]), np.array([20.0, 91.0, 20.0, -np.inf])
    assert np.isfinite(e_bv_from_map(dust, ra, dec)).tolist() == [True, False, False, False]
