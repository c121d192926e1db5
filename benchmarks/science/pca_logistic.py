"""Quadratic logistic regression on principal components: the simpler alternative to a network."""

import os
import warnings
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from pipeline.network.metrics import auc

N_COMPONENT = 120
N_QUADRATIC = (20, 30, 60)
"""Leading components whose squares and products are features, tried one after the other."""

RIDGE = (1e-2, 1e-3, 3e-4, 1e-4, 3e-5)
"""Half of this times the squared weights is added to the mean loss, tried from strong to weak."""

ROWS = 1024


@dataclass(frozen=True)
class PcaLogistic:
    """A fitted classifier.

    Parameters
    ----------
    model : Pipeline
        From normalised spectra to log-odds.
    n_component, n_quadratic : int
        Principal components, and how many of them have products.
    ridge : float
        Chosen by the validation spectra, as `n_quadratic` is.
    validation_auc : float
        AUC on the validation spectra.
    """

    model: Pipeline
    n_component: int
    n_quadratic: int
    ridge: float
    validation_auc: float

    def logit(self, flux_BL: np.ndarray) -> np.ndarray:
        """Log-odds of two stars, shape (B,), from normalised spectra."""
        blocks = (flux_BL[i : i + ROWS] for i in range(0, len(flux_BL), ROWS))
        return np.concatenate([self.model.decision_function(as_float32(x)) for x in blocks])

    def save(self, path: Path) -> None:
        """Write it to a file; `load` reads it, with the same version of scikit-learn."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        joblib.dump(self, partial)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> "PcaLogistic":
        """Read what `save` wrote."""
        found: PcaLogistic = joblib.load(path)
        return found


def as_float32(flux_BL: np.ndarray) -> np.ndarray:
    """Spectra as scikit-learn takes them: it would make float64 of float16."""
    return np.asarray(flux_BL, np.float32)


def components(n: int) -> PCA:
    """Return the leading principal components, each over the standard deviation along it."""
    return PCA(n, whiten=True, svd_solver="randomized", random_state=0)


def quadratic(n_quadratic: int, ridge: float, n_rows: int) -> Pipeline:
    """Logistic regression on components and on squares and products of the leading ones.

    Parameters
    ----------
    n_quadratic : int
        Leading components with products.
    ridge : float
        Half of this times the squared weights is added to the mean loss.
    n_rows : int
        Spectra to be fitted; scikit-learn weighs the ridge against their summed loss.
    """
    products = PolynomialFeatures(2, include_bias=False)
    return Pipeline(
        [
            ("products", ColumnTransformer([("lead", products, slice(0, n_quadratic))],
                                           remainder="passthrough")),
            ("scale", StandardScaler()),
            ("regression", LogisticRegression(C=1 / (ridge * n_rows), tol=1e-5, max_iter=200,
                                              warm_start=True)),
        ]
    )  # fmt: skip


def fit_quietly(model: Pipeline, x_BI: np.ndarray, label_B: np.ndarray) -> None:
    """Fit; a search that ends after its last iteration counts too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x_BI, label_B)


def fit_pca_logistic(
    flux_BL: np.ndarray, label_B: np.ndarray, asked_BL: np.ndarray, asked_B: np.ndarray
) -> PcaLogistic:
    """Fit to spectra; choose number of products and ridge by the AUC on the validation spectra.

    Parameters
    ----------
    flux_BL : ndarray of float, (B, L)
        Normalised spectra.
    label_B : ndarray of int, (B,)
        Their classes.
    asked_BL : ndarray of float, (B, L)
        Validation spectra.
    asked_B : ndarray of int, (B,)
        Their classes.
    """
    axes = components(N_COMPONENT)
    seen_BI = axes.fit_transform(as_float32(flux_BL))
    held_BI = axes.transform(as_float32(asked_BL))
    best: PcaLogistic | None = None
    for n_quadratic in N_QUADRATIC:
        model = quadratic(n_quadratic, RIDGE[0], len(label_B))
        for ridge in RIDGE:
            # Each ridge starts from the weights of the one before.
            model.set_params(regression__C=1 / (ridge * len(label_B)))
            fit_quietly(model, seen_BI, label_B)
            reached = auc(model.decision_function(held_BI), asked_B)
            print(
                f"  {n_quadratic} quadratic, ridge {ridge}: validation AUC {reached:.4f}",
                flush=True,
            )
            if best is None or reached > best.validation_auc:
                whole = Pipeline([("components", axes), *deepcopy(model).steps])
                best = PcaLogistic(whole, N_COMPONENT, n_quadratic, ridge, reached)
    if best is None:
        raise ValueError("nothing to choose from: N_QUADRATIC and RIDGE must not be empty")
    return best
