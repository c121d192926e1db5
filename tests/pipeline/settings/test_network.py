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
        {"channels": (8, 16)},
        {"strides": (2, 2, 2, 0)},
        {"kernel": 4},
        {"stem_kernel": 8},
        {"channels": (), "blocks": (), "strides": ()},
        {"chanels": (8,)},
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValidationError):
        NetworkSettings(**wrong)
