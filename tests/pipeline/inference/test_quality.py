"""Bits that say how far a spectrum is like those that a network was trained on."""

from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from pipeline.core.errors import InputError
from pipeline.inference.quality import NAMED, count_bits, domain_bits, shown_bits
from pipeline.network.card import read_card
from pipeline.network.checkpoint import save_model
from pipeline.network.domain import PARAMETERS, STARS, find_domain, read_stars, write_stars
from pipeline.network.loader import Labelled
from pipeline.network.members import plan_ensemble
from pipeline.network.novelty import NOVELTY, fit_novelty
from pipeline.settings.sample import SampleSettings
from pipeline.spectra.prepare import network_input
from pipeline.stages import run_stage
from schemas.catalogue import PREDICTIONS
from schemas.quality import QualityFlag as Q

infer = partial(run_stage, "infer")
ingest = partial(run_stage, "ingest")

RANGES = {
    "teff_k": (4400.0, 6000.0),
    "logg": (4.1, 4.9),
    "feh": (-1.0, 0.5),
    "snr_g": (20.0, 150.0),
}
LARGE = 2**62 + 1


def rows(**columns):
    whole = {
        "teff_k": 5000.0, "logg": 4.5, "feh": 0.0, "snr_g": 50.0, "obj_class": "STAR",
        "source_id": None,
    } | columns  # fmt: skip
    n = max(len(v) for v in columns.values())
    frame = {
        name: pd.array(value if isinstance(value, list) else [value] * n, dtype=kind)
        for (name, value), kind in zip(
            whole.items(),
            [pd.ArrowDtype(pa.float32())] * 4
            + [pd.ArrowDtype(pa.string()), pd.ArrowDtype(pa.int64())],
            strict=True,
        )
    }
    return pd.DataFrame(frame)


def bits(frame, ranges=RANGES, stars=()):
    star_S = np.array(stars, np.int64)
    sample = SampleSettings()
    missing = {name: sample.stand_ins(name) for name in PARAMETERS}
    found = domain_bits(frame, ranges, star_S, 3.5, missing)
    return [Q(int(b)) for b in found]


def test_each_parameter_has_its_bit_on_both_sides():
    none = Q(0)
    assert bits(rows(teff_k=[4399.0, 4400.0, 6000.0, 7500.0])) == [
        Q.OUTSIDE_TEFF, none, none, Q.OUTSIDE_TEFF,
    ]  # fmt: skip
    assert bits(rows(logg=[2.0, 4.0, 5.0])) == [
        Q.OUTSIDE_LOGG | Q.GIANT, Q.OUTSIDE_LOGG, Q.OUTSIDE_LOGG,
    ]  # fmt: skip
    assert bits(rows(feh=[-2.0, 0.6])) == [Q.OUTSIDE_FEH] * 2
    assert bits(rows(snr_g=[8.0, 400.0])) == [Q.OUTSIDE_SNR] * 2


@pytest.mark.parametrize("missing", [None, float("nan"), -9999.0])
def test_a_missing_parameter_is_outside_no_range(missing):
    for name in ("teff_k", "logg", "feh"):
        assert bits(rows(**{name: [missing]})) == [Q.NO_PARAMETERS]
    assert bits(rows(snr_g=[missing])) == [Q(0)]


def test_classes_and_stars_of_the_training():
    assert bits(rows(obj_class=["STAR", "GALAXY", "QSO", "Unknown", None])) == [
        Q(0), Q.NOT_A_STAR, Q.NOT_A_STAR, Q.NOT_A_STAR, Q(0),
    ]  # fmt: skip
    found = bits(rows(source_id=[LARGE, LARGE - 1, None]), stars=[7, LARGE])
    assert found == [Q.IN_TRAINING, Q(0), Q(0)]


def test_an_unknown_range_is_said_and_counted():
    found = bits(rows(teff_k=[9000.0]), ranges={})
    assert found == [Q.UNKNOWN_RANGE]
    counts = count_bits(pa.chunked_array([[int(b) for b in found]], pa.int32()))
    assert shown_bits(counts) == {"training range unknown": 1}
    assert set(counts) == set(NAMED.values())


