"""Evidence for pairs beside a network: the file, the weights, and the path by the stages."""

import hashlib
import shutil
from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from pydantic import ValidationError

from pipeline.core.errors import InputError
from pipeline.core.published import NotReadyError
from pipeline.core.root import Root
from pipeline.network.card import CheckpointError, read_card
from pipeline.network.checkpoint import load_model
from pipeline.network.members import plan_ensemble
from pipeline.network.pair_fit import (
    GAIN_SCALE,
    PAIR_FIT,
    PairFit,
    read_pair_fit,
    weighed_terms,
    write_pair_fit,
)
from pipeline.network.pair_training import USUAL, weights
from pipeline.network.predictor import Predictor
from pipeline.pairfit.spectra import FEWEST
from pipeline.settings.infer import InferSettings
from pipeline.settings.load import load_settings
from pipeline.settings.training import TrainingSettings
from pipeline.spectra.stored import prepare, read_blocks
from pipeline.stages import run_stage
from pipeline.store.store import open_store
from schemas.catalogue import PREDICTIONS
from schemas.composites import COMPOSITE_POOL
from tests.pipeline.pairfit.test_evidence import spectra, toy

pytestmark = pytest.mark.xdist_group("pair_fit")


@pytest.fixture(scope="module")
def fit():
    return PairFit(*toy(1), np.array([0.5, 1.5, -0.25]))


def test_log_odds_are_weighed_with_the_gain(fit):
    flux = 1 + spectra(fit.model, fit.grid, 0.02, 5, 2)[0]
    logit = np.array([0.3, np.nan, -2, 1, 0], np.float32)
    gain = fit.evidence.gain(flux - 1)
    expected = 0.5 * logit + 1.5 * np.arcsinh(gain / GAIN_SCALE) - 0.25
    np.testing.assert_allclose(fit.combined(logit, flux), expected, rtol=1e-4)
    flux[1] = np.nan
    np.testing.assert_allclose(fit.combined(logit, flux), expected, rtol=1e-4)


def test_it_is_read_as_it_was_written_and_no_other(tmp_path, fit):
    digest = write_pair_fit(tmp_path, fit)
    again = read_pair_fit(tmp_path, digest)
    flux = 1 + spectra(fit.model, fit.grid, 0.02, 5, 2)[0]
    logit = np.zeros(5, np.float32)
    np.testing.assert_array_equal(again.combined(logit, flux), fit.combined(logit, flux))
    assert read_pair_fit(tmp_path, "") is None
    (tmp_path / PAIR_FIT).write_bytes(b"x")
    for wanted in ("0" * 64, hashlib.sha256(b"x").hexdigest()):
        with pytest.raises(InputError, match="copy the whole folder"):
            read_pair_fit(tmp_path, wanted)


def observed(n, slopes, seed=3):
    """Terms and classes of spectra whose log-odds are truly ``slopes`` times the terms."""
    rng = np.random.default_rng(seed)
    gain = GAIN_SCALE * np.sinh(rng.standard_normal(n))
    terms = weighed_terms(rng.standard_normal(n).astype(np.float32), gain)
    return terms, rng.random(n) < 1 / (1 + np.exp(-terms @ slopes))


def test_many_stars_tell_the_weights_and_few_leave_the_usual_ones():
    terms, pair = observed(40_000, np.array([1.5, 0.2, 0.0]))
    assert weights(terms, pair, 40_000) == pytest.approx([1.5, 0.2, 0.0], abs=0.08)
    few = weights(terms, pair, 4)
    assert np.abs(few[:2] - USUAL).max() < 0.12


def test_both_classes_weigh_the_same_and_no_weight_is_negative():
    terms, pair = observed(20_000, np.array([1.0, -1.0, -3.0]))
    found = weights(terms, pair, 20_000)
    assert found[1] == 0
    assert found[0] > 0.5
    # One in twenty is a pair; the constant is of as many pairs as single stars.
    assert (terms @ found)[pair].mean() == pytest.approx(-(terms @ found)[~pair].mean(), abs=0.3)


def test_simulated_training_has_no_stars_to_learn_from():
    with pytest.raises(ValidationError, match="not with source = simulated"):
        TrainingSettings(source="simulated", pair_fit="on")


@pytest.mark.parametrize(
    ("share", "wanted", "fits"),
    [(1, "auto", True), (0.9, "auto", False), (0, "on", True), (1, "off", False)],
)
def test_pairs_are_fitted_where_composites_are_all_there_is(share, wanted, fits):
    assert TrainingSettings(composite_share=share, pair_fit=wanted).fits_pairs == fits
    assert not TrainingSettings(composite_share=1, source="simulated").fits_pairs


# Real stars, from the files to p_b.

