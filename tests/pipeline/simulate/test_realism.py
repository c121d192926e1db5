"""What the simulated files look like beside the real ones."""

import numpy as np
import pandas as pd
import pytest

from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.examples import labelled_spectra


@pytest.fixture(scope="module")
def simulated():
    return labelled_spectra(2048, 11, SimulateSettings())


@pytest.fixture
def real(real_data):
    return pd.read_csv(real_data / "inventory.csv")


def test_lengths_are_as_frequent_as_in_real_files(simulated, real):
    lengths = np.union1d(simulated.n_pixel_B, real["n_pixel"])
    ours = np.array([(simulated.n_pixel_B == n).mean() for n in lengths])
    theirs = np.array([(real["n_pixel"] == n).mean() for n in lengths])
    assert 0.5 * np.abs(ours - theirs).sum() < 0.06


def test_bad_pixels_are_as_many_as_in_real_files(simulated, real):
    inside = np.arange(simulated.ivar_BN.shape[1]) < simulated.n_pixel_B[:, None]
    ours = ((simulated.ivar_BN == 0) & inside).sum(axis=1) / simulated.n_pixel_B
    theirs = real["n_ivar_zero"] / real["n_pixel"]
    assert abs((ours == 0).mean() - (theirs == 0).mean()) < 0.03
    for share in (0.5, 0.75, 0.9, 0.97):
        assert np.quantile(ours, share) == pytest.approx(np.quantile(theirs, share), rel=0.3)


def test_snr_covers_that_of_real_files(simulated, real):
    snr = real.loc[real["snrg"] > 20, "snrg"]
    inside = snr.between(simulated.snr_g.min(), simulated.snr_g.max()).mean()
    assert inside > 0.9
