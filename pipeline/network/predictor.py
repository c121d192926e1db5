"""Applies a trained network to many spectra, as fast as the machine allows."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.network.checkpoint import load_model
from pipeline.network.device import choose_device, choose_dtype, mode_name
from pipeline.network.model import folded
from pipeline.network.pair_fit import read_pair_fit
from pipeline.network.rounding import in_bfloat16
from pipeline.settings.infer import InferSettings

Float32 = NDArray[np.float32]


class Predictor:
    """A network ready for inference: read once, used for every shard.

    In float32 p_b differs from that of the network as it was trained by less than 1e-5, and the
    result of a spectrum depends on the spectra beside it by less than 1e-5 (a matrix product of
    another size may add in another order); the same call gives the same bytes. In bfloat16 only
    as many blocks compute as the network's card allows: p_b differs from float32 by less than
    0.02, on average by less than 0.002.

    Parameters
    ----------
    model_path : pathlib.Path
        Folder of the model, as `load_model` takes it.
    sha256 : str, optional
        Its card's ``identity``, where a certain network is wanted; None: any.
    settings : InferSettings
        Batch size, precision, device and threads.

    Attributes
    ----------
    card : ModelCard
        Description of the model.
    device, dtype, mode : torch.device, torch.dtype, str
        Where and in which arithmetic it really computes; ``mode`` says it in words.

    Raises
    ------
    CheckpointError
        The model is missing, damaged or another one.
    InputError
        Its fit of pairs is missing or another one.
    ValueError
        A GPU is asked for and there is none.
    """

    def __init__(self, model_path: Path, sha256: str | None, settings: InferSettings) -> None:
        model, self.card = load_model(model_path, sha256)
        if settings.threads:
            torch.set_num_threads(settings.threads)
        self._pair_fit = read_pair_fit(model_path, self.card.pair_fit_sha256)
        self.settings = settings
        self.device = choose_device(settings.device)
        dtype = choose_dtype(settings.precision, self.device)
        n_blocks = self.card.bfloat16_blocks if dtype == torch.bfloat16 else 0
        self.dtype = dtype if n_blocks else torch.float32
        self.mode = mode_name(self.device, self.dtype, fuse=settings.fuse)
        model = folded(model) if settings.fuse else model
        self._model = in_bfloat16(model.to(self.device), n_blocks)

    def predict(self, flux_BL: Float32 | torch.Tensor) -> tuple[Float32, Float32]:
        """Classify spectra.

        Parameters
        ----------
        flux_BL : ndarray or Tensor of float32, (B, L)
            Normalised flux (continuum = 1) on the common grid; a tensor is best on this device
            already.

        Returns
        -------
        logit_B, p_b_B : ndarray of float32, (B,)
            Log-odds and probability that a spectrum is of two stars; NaN where a pixel is not
            finite.

        Raises
        ------
        ValueError
            The spectra have another number of pixels than the network was trained on.
        """
        if flux_BL.ndim != 2 or flux_BL.shape[1] != self.card.n_pixel:
            raise ValueError(
                f"spectra of shape {tuple(flux_BL.shape)} do not fit model {self.card.model_id}, "
                f"which takes (B, {self.card.n_pixel}): prepare them with the settings on its card"
            )
        logit_B = torch.empty(len(flux_BL), dtype=torch.float32, device=self.device)
        with torch.inference_mode():
            for start in range(0, len(flux_BL), self.settings.batch_size):
                rows = slice(start, start + self.settings.batch_size)
                batch_BL = flux_BL[rows]
                if isinstance(batch_BL, np.ndarray):
                    batch_BL = torch.from_numpy(np.array(batch_BL, dtype=np.float32))
                logit_B[rows] = self._forward(batch_BL.to(self.device))
            if self._pair_fit is not None:
                host_BL = np.asarray(flux_BL if isinstance(flux_BL, np.ndarray) else flux_BL.cpu())
                both_B = self._pair_fit.combined(logit_B.cpu().numpy(), host_BL)
                logit_B = torch.from_numpy(both_B)
            return logit_B.cpu().numpy(), torch.sigmoid(logit_B).cpu().numpy()

    def _forward(self, flux_BL: torch.Tensor) -> torch.Tensor:
        logit_B: torch.Tensor
        if self.device.type == "cuda":
            # TF32, which cuDNN takes by itself, would cost more than the 1e-5 promised.
            with torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
                logit_B = self._model(flux_BL)
        else:
            logit_B = self._model(flux_BL)
        # A ReLU may swallow a NaN on some devices; a spectrum with one must not get a p_b.
        # The largest value is NaN where one is, and is found in a tenth of the time of asking each.
        return torch.where(flux_BL.abs().amax(dim=1).isfinite(), logit_B, torch.nan)
