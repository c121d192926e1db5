"""Which pixels of a spectrum a network looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.network.checkpoint import load_model
from pipeline.network.members import Member

STEPS, BATCH = 64, 16
WINDOW = 15
"""Pixels whose attributions are added up around each: about a line's width."""


@dataclass(frozen=True)
class Attribution:
    """The logit of a spectrum, pixel by pixel.

    Parameters
    ----------
    pixel_L : ndarray of float64, (L,)
        What each pixel adds to the logit; 0 where the flux is the continuum.
    continuum_logit : float
        Logit of a spectrum without lines.
    logit : float
        Logit of the spectrum: the continuum's plus the sum over the pixels.
    """

    pixel_L: NDArray[np.float64]
    continuum_logit: float
    logit: float

    @property
    def window_L(self) -> NDArray[np.float64]:
        """What the :data:`WINDOW` pixels around each one add to the logit: (L,)."""
        return np.convolve(self.pixel_L, np.ones(WINDOW), "same")

    def __str__(self) -> str:
        return (
            f"logit of the network {self.logit:+.2f} = {self.continuum_logit:+.2f} "
            f"of a bare continuum {self.pixel_L.sum():+.2f} of the pixels"
        )


def attribute(members: Sequence[Member], flux_L: NDArray[np.float32]) -> Attribution:
    """Share the logit of a spectrum out over its pixels, by integrated gradients.

    a_l = (x_l - 1) int_0^1 dz/dx_l (1 + t (x - 1)) dt (Sundararajan et al. 2017, arXiv
    1703.01365), from the bare continuum, flux 1 everywhere, to the spectrum x; the integral by the
    midpoints of 64 steps.

    Parameters
    ----------
    members : sequence of Member
        One network, or those of an ensemble, over which the mean is taken.
    flux_L : ndarray of float32, (L,)
        Normalised flux as the networks read it.

    Raises
    ------
    CheckpointError
        A network is missing, damaged or another one.
    """
    parts = [_of_one(member.path, member.sha256, flux_L) for member in members]
    pixel_AL = np.stack([part.pixel_L for part in parts])
    return Attribution(
        pixel_AL.mean(axis=0),
        float(np.mean([part.continuum_logit for part in parts])),
        float(np.mean([part.logit for part in parts])),
    )


def _of_one(path: Path, sha256: str, flux_L: NDArray[np.float32]) -> Attribution:
    model, _ = load_model(path, sha256)
    model.requires_grad_(requires_grad=False)
    lines_L = torch.from_numpy(np.array(flux_L, np.float32)) - 1
    gradient_L = torch.zeros_like(lines_L, dtype=torch.float64)
    for t_B in torch.split((torch.arange(STEPS) + 0.5) / STEPS, BATCH):
        flux_BL = (1 + t_B[:, None] * lines_L).requires_grad_()
        (found_BL,) = torch.autograd.grad(model(flux_BL).sum(), flux_BL)
        gradient_L += found_BL.sum(dim=0, dtype=torch.float64)
    with torch.inference_mode():
        ends = model(torch.stack([torch.ones_like(lines_L), 1 + lines_L]))
    pixel_L = (gradient_L / STEPS * lines_L).numpy()
    return Attribution(pixel_L, float(ends[0]), float(ends[1]))
