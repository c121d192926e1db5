"""Quadratic logistic regression on principal components: the simpler alternative to a network."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.special import expit

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
    mean_L : ndarray of float32, (L,)
        Mean spectrum.
    basis_LI : ndarray of float32, (L, I)
        The principal components over the standard deviation along each.
    n_quadratic, ridge : int, float
        Chosen by the validation spectra.
    mean_F, scale_F, weight_F : ndarray of float64, (F,)
        Mean and standard deviation of the features, and their weights.
    bias, validation_auc : float
        Constant of the log-odds; AUC on the validation spectra.
    """

    mean_L: np.ndarray
    basis_LI: np.ndarray
    n_quadratic: int
    ridge: float
    mean_F: np.ndarray
    scale_F: np.ndarray
    weight_F: np.ndarray
    bias: float
    validation_auc: float

    def logit(self, flux_BL: np.ndarray) -> np.ndarray:
        """Log-odds of two stars, shape (B,), from normalised spectra."""
        # w (x - m) / s as one product, plus a constant.
        scaled_F = self.weight_F / self.scale_F
        constant = self.bias - float(self.mean_F @ scaled_F)
        parts = [
            features((flux_BL[i : i + ROWS] - self.mean_L) @ self.basis_LI, self.n_quadratic)
            @ scaled_F
            for i in range(0, len(flux_BL), ROWS)
        ]
        return np.concatenate(parts) + constant

    def save(self, path: Path) -> None:
        """Write it to a file; `load` reads it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path.with_suffix(".partial.npz"), **asdict(self))
        path.with_suffix(".partial.npz").replace(path)

    @classmethod
    def load(cls, path: Path) -> "PcaLogistic":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            values = {name: arrays[name] for name in arrays.files}
        return cls(**{name: v if v.ndim else v.item() for name, v in values.items()})


def features(component_BI: np.ndarray, n_quadratic: int) -> np.ndarray:
    """Components, and all squares and products of the leading ones."""
    lead_Bi = component_BI[:, :n_quadratic]
    products = [lead_Bi[:, i : i + 1] * lead_Bi[:, i:] for i in range(n_quadratic)]
    return np.concatenate([component_BI, *products], axis=1)


def principal_components(flux_BL: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean spectrum and the n leading components, each over the standard deviation along it."""
    mean_L = flux_BL.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance_LL = np.zeros((flux_BL.shape[1],) * 2)
    for i in range(0, len(flux_BL), ROWS):
        centred = flux_BL[i : i + ROWS].astype(np.float32) - mean_L
        covariance_LL += centred.T @ centred
    covariance_LL /= len(flux_BL)
    last = len(mean_L) - 1
    variance_I, vector_LI = eigh(
        covariance_LL, subset_by_index=(last - n + 1, last), overwrite_a=True
    )
    order = np.argsort(-variance_I)
    return mean_L, (vector_LI / np.sqrt(variance_I))[:, order].astype(np.float32)


def fit_pca_logistic(
    flux_BL: np.ndarray, label_B: np.ndarray, asked_BL: np.ndarray, asked_B: np.ndarray
) -> PcaLogistic:
    """Fit to spectra; choose number of products and ridge by the AUC on the validation spectra.

    Parameters
    ----------
    flux_BL : ndarray of float32, (B, L)
        Normalised spectra.
    label_B : ndarray of int, (B,)
        Their classes.
    asked_BL : ndarray of float32, (B, L)
        Validation spectra.
    asked_B : ndarray of int, (B,)
        Their classes.
    """
    mean_L, basis_LI = principal_components(flux_BL, N_COMPONENT)

    def components(x_BL: np.ndarray) -> np.ndarray:
        rows = range(0, len(x_BL), ROWS)
        return np.concatenate(
            [(x_BL[i : i + ROWS].astype(np.float32) - mean_L) @ basis_LI for i in rows]
        )

    seen_BI, held_BI = components(flux_BL), components(asked_BL)
    best: PcaLogistic | None = None
    for n_quadratic in N_QUADRATIC:
        seen_BF = features(seen_BI, n_quadratic)
        held_BF = features(held_BI, n_quadratic)
        mean_F, scale_F = seen_BF.mean(axis=0), seen_BF.std(axis=0)
        seen_BF = (seen_BF - mean_F) / scale_F
        held_BF = (held_BF - mean_F) / scale_F
        weight = np.zeros(seen_BF.shape[1] + 1)
        for ridge in RIDGE:
            weight = _regression(seen_BF, label_B, ridge, weight)
            score_B = held_BF @ weight[1:].astype(np.float32)
            reached = auc(score_B, asked_B)
            print(
                f"  {n_quadratic} quadratic, ridge {ridge}: validation AUC {reached:.4f}",
                flush=True,
            )
            if best is None or reached > best.validation_auc:
                best = PcaLogistic(
                    mean_L, basis_LI, n_quadratic, ridge, mean_F, scale_F,
                    weight[1:].astype(np.float32), float(weight[0]), reached,
                )  # fmt: skip
    if best is None:
        raise ValueError("nothing to choose from: N_QUADRATIC and RIDGE must not be empty")
    return best


def _regression(
    x_BF: np.ndarray, label_B: np.ndarray, ridge: float, start: np.ndarray
) -> np.ndarray:
    """Bias and weights of a logistic regression, by L-BFGS."""

    def loss(weight: np.ndarray) -> tuple[float, np.ndarray]:
        logit_B = x_BF @ weight[1:].astype(np.float32) + weight[0]
        residual_B = (expit(logit_B) - label_B) / len(label_B)
        value = np.mean(np.logaddexp(0, logit_B) - label_B * logit_B)
        slope_F = residual_B.astype(np.float32) @ x_BF
        gradient = np.concatenate([[residual_B.sum()], slope_F + ridge * weight[1:]])
        return float(value + ridge / 2 * (weight[1:] ** 2).sum()), gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(found.x)
