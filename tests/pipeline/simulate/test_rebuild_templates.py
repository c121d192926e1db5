import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "rebuild_templates.py"


@pytest.fixture(scope="module")
def rebuild():
    spec = importlib.util.spec_from_file_location("rebuild_templates", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_pickle_can_only_hold_arrays(rebuild, tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "touched",))

    with pytest.raises(pickle.UnpicklingError, match="only arrays"):
        rebuild.cannon(pickle.dumps({"theta": Evil()}))
    assert not (tmp_path / "touched").exists()


def test_air_becomes_vacuum(rebuild):
    """Na D2, H-alpha and Ca II from the NIST tables."""
    air = np.array([5889.951, 6562.79, 8542.09])
    np.testing.assert_allclose(rebuild.air_to_vacuum(air), [5891.583, 6564.60, 8544.44], atol=0.02)


def test_terms_become_exponents(rebuild):
    terms = [[(0, 1)], [(1, 1), (0, 1)], [(2, 3.0)]]
    expected = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 3]]
    np.testing.assert_array_equal(rebuild.exponents_of(terms, 3), expected)