SETTINGS = (
    "ingest.shard_rows=512", "ingest.chunk_rows=128", "sample.teff_max_k=7200",
    "labels.training_fraction=0.5", "labels.validation_fraction=0.25",
    "composites.training_couples=60", "composites.validation_couples=60",
    "composites.test_couples=60", "composites.block_couples=60", "composites.snr_min=25",
    "network.preset=small",
    "network.stem_channels=4", "network.stem_stride=8", "network.channels=[8]",
    "network.blocks=[1]", "network.strides=[4]", "network.hidden=[8]",
    "training.max_epochs=1", "training.composite_share=1", "training.device=cpu",
    "training.threads=1", "infer.scope=all",
)  # fmt: skip
train = partial(run_stage, "train")


def settings_for(real_data, root, *more):
    return load_settings(
        None,
        [*SETTINGS, *more],
        root=root,
        inputs={
            "spectra": real_data / "spectra",
            "catalogue": real_data / "tables" / "dr10_stellar_subset.csv",
        },
    )


@pytest.fixture(scope="module")
def trained(real_data, client, tmp_path_factory):
    root = tmp_path_factory.mktemp("pair_fit")
    settings = settings_for(real_data, root)
    for stage in ("ingest", "composites"):
        run_stage(stage, settings, client)
    return settings, train(settings, client)


def test_the_card_names_it_and_says_what_it_brings(trained, client):
    settings, report = trained
    card = read_card(settings.root / "model")
    assert 0.6 < card.metrics["test_auc_with_fit"] < 0.95
    assert card.model_id == card.identity[:12] != card.sha256[:12]
    assert f"{card.metrics['validation_auc_with_fit']:.4f}" in report.notes[0]
    assert (settings.root / "model" / PAIR_FIT).is_file()
    assert train(settings, client) == report


def test_inference_weighs_it(trained, client):
    settings, _ = trained
    run_stage("infer", settings, client)
    rows = pq.read_table(Root(settings.root).table(PREDICTIONS)).to_pandas()
    rows = rows[rows["p_b"].notna()].iloc[::40].copy()
    model = settings.root / "model"
    card = read_card(model)
    seen = pq.read_table(settings.root / "tables" / "observations").to_pandas()
    rows["rv_kms"] = seen.set_index("row")["rv_kms"].reindex(rows["row"]).to_numpy()
    rows = rows.astype({"row": "int64"})
    fit = read_pair_fit(model, card.pair_fit_sha256)
    network, _ = load_model(model)
    for block in read_blocks(open_store(settings.root / "spectra.zarr"), rows, 128):
        flux = np.asarray(prepare(block, settings.spectra, None).flux_BL)
        with torch.inference_mode():
            alone = network(torch.from_numpy(flux)).numpy()
        expected = fit.combined(alone, flux)
        np.testing.assert_allclose(block.rows["logit"], expected, atol=2e-3)
        assert np.abs(expected - alone).max() > 0.1


def test_a_network_without_its_fit_is_another_one(trained, tmp_path):
    settings, _ = trained
    folder = tmp_path / "copy"
    shutil.copytree(settings.root / "model", folder)
    plan = plan_ensemble([folder])
    card = read_card(folder)
    Predictor(folder, plan.members[0].sha256, InferSettings())
    with pytest.raises(CheckpointError, match="is wanted"):
        Predictor(folder, card.sha256, InferSettings())
    (folder / PAIR_FIT).write_bytes(b"another")
    read_pair_fit.cache_clear()
    with pytest.raises(InputError, match="copy the whole folder"):
        Predictor(folder, None, InferSettings())


def test_inference_looks_for_it_before_anything_is_done(trained, client, tmp_path):
    settings, _ = trained
    shutil.copytree(settings.root / "model", tmp_path / "copy")
    (tmp_path / "copy" / PAIR_FIT).unlink()
    read_pair_fit.cache_clear()
    infer = settings.infer.model_copy(update={"models": (tmp_path / "copy",)})
    with pytest.raises(InputError, match="infer.models.*copy the whole folder"):
        run_stage("infer", settings.model_copy(update={"infer": infer}), client)


def test_a_pool_of_few_stars_says_so(trained, client, tmp_path):
    settings, _ = trained
    few = settings_for(
        settings.inputs.spectra.parent, tmp_path, "composites.pool_snr_min=150",
        "composites.training_couples=2", "composites.validation_couples=2",
        "composites.test_couples=2",
    )  # fmt: skip
    for stage in ("ingest", "composites"):
        run_stage(stage, few, client)
    pool = pq.read_table(tmp_path / COMPOSITE_POOL.location).to_pandas()
    assert pool[pool["split"] == "training"]["star"].nunique() < FEWEST
    report = train(few, client)
    assert any("fewer than 100 training stars" in note for note in report.notes)
    assert read_card(tmp_path / "model").pair_fit_sha256 == ""


def test_it_needs_composites_and_the_rest_frame(trained, client):
    settings, _ = trained
    changed = {
        "spectra": settings.spectra.model_copy(update={"frame": "observed"}),
        "training": settings.training.model_copy(update={"pair_fit": "on"}),
    }
    with pytest.raises(InputError, match=r"set spectra\.frame to 'rest'"):
        train(settings.model_copy(update=changed), client)
    (settings.root / "ledger" / "composites.json").unlink()
    with pytest.raises(NotReadyError, match="pairspec composites"):
        train(settings, client)