def test_the_domain_is_that_of_all_sources_of_spectra():
    one = {"teff_k": np.linspace(4000, 5000, 1001), "star": np.arange(1001) + LARGE}
    two = {
        "teff_k": np.array([5500.0, np.nan]), "star": np.array([3, -9]),
        "star2": np.array([LARGE, -8]),
    }  # fmt: skip
    domain = find_domain([one, two], real=True)
    assert domain.ranges["teff_k"] == pytest.approx((4005, 4997), abs=1.1)
    assert set(domain.ranges) == {"teff_k"}
    assert domain.n_nameless == 2
    np.testing.assert_array_equal(domain.star_S, [3, *range(LARGE, LARGE + 1001)])
    assert find_domain([one], real=False).star_S.size == 0


def test_a_list_of_training_stars_that_is_lost_is_refused(tmp_path):
    digest = write_stars(tmp_path, np.array([5, LARGE]))
    np.testing.assert_array_equal(read_stars(tmp_path, digest), [5, LARGE])
    write_stars(tmp_path, np.array([5]))
    with pytest.raises(InputError, match="copy the whole folder"):
        read_stars(tmp_path, digest.replace(digest[0], "x"))
    (tmp_path / STARS).unlink()
    with pytest.raises(InputError, match="copy the whole folder"):
        read_stars(tmp_path, "0" * 64)


def test_an_ensemble_knows_what_all_of_its_members_know(tmp_path, save_untrained):
    from pipeline.network.domain import Domain

    folders = []
    for seed, (low, stars) in enumerate([(4000.0, [1, 5]), (4500.0, [5, LARGE])]):
        folders.append(tmp_path / str(seed))
        model = save_untrained(folders[-1], seed=seed + 1)
        card = read_card(folders[-1])
        domain = Domain({"teff_k": (low, low + 1000)}, np.array(stars), 2)
        save_model(folders[-1], model, card, domain)
    plan = plan_ensemble(folders)
    assert plan.ranges == {"teff_k": (4500.0, 5000.0)}
    assert plan.training_stars().tolist() == [1, 5, LARGE]
    assert plan.n_nameless == 4
    save_untrained(tmp_path / "other", seed=9)
    assert plan_ensemble([*folders, tmp_path / "other"]).ranges == {}


def test_a_spectrum_unlike_the_training_has_its_bit(settings, client, survey, save_untrained):
    """The files of the survey are noisy continua; the network's card says that it knows these."""
    model = settings.root / "model"
    network = save_untrained(model)
    card = read_card(model)
    rng, shape = np.random.default_rng(3), (600, 3909)
    wave = 10 ** (3.5682 + 1e-4 * np.arange(shape[1]))
    flux = 100 * np.exp(-0.5 * ((wave - 6000) / 3000) ** 2) * rng.normal(1, 0.02, shape)
    ivar = np.where(rng.random(shape) < 20 / shape[1], 0, 0.25).astype(np.float32)
    ready = network_input(
        flux.astype(np.float32), ivar, np.full(600, 3.5682), np.full(600, shape[1], np.int32),
        rng.normal(0, 50, 600), card.spectra,
    )  # fmt: skip
    first, last = (Labelled(flux, np.zeros(300, np.int8)) for flux in np.split(ready.flux_BL, 2))
    save_model(model, network, card, novelty=fit_novelty(first, last))
    with fits.open(survey / "plan1" / "spec-012.fits.gz", mode="update") as hdus:
        data = hdus[1].data
        data["FLUX"][0] *= 1 + 0.8 * np.exp(-0.5 * ((data["WAVELENGTH"][0] - 6563) / 4) ** 2)
    ingest(settings, client)
    aside = (model / NOVELTY).rename(settings.root / "aside")
    with pytest.raises(InputError, match="copy the whole folder"):
        infer(settings, client)
    aside.rename(model / NOVELTY)
    report = infer(settings, client)
    found = pq.read_table(settings.root / PREDICTIONS.location).to_pylist()
    assert [row["obsid"] for row in found if row["quality"] & Q.UNLIKE_TRAINING] == [112]
    assert report.counts["unlike the training spectra"] == 1


def test_every_stage_says_what_it_knows(finished):
    """The small survey of the tests has no catalogue: no spectrum has parameters."""
    settings, _ = finished
    for row in pq.read_table(settings.root / PREDICTIONS.location).to_pylist():
        assert row["quality"] & Q.NO_PARAMETERS
        assert row["quality"] & Q.UNKNOWN_RANGE
        assert not row["quality"] & Q.UNLIKE_TRAINING  # the network's card does not say
        assert not row["quality"] & Q.NOT_A_STAR
