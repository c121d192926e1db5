from pathlib import Path

import numpy as np
import pytest
from pca_logistic import PcaLogistic, fit_pca_logistic, fit_quietly, quadratic


def test_ridge_is_half_the_squared_weights_beside_the_mean_loss() -> None:
    rng = np.random.default_rng(1)
    x_BI = rng.normal(size=(500, 5))
    label_B = (x_BI[:, 0] ** 2 + rng.normal(size=500) > 1).astype(int)
    ridge = 0.03
    model = quadratic(2, ridge, 500)
    fit_quietly(model, x_BI, label_B)
    features_BF = model[:-1].transform(x_BI)
    assert features_BF.shape == (500, 5 + 3)
    excess_B = 1 / (1 + np.exp(-model.decision_function(x_BI))) - label_B
    gradient_F = features_BF.T @ excess_B / 500 + ridge * model[-1].coef_[0]
    assert gradient_F == pytest.approx(0, abs=1e-4)


def test_it_finds_a_quadratic_boundary_and_survives_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    strength_B = rng.normal(size=600)
    flux_BL = 1 + 0.01 * rng.normal(size=(600, 150))
    flux_BL += 0.3 * strength_B[:, None] * np.sin(np.arange(150))
    label_B = (np.abs(strength_B) > 0.7).astype(int)
    fitted = fit_pca_logistic(flux_BL[:400], label_B[:400], flux_BL[400:], label_B[400:])
    assert fitted.validation_auc > 0.7  # a linear one has 0.5: 120 of 150 components are noise
    fitted.save(tmp_path / "sub" / "fitted.joblib")
    loaded = PcaLogistic.load(tmp_path / "sub" / "fitted.joblib")
    assert loaded.logit(flux_BL) == pytest.approx(fitted.logit(flux_BL), abs=1e-3)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["fitted.joblib"]
