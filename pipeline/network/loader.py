"""Fetches the examples that the sampler chose."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.network.blocks import Stacked
from pipeline.network.sampler import Sampler


@dataclass(frozen=True)
class Labelled:
    """Spectra in network form with their classes.

    Parameters
    ----------
    flux_BL : ndarray of float16 or float32, or Stacked, (B, L)
        Normalised flux (continuum = 1), in memory or memory-mapped.
    label_B : ndarray of int, (B,)
        0 single, 1 binary.
    target_B : ndarray of float32, (B,), optional
        What a network that is trained on them is to answer: the probability of class 1, from its
        photometry or a teacher; None: the class.

    Raises
    ------
    ValueError
        They do not fit together.
    """

    flux_BL: NDArray[np.floating] | Stacked
    label_B: NDArray[np.integer]
    target_B: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        if self.flux_BL.ndim != 2 or self.label_B.shape != self.flux_BL.shape[:1]:
            raise ValueError(
                f"flux of shape {self.flux_BL.shape} and labels of shape {self.label_B.shape} "
                "do not fit: one row of flux and one label per spectrum"
            )
        if self.flux_BL.dtype not in (np.float16, np.float32):
            raise ValueError(f"flux must be float16 or float32, not {self.flux_BL.dtype}")
        if not np.isin(self.label_B, (0, 1)).all():
            raise ValueError("labels must be 0 (single) or 1 (binary)")
        if self.target_B is not None:
            if self.target_B.shape != self.label_B.shape:
                raise ValueError(
                    f"targets of shape {self.target_B.shape} and labels of shape "
                    f"{self.label_B.shape} do not fit: one of each per spectrum"
                )
            if not ((self.target_B >= 0) & (self.target_B <= 1)).all():
                raise ValueError("targets are probabilities, from 0 to 1")

    def __len__(self) -> int:
        """Count the spectra."""
        return len(self.label_B)

    def digest(self) -> str:
        """SHA-256 of the labels and the flux.

        Not of the targets: those of a teacher differ in the last digits with the number of ranks,
        and settings and datasets say where targets come from.
        """
        sha = hashlib.sha256(f"{self.flux_BL.shape} {self.flux_BL.dtype}".encode())
        sha.update(self.label_B.astype(np.int8).tobytes())
        for start in range(0, len(self), 1024):
            sha.update(self.flux_BL[start : start + 1024].tobytes())
        return sha.hexdigest()

    def fetch(self, rows: NDArray[np.int64] | slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Copy some rows into tensors.

        Parameters
        ----------
        rows : ndarray of int64 or slice
            Which of them.

        Returns
        -------
        flux_BL : Tensor, (B, L)
            Of the type in which it is stored.
        target_B : Tensor of float32, (B,)
            What to answer: 0 or 1, or the probability of class 1.
        """
        flux_BL = np.array(self.flux_BL[rows])
        target_B = self.label_B if self.target_B is None else self.target_B
        return torch.from_numpy(flux_BL), torch.from_numpy(np.array(target_B[rows], np.float32))


class Loader:
    """Batches of one epoch after the other, as the sampler orders them.

    Batches are read several at a time, up to `read_rows` rows in the order of the file, which is
    the fastest way to read a memory-mapped array; no more is held in memory.

    Parameters
    ----------
    data : Labelled
        All examples.
    sampler : Sampler
        Decides on the batches.
    device : torch.device
        Where the batches go.
    read_rows : int
        Rows read at a time.
    """

    def __init__(
        self, data: Labelled, sampler: Sampler, device: torch.device, read_rows: int = 16384
    ) -> None:
        self._data, self._sampler, self._device = data, sampler, device
        self._read_rows = read_rows

    def epoch(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Read the batches of the epoch.

        Yields
        ------
        flux_BL : Tensor of float32, (B, L)
            Normalised flux on the device.
        target_B : Tensor of float32, (B,)
            What to answer, on the device.
        """
        batches = self._sampler.batches()
        at_once = max(1, self._read_rows // max(map(len, batches)))
        for start in range(0, len(batches), at_once):
            window = batches[start : start + at_once]
            rows = np.unique(np.concatenate(window))
            flux_BL, target_B = self._data.fetch(rows)
            for batch in window:
                place = torch.from_numpy(np.searchsorted(rows, np.sort(batch)))
                # Half as many bytes to the device; the network reads float32.
                yield (
                    flux_BL[place].to(self._device).float(),
                    target_B[place].to(self._device),
                )
