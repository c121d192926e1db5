"""`pairspec evaluate` on tables whose figures of merit are known."""

import json
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit
from scipy.stats import norm

from pipeline.core.atomic import write_parquet
from pipeline.core.errors import MismatchError
from pipeline.core.published import NotReadyError, Published, publish
from pipeline.core.root import Root
from pipeline.evaluation.epochs import Combination
from pipeline.evaluation.labelled import LabelledPredictions
from pipeline.evaluation.stage import trained_fraction
from pipeline.network.card import ModelCard, read_card
from pipeline.network.checkpoint import load_model, save_model
from pipeline.network.domain import Domain
from pipeline.network.model import build_model
from pipeline.settings.load import load_settings
from pipeline.settings.network import NetworkSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.stages import run_stage
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS
from schemas.sample import LABELS

run = partial(run_stage, "evaluate")


SMALL = NetworkSettings(
    preset="small", stem_channels=4, channels=(4,), blocks=(1,), strides=(4,), hidden=(8,)
)
N_SINGLE, N_BINARY, APART = 9000, 3000, 2.0
TEMPERATURE = 1.7
"""The logits of the tables are too large by this factor."""


def table_of(schema, columns):
    n = len(columns["row"])
    arrays = [
        pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(n, f.type)
        for f in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


@pytest.fixture
def settings(tmp_path):
    """Two Gaussians, APART standard deviations from each other; two spectra per star."""
    rng = np.random.default_rng(5)
    binary = rng.permutation(np.repeat([False, True], [N_SINGLE, N_BINARY]))
    binary = np.repeat(binary[::2], 2)[: binary.size]
    x = rng.normal(size=binary.size) + APART * binary
    logit = TEMPERATURE * (APART * x - APART**2 / 2)
    row = np.arange(binary.size)
    split = np.array(["training", "validation", "test"])[(row // 2) % 3]
    label = np.where(binary, "binary", "single").astype(object)
    label[6:12] = "excluded"
    settings = load_settings(None, ["evaluate.n_bootstrap=100"], root=tmp_path / "run")
    root = Root(settings.root)
    model = build_model(SMALL, WaveGrid.from_settings(SpectraSettings()).n_pixel, 1).eval()
    card = ModelCard(
        network=SMALL, n_pixel=model.n_pixel, spectra=SpectraSettings(), data="none",
        split_seed=settings.labels.seed, training=TrainingSettings(),
    )  # fmt: skip
    save_model(root.model, model, card)
    columns = {
        "row": row, "obsid": row + 1, "source_id": (1 << 60) + row // 2, "label": label,
        "split": split, "p_b": expit(logit), "logit": logit,
        "model_id": [json.loads((root.model / "model.json").read_text())["model_id"]] * row.size,
    }  # fmt: skip
    write(root, columns)
    return settings, columns


def write(root, columns):
    write_parquet(root.part(LABELS, 0), table_of(LABELS.schema, columns))
    write_parquet(root.part(PREDICTIONS, 0), table_of(PREDICTIONS.schema, columns))
    publish(root.path, "labels", Published("a", {}))
    publish(root.path, "predictions", Published("b", {}))


def test_figures_of_two_gaussians(settings, client):
    settings, columns = settings
    report = run(settings, client)
    content = json.loads((settings.root / "reports" / "evaluation.json").read_text())
    expected = norm.cdf(APART / np.sqrt(2))
    assert content["auc_low"] < expected < content["auc_high"]
    assert content["auc"] == pytest.approx(expected, abs=0.01)
    # p_b > 0.5 where x > APART / 2, whatever the temperature.
    tpr, fpr = norm.cdf(APART / 2), norm.cdf(-APART / 2)
    precision = content["precision_at_0.5"]
    assert precision["low"] < tpr / (tpr + 2 * fpr) < precision["high"]
    assert content["temperature"] == pytest.approx(TEMPERATURE, rel=0.15)
    errors = content["calibration_error"]
    assert errors["temperature"] < 0.03 < errors["network"]
    assert errors["posterior"] < 0.03
    assert report.counts["excluded"] == 2
    test = columns["split"] == "test"
    assert report.counts["test spectra"] == test.sum() - 2
    assert content["auc_truth"] is None
    figures = {path.name for path in report.outputs} - {"evaluation.json"}
    assert figures == {f"{n}.{k}" for n in ("roc", "scores", "reliability") for k in ("png", "pdf")}
    assert "0.949" in "\n".join(report.lines())


def test_a_second_run_writes_nothing(settings, client):
    settings, _ = settings
    run(settings, client)
    stamps = {p: p.stat().st_mtime_ns for p in settings.root.rglob("*") if p.is_file()}
    run(settings, client)
    assert {p: p.stat().st_mtime_ns for p in settings.root.rglob("*") if p.is_file()} == stamps


def test_missing_and_foreign_predictions_are_refused(settings, client):
    settings, columns = settings
    root = Root(settings.root)
    foreign = columns | {"model_id": ["0123456789ab"] * len(columns["row"])}
    write_parquet(root.part(PREDICTIONS, 0), table_of(PREDICTIONS.schema, foreign))
    with pytest.raises(MismatchError, match="of model 0123456789ab"):
        run(settings, client)
    whole = table_of(PREDICTIONS.schema, columns)
    write_parquet(root.part(PREDICTIONS, 0), whole.slice(0, len(columns["row"]) - 30))
    with pytest.raises(MismatchError, match=r"20 of the .* no row in the predictions"):
        run(settings, client)


def test_another_split_is_refused(settings):
    settings, _ = settings
    other = load_settings(None, ["labels.seed=9"], root=settings.root)
    with pytest.raises(MismatchError, match="may have seen the test stars"):
        run(other, None)


def test_a_network_that_knows_test_stars_is_refused(settings, client):
    """The labels were split by other fractions, with the same seed, when it was trained."""
    settings, columns = settings
    root = Root(settings.root)
    model, card = load_model(root.model)
    star = columns["source_id"]
    training = columns["split"] == "training"
    save_model(root.model, model, card, Domain({}, np.unique(star[training])))
    run(settings, client)
    seen = training | np.isin(star, star[columns["split"] == "test"][:4])
    save_model(root.model, model, card, Domain({}, np.unique(star[seen])))
    other = load_settings(None, ["evaluate.n_bootstrap=101"], root=settings.root)
    with pytest.raises(MismatchError, match=r"trained on 1 of the 3998 labelled stars"):
        run(other, client)
    save_model(root.model, model, card, Domain({}, np.unique(star[training]), n_nameless=3))
    with pytest.raises(MismatchError, match="3 training stars of model .* have no Gaia source"):
        run(other, client)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [((0.2,), 0.2), ((0.2, 0.2), 0.2), ((0.2, 0.8), 0.5), ((None,), 0.5), ((1.0,), 0.5)],
)
def test_the_card_states_the_fraction_of_pairs_in_training(settings, stated, expected):
    card = read_card(Root(settings[0].root).model)
    cards = [card.model_copy(update={"binary_fraction": fraction}) for fraction in stated]
    assert trained_fraction(cards, empty()) == pytest.approx(expected, abs=1e-12)


def empty():
    """No labelled spectra: the card alone decides."""
    nothing = np.empty(0)
    texts = {name: nothing.astype(str) for name in ("label_B", "split_B", "model_B", "kind_B")}
    numbers = ("star_B", "p_b_B", "logit_B", "q_B", "teff_k_B", "snr_g_B")
    return LabelledPredictions(**texts, **dict.fromkeys(numbers, nothing))


def test_a_part_without_binaries_is_refused(settings, client):
    settings, columns = settings
    label = columns["label"].copy()
    label[(columns["split"] == "test") & (label == "binary")] = "single"
    write(Root(settings.root), columns | {"label": label})
    with pytest.raises(ValueError, match="test part holds 0 binaries"):
        run(settings, client)


def test_a_calibration_by_teff_takes_the_place_of_the_temperature(settings, client):
    settings, columns = settings
    root = Root(settings.root)
    teff = np.where(columns["row"] // 2 % 2, 5600.0, 4600.0)
    logit = np.where(teff > 5000, 4, 1) * columns["logit"]
    given = columns | {"logit": logit, "p_b": expit(logit), "teff_k": teff}
    write(root, given | {"snr_g": np.full(teff.size, 50.0)})
    few = load_settings(None, ["evaluate.n_bootstrap=20"], root=settings.root)
    run(few, client)
    plain = json.loads(root.evaluation.read_bytes())
    assert plain["combination"]["smooth"] is None
    by_teff = load_settings(
        None, ["evaluate.n_bootstrap=20", "evaluate.calibration=smooth"], root=settings.root
    )
    with pytest.raises(NotReadyError, match="run `pairspec ingest"):
        run(by_teff, client)
    observed = given | {"snr_g": np.full(teff.size, 50.0)}
    write_parquet(root.part(OBSERVATIONS, 0), table_of(OBSERVATIONS.schema, observed))
    publish(root.path, "observations", Published("c", {}))
    report = run(by_teff, client)
    content = json.loads(root.evaluation.read_bytes())
    assert content["auc"] == plain["auc"]
    error = content["calibration_error"]["temperature"]
    assert error < 0.03 < plain["calibration_error"]["temperature"]
    smooth = Combination.from_report(content["combination"]).smooth
    assert smooth.loss < smooth.loss_temperature
    where = np.array([4600.0, 5600.0]), np.full(2, 50.0)
    slope = smooth.calibrated(np.ones(2), *where) - smooth.calibrated(np.zeros(2), *where)
    assert slope[0] / slope[1] == pytest.approx(4, rel=0.15)
    assert "in place of the temperature" in "\n".join(report.lines())
