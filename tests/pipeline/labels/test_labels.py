import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.labels.labels import label_stars, sampler_weights
from pipeline.settings.labels import LabelSettings

SETTINGS = LabelSettings()


def label_of(*delta):
    values = np.array(delta, np.float32)
    return label_stars(values, np.zeros(values.size, bool), SETTINGS).tolist()


@pytest.mark.parametrize("limit", [-0.5, -0.25, 0.25])
def test_a_star_at_a_limit_is_excluded_and_its_neighbours_are_not(limit):
    exact = np.float32(limit)
    brighter, fainter = (np.nextafter(exact, np.float32(x)) for x in (-9, 9))
    sides = {-0.5: ("excluded", "binary"), -0.25: ("binary", "single"),
             0.25: ("single", "excluded")}[limit]  # fmt: skip
    assert label_of(brighter, exact, fainter) == [sides[0], "excluded", sides[1]]


@settings(max_examples=200)
@given(st.floats(width=32))
def test_every_distance_has_one_label(delta):
    expected = "excluded"
    if -0.25 < delta < 0.25:
        expected = "single"
    elif -0.5 < delta < -0.25:
        expected = "binary"
    assert label_of(delta) == [expected]


def test_excluded_stars_have_no_other_label():
    delta = np.array([0.0, -0.3], np.float32)
    assert label_stars(delta, np.array([True, True]), SETTINGS).tolist() == ["excluded"] * 2


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_weights_make_binaries_as_frequent_as_wanted_in_training_alone(share):
    rng = np.random.default_rng(2)
    label = rng.choice(["single", "binary", "excluded"], 5000, p=[0.85, 0.05, 0.1])
    part = rng.choice(["training", "validation", "test"], 5000, p=[0.8, 0.1, 0.1])
    weight = sampler_weights(label, part, share)
    assert not weight[part != "training"].any()
    assert not weight[label == "excluded"].any()
    training = part == "training"
    assert set(weight[training & (label == "single")]) == {1.0}
    assert weight[label == "binary"].sum() / weight.sum() == pytest.approx(share, rel=1e-5)


def test_weights_without_a_class_are_finite():
    part = np.array(["training"] * 2)
    assert sampler_weights(np.array(["binary"] * 2), part, 0.5).tolist() == [1, 1]
    assert sampler_weights(np.array(["single"] * 2), part, 0.5).tolist() == [1, 1]


def test_bands_in_another_order_are_refused():
    with pytest.raises(ValidationError, match="binary_min_mag < single_min_mag"):
        LabelSettings(binary_min_mag=-0.1)
