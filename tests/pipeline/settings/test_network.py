import subprocess
import sys

import pytest
from pydantic import ValidationError

from pipeline.settings.network import NetworkSettings


def test_settings_do_not_import_torch():
    code = "import sys, pipeline.settings.network; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": (8, 16, 32)},
        {"strides": (2, 0)},
        {"kernel": 4},
        {"stem_kernel": 8},
        {"channels": (), "blocks": (), "strides": ()},
        {"chanels": (8,)},
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValidationError):
        NetworkSettings(**wrong)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"preset": "small"},
        {"preset": "small", "channels": [4, 4], "blocks": [1, 1], "strides": [4, 4]},
        {"preset": "fast", "stem_kernel": 15, "hidden": [8]},
        {"channels": [8, 8], "dropout": 0.1},
    ],
)
def test_what_was_changed_gives_the_same_network(given):
    """Also where a value beside a preset is the one of another preset."""
    settings = NetworkSettings(**given)
    assert settings.changed() == given
    assert NetworkSettings(**settings.changed()) == settings


def test_a_preset_gives_what_is_not_set():
    fast = NetworkSettings(preset="fast", channels=(48,))
    assert (fast.stem_stride, fast.channels, fast.strides) == (16, (48,), (4,))
    assert NetworkSettings() == NetworkSettings(preset="light")
    assert NetworkSettings().channels == (32, 64)
