"""Which spectra are unlike those of the training."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.lamost.reader import read_spectrum
from pipeline.network.card import read_card
from pipeline.network.checkpoint import save_model
from pipeline.network.loader import Labelled
from pipeline.network.members import plan_ensemble
from pipeline.network.novelty import (
    FEWEST,
    NOVELTY,
    QUANTILE,
    fit_novelty,
    read_novelty,
    write_novelty,
)
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.prepare import network_input

N_PIXEL = 800


def stars(n, seed, snr=(25, 100)):
    """Spectra of three lines whose depths follow one another, as those of dwarfs do."""
    rng = np.random.default_rng(seed)
    pixel = np.arange(N_PIXEL)
    depth = rng.uniform(0.2, 0.6, n)
    lines = [(200, depth), (400, 0.8 - depth), (600, depth**2)]
    flux = 1 - sum(
        d[:, None] * np.exp(-0.5 * ((pixel - at) / 8) ** 2) for at, d in lines
    )  # fmt: skip
    noise = 1 / rng.uniform(*snr, (n, 1))
    return (flux + noise * rng.normal(size=flux.shape)).astype(np.float32)


def labelled(flux):
    return Labelled(flux, np.zeros(len(flux), np.int8))


@pytest.fixture(scope="module")
def novelty():
    return fit_novelty(labelled(stars(600, 1).astype(np.float16)), labelled(stars(400, 2)))


def test_the_threshold_is_that_quantile_of_the_validation_spectra(novelty):
    assert novelty.unlike(stars(400, 2)).sum() == round(400 * (1 - QUANTILE))
    assert novelty.unlike(stars(2000, 3)).mean() < 0.02


def test_what_is_no_dwarf_is_unlike_whatever_its_noise(novelty):
    rng = np.random.default_rng(4)
    flat = 1 + 0.03 * rng.normal(size=(50, N_PIXEL)).astype(np.float32)
    emission = stars(50, 5)
    emission[:, 295:306] += 1.0
    shallow = 1 - 0.4 * (1 - stars(50, 6))
    for kind in (flat, emission, shallow):
        assert novelty.unlike(kind).mean() > 0.9


def test_tensors_give_the_same(novelty):
    flux = stars(20, 7)
    np.testing.assert_allclose(
        novelty.score(torch.from_numpy(flux)), novelty.score(flux), rtol=1e-4
    )
    flux[3, 17] = np.nan
    assert np.isnan(novelty.score(flux)[3]) and not novelty.unlike(flux)[3]


def test_very_few_training_spectra_say_nothing():
    assert fit_novelty(labelled(stars(FEWEST - 1, 8)), labelled(stars(10, 9))) is None
    assert fit_novelty(labelled(stars(FEWEST, 8)), labelled(stars(10, 9))) is not None


def test_it_is_read_as_it_was_written_and_no_other(tmp_path, novelty):
    digest = write_novelty(tmp_path, novelty)
    again = read_novelty(tmp_path, digest)
    np.testing.assert_array_equal(again.score(stars(9, 1)), novelty.score(stars(9, 1)))
    assert read_novelty(tmp_path, "") is None
    (tmp_path / NOVELTY).write_bytes(b"x")
    for wanted in ("0" * 64, hashlib.sha256(b"x").hexdigest()):
        with pytest.raises(InputError, match="copy the whole folder"):
            read_novelty(tmp_path, wanted)
    (tmp_path / NOVELTY).unlink()
    with pytest.raises(InputError, match="copy the whole folder"):
        read_novelty(tmp_path, "1" * 64)


def test_a_spectrum_is_unlike_if_it_is_so_for_any_member(tmp_path, model, card):
    flux = stars(300, 1)
    known = {"model": model, "card": card}
    plain = save_model(tmp_path / "old", **known)
    assert not plan_ensemble([plain]).unlike_training(flux).any()
    assert read_card(plain).novelty_sha256 == ""
    with torch.no_grad():
        model.stem.conv.weight += 0.1  # another network
    narrow = fit_novelty(labelled(flux[:100]), labelled(flux[:5]))
    told = save_model(tmp_path / "new", **known, novelty=narrow)
    np.testing.assert_array_equal(
        plan_ensemble([plain, told]).unlike_training(flux), narrow.unlike(flux)
    )


def test_real_stars_of_other_kinds_are_unlike_real_sunlike_ones(real_data):
    files = pd.read_csv(real_data / "inventory.csv", low_memory=False)
    kind = files["subclass"].fillna("").astype(str)
    good = (files["obj_class"] == "STAR") & (files["snrg"] > 25)
    sunlike = _prepared(real_data, files[good & kind.str.match("[FG][2-9]")].head(420))
    others = _prepared(real_data, files[kind.str.match("d?g?M|K7|Carbon|DB")])
    assert len(sunlike) > 350 and len(others) > 25
    training, validation, test = np.split(np.random.default_rng(1).permutation(sunlike), [200, 300])
    novelty = fit_novelty(labelled(training), labelled(validation))
    assert novelty.unlike(others).mean() > 0.8
    assert novelty.unlike(test).mean() < 0.15


def _prepared(real_data, files):
    flux = []
    for path, z in zip(files["path"], files["z"], strict=True):
        spectrum = read_spectrum(real_data / path)
        ready = network_input(
            spectrum.flux[None], spectrum.ivar[None], np.log10(spectrum.wave[:1].astype(float)),
            np.array([spectrum.flux.size]), np.array([299_792.458 * z]), SpectraSettings(),
        )  # fmt: skip
        flux.append(ready.flux_BL[np.asarray(ready.usable_B)])
    return np.concatenate(flux)
