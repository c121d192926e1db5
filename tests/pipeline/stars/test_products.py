import os
import subprocess
import sys

import numpy as np
import pytest

from pipeline.stars.products import interpolate_knots, product

DIGEST = """
import hashlib
from pipeline.simulate.examples import labelled_spectra
from pipeline.settings.simulate import SimulateSettings
made = labelled_spectra(256, 1, SimulateSettings())
print(hashlib.sha256(made.flux_BN.tobytes() + made.ivar_BN.tobytes()).hexdigest())
"""


@pytest.mark.parametrize("shape", [(1, 20, 16202), (33, 30, 1000), (70, 90, 3909), (5, 300, 7)])
def test_product_is_the_matrix_product(shape):
    rng = np.random.default_rng(0)
    left = rng.normal(size=shape[:2]).astype(np.float32)
    right = rng.normal(size=shape[1:]).astype(np.float32)
    expected = left.astype(np.float64) @ right.astype(np.float64)
    np.testing.assert_allclose(product(left, right), expected, atol=1e-5 * shape[1])


def test_knots_are_interpolated_linearly():
    knots = np.random.default_rng(1).normal(size=(3, 12))
    expected = [np.interp(np.linspace(0, 11, 3909), np.arange(12), row) for row in knots]
    np.testing.assert_allclose(interpolate_knots(knots, 3909), expected, atol=1e-6)


def test_the_number_of_threads_does_not_matter():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(outputs) == 1
