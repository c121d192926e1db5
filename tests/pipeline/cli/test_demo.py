"""Settings of the demo."""

from pipeline.cli.demo import FEW_STARS, SHORT, SMALL, demo_settings
from pipeline.settings.load import load_settings


def test_a_small_demo_has_further_settings_and_all_of_them_exist():
    assert demo_settings(FEW_STARS) == SHORT
    assert demo_settings(FEW_STARS - 1) == SHORT + SMALL
    few = load_settings(None, demo_settings(300))
    assert (few.composites.training_couples, few.training.composite_share) == (0, 0.0)
    many = load_settings(None, demo_settings(12_000))
    assert (many.composites.training_couples, many.training.composite_share) == (6000, 0.65)
