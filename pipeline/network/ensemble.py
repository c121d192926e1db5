"""Several networks whose log-odds are averaged; one network is an ensemble of one."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from pipeline.network.members import Member
from pipeline.network.predictor import Float32, Predictor
from pipeline.settings.infer import InferSettings


class Answer(NamedTuple):
    """Predictions of an ensemble for a batch of spectra.

    Parameters
    ----------
    logit_B : ndarray of float32, (B,)
        Mean of the members' log-odds.
    p_b_B : ndarray of float32, (B,)
        Its sigmoid.
    spread_B : ndarray of float32, (B,)
        Sample standard deviation (n - 1) of the log-odds over the members; NaN for one member.
    """

    logit_B: Float32
    p_b_B: Float32
    spread_B: Float32


class Ensemble:
    """Networks ready for inference; each is read once per process.

    Parameters
    ----------
    members : sequence of Member
        Which networks.
    settings : InferSettings
        How they are applied.

    Raises
    ------
    CheckpointError
        A network is missing, damaged or not the one that is wanted.
    """

    def __init__(self, members: Sequence[Member], settings: InferSettings) -> None:
        self._predictors = [Predictor(m.path, m.sha256, settings) for m in members]

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._predictors[0].device

    @property
    def mode(self) -> str:
        """How it really computes; several names where the members differ."""
        return ", ".join(sorted({predictor.mode for predictor in self._predictors}))

    def predict(self, flux_BL: Float32 | torch.Tensor) -> Answer:
        """Classify spectra.

        Parameters
        ----------
        flux_BL : ndarray or Tensor of float32, (B, L)
            Normalised flux (continuum = 1) on the common grid.

        Returns
        -------
        Answer
            NaN for a spectrum with a pixel that is not finite.

        Raises
        ------
        ValueError
            The spectra have another number of pixels than the networks were trained on.
        """
        answers = [predictor.predict(flux_BL) for predictor in self._predictors]
        if len(answers) == 1:
            logit_B, p_b_B = answers[0]
            return Answer(logit_B, p_b_B, np.full_like(logit_B, np.nan))
        logit_AB = np.stack([logit_B for logit_B, _ in answers]).astype(np.float64)
        mean_B = logit_AB.mean(axis=0).astype(np.float32)
        spread_B = logit_AB.std(axis=0, ddof=1).astype(np.float32)
        return Answer(mean_B, torch.sigmoid(torch.from_numpy(mean_B)).numpy(), spread_B)


_lock = threading.Lock()
_loaded: tuple[tuple[tuple[str, ...], InferSettings], Ensemble] | None = None


def get_ensemble(members: tuple[Member, ...], settings: InferSettings) -> Ensemble:
    """Return this process's ensemble, which is read on the first call only.

    A process keeps one: asking for another replaces it. Safe in threads. The digests, not the
    paths, decide whether the one in memory is the right one.

    Parameters
    ----------
    members : tuple of Member
        Which networks.
    settings : InferSettings
        How they are applied.

    Returns
    -------
    Ensemble
        Ready for inference.

    Raises
    ------
    CheckpointError
        A network is missing, damaged or not the one that is wanted.
    """
    global _loaded
    key = (tuple(member.sha256 for member in members), settings)
    with _lock:
        if _loaded is None or _loaded[0] != key:
            _loaded = (key, Ensemble(members, settings))
        return _loaded[1]
