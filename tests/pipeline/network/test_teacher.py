from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import InputError, MismatchError
from pipeline.network.card import CheckpointError, ModelCard, read_card
from pipeline.network.checkpoint import load_model, save_model
from pipeline.network.domain import Domain
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.parts import Parts
from pipeline.network.scoring import evaluate
from pipeline.network.teacher import Teacher, find_teacher, taught
from pipeline.network.trainer import train
from pipeline.settings.spectra import SpectraSettings
from tests.pipeline.network.test_trainer import NETWORK, SETTINGS, TRAINING, VALIDATION

STARS = np.array([5, 7], np.int64)


@pytest.fixture(name="teacher", scope="module")
def trained_teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    model = build_model(NETWORK, 96, SETTINGS.seed)
    model = train(model, SETTINGS, TRAINING, VALIDATION, folder / "state").model
    card = ModelCard(network=NETWORK, n_pixel=96, spectra=SpectraSettings(), data="", split_seed=0)
    save_model(folder, model, card, Domain({}, STARS, 2))
    return Teacher(folder, read_card(folder).sha256)


def parts(training=TRAINING, unseen=()):
    domain = Domain({"snr_g": (20.0, 200.0)}, np.array([3, 7], np.int64), 1)
    weight_B = np.ones(len(training))
    unseen_S = np.array(unseen, np.int64)
    return Parts(
        training, weight_B, VALIDATION, VALIDATION, "toy", domain, unseen_S, len(VALIDATION)
    )


def test_the_target_is_between_label_and_teacher(teacher):
    found = taught(parts(), teacher, SETTINGS.model_copy(update={"teacher_weight": 0.25}))
    flux_BL, before_B = TRAINING.fetch(slice(0, 50))
    p_b_B = load_model(teacher.path)[0](flux_BL.float()).sigmoid().detach().numpy()
    _, target_B = found.training.fetch(slice(0, 50))
    expected_B = 0.75 * TRAINING.label_B[:50] + 0.25 * p_b_B
    np.testing.assert_allclose(target_B, expected_B, atol=1e-5)
    np.testing.assert_array_equal(before_B, TRAINING.label_B[:50])
    assert found.validation is VALIDATION
    assert found.training.digest() == TRAINING.digest()


def test_stars_of_the_teacher_count_as_training_stars(teacher):
    domain = taught(parts(), teacher, SETTINGS).domain
    np.testing.assert_array_equal(domain.star_S, [3, 5, 7])
    assert (domain.n_nameless, domain.ranges) == (3, parts().domain.ranges)


def test_a_pupil_learns_from_the_teacher_alone(teacher, tmp_path):
    """With a weight of 1 the labels, here the wrong ones, have no effect."""
    wrong = replace(TRAINING, label_B=1 - TRAINING.label_B)
    settings = SETTINGS.model_copy(update={"teacher_weight": 1.0, "oversample": False})
    training = taught(parts(wrong), teacher, settings).training
    pupil = train(build_model(NETWORK, 96, 9), settings, training, VALIDATION, tmp_path / "taught")
    misled = train(build_model(NETWORK, 96, 9), settings, wrong, VALIDATION, tmp_path / "misled")
    assert evaluate(pupil.model, VALIDATION)[1] > 0.9
    assert misled.history[-1]["validation_auc"] < 0.5


def test_a_teacher_that_knows_the_test_stars_is_refused(teacher):
    with pytest.raises(MismatchError, match=r"learned from 1 stars of the validation"):
        taught(parts(unseen=[1, 5]), teacher, SETTINGS)


def test_another_network_in_its_place_is_refused(teacher):
    with pytest.raises(CheckpointError, match="is wanted"):
        taught(parts(), teacher._replace(sha256="0" * 64), SETTINGS)


def test_only_a_network_for_the_same_spectra_teaches(teacher, tmp_path):
    assert find_teacher(teacher.path, SpectraSettings(), "lamost") == teacher
    with pytest.raises(InputError, match=r"sigma_angstrom = 350.0 instead of 50.0"):
        find_teacher(teacher.path, SpectraSettings(sigma_angstrom=50.0), "lamost")
    with pytest.raises(InputError, match=r"inputs.format = 'lamost' instead of 'desi'"):
        find_teacher(teacher.path, SpectraSettings(), "desi")
    with pytest.raises(CheckpointError, match="no model"):
        find_teacher(tmp_path, SpectraSettings(), "lamost")


def test_targets_reach_the_loss_only(teacher):
    both = Labelled(TRAINING.flux_BL, TRAINING.label_B, np.full(len(TRAINING), 0.5, np.float32))
    model = build_model(NETWORK, 96, 1)
    assert evaluate(model, both) == evaluate(model, TRAINING)


def test_a_teacher_stands_beside_probable_labels(teacher):
    half_B = np.full(len(TRAINING), 0.5, np.float32)
    probable = replace(TRAINING, target_B=half_B)
    settings = SETTINGS.model_copy(update={"teacher_weight": 0.25})
    alone = taught(parts(), teacher, SETTINGS.model_copy(update={"teacher_weight": 1.0}))
    mixed = taught(parts(probable), teacher, settings).training.target_B
    np.testing.assert_allclose(mixed, 0.375 + 0.25 * alone.training.target_B, atol=1e-6)
    assert (half_B == 0.5).all()
