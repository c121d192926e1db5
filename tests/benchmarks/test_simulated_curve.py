from pathlib import Path

import numpy as np
from simulated_curve import TEFF_MIN_K, settings_for, simulated_stars


def test_a_larger_pool_has_the_stars_of_a_smaller_one(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    small, large = (simulated_stars(n, 1, settings) for n in (30, 200))
    other = simulated_stars(30, 2, settings)
    assert len(small.pool) == 30 and len(large.pool) == len(large.stored.flux_BN) == 200
    np.testing.assert_array_equal(small.pool.star, large.pool.star[:30])
    np.testing.assert_array_equal(small.stored.flux_BN, large.stored.flux_BN[:30])
    assert np.unique(large.pool.star).size == 200
    assert not np.isin(other.pool.star, large.pool.star).any()
    assert (large.pool.teff_k > TEFF_MIN_K).all() and np.isfinite(large.pool.mass_msun).all()
