"""The training loop, the same for one rank and for many."""

import json
import math
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.parallel import DistributedDataParallel

from pipeline.core.atomic import write_bytes
from pipeline.network.augment import augmented
from pipeline.network.collective import from_first, mean_over_ranks
from pipeline.network.device import choose_device, choose_dtype
from pipeline.network.loader import Labelled, Loader
from pipeline.network.model import PairNet
from pipeline.network.norm import average_statistics, synchronise
from pipeline.network.optimizer import build_optimizer, learning_rate
from pipeline.network.sampler import Sampler, balancing_weights
from pipeline.network.scoring import evaluate
from pipeline.network.state import TrainingState, newest_state
from pipeline.network.tensorboard import write_tensorboard
from pipeline.settings.training import TrainingSettings

LOG = "log.jsonl"

RUNTIME_ONLY = {
    "ranks", "min_ranks", "max_restarts", "rejoin_s", "peer_timeout_s", "tensorboard", "device",
    "threads", "teacher",
}  # fmt: skip
"""Settings that change where a network is trained, but not which one. A teacher counts by its
weights, not by its place."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained network.

    Parameters
    ----------
    model : PairNet
        With the weights of the best epoch, in evaluation mode, on the CPU.
    best : dict of str to float
        Record of that epoch.
    history : list of dict of str to float
        Records of all epochs, as in the log.
    notes : tuple of str
        What a user should know: states that were damaged.
    """

    model: PairNet
    best: dict[str, float]
    history: list[dict[str, float]]
    notes: tuple[str, ...] = ()


def train(
    model: PairNet,
    settings: TrainingSettings,
    training: Labelled,
    validation: Labelled,
    folder: Path,
    weight_B: NDArray[np.floating] | None = None,
    rank: int = 0,
    world: int = 1,
) -> TrainingResult:
    """Train a network until its validation AUC no longer rises.

    A run that was stopped goes on from its last complete epoch when it is started again with the
    same arguments, and on CPUs, with as many ranks and threads, ends with the very same weights
    as if it had not been stopped.

    Parameters
    ----------
    model : PairNet
        The network to train, the same on every rank; it is changed.
    settings : TrainingSettings
        How.
    training, validation : Labelled
        Labelled spectra; the whole of both on every rank.
    folder : pathlib.Path
        Holds the training state and the log (one JSON object per line and epoch); used by rank 0
        alone.
    weight_B : ndarray of float64, (B,), optional
        How often each training spectrum comes in an epoch; None: as `settings.oversample` says.
    rank, world : int
        This process among those that train together. With several, the default process group of
        ``torch.distributed`` must exist.

    Returns
    -------
    TrainingResult
        The same on every rank.

    Raises
    ------
    ArithmeticError
        The loss or its gradient is not finite on any rank; all ranks raise it.
    CheckpointError
        `folder` holds the state of another run, or only damaged ones.
    ValueError
        A class is missing from the training or the validation part.
    """
    for name, part in (("training", training), ("validation", validation)):
        if len(set(part.label_B.tolist())) < 2:
            raise ValueError(f"the {name} part has spectra of one class only: enlarge the sample")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    device = choose_device(settings.device)
    model.to(device)
    if weight_B is None:
        label_B = training.label_B
        weight_B = balancing_weights(label_B) if settings.oversample else np.ones(len(label_B))
    sampler = Sampler(
        weight_B, settings.batch_size, settings.seed, rank, world, settings.shuffle_rows
    )
    loader = Loader(training, sampler, device, settings.shuffle_rows)
    identity = _identity(model, settings, training, validation) if rank == 0 else {}
    state = TrainingState(model, build_optimizer(model, settings), sampler, identity)
    notes = _resume(state, folder, rank, world)
    if rank == 0 and state.history:
        # The run may have been stopped between its last state and the log.
        _write_log(state, settings, folder)
    if world > 1 and settings.synchronise_norms:
        # Their collectives have a group of their own: DDP's run beside them in the backward.
        synchronise(model, dist.new_group())
    try:
        while sampler.epoch < settings.max_epochs and state.stale_epochs < settings.patience:
            begin = time.perf_counter()
            loss = _train_epoch(state, settings, loader, rank, world)
            seconds = time.perf_counter() - begin
            if not settings.synchronise_norms:
                average_statistics(model, world)
            measured = evaluate(model, validation, rank, world)
            _record(state, loss, measured, sampler.examples / seconds)
            if rank == 0:
                state.save(folder)
                _write_log(state, settings, folder)
    finally:
        synchronise(model, None)
    model.load_state_dict(state.best)
    return TrainingResult(model.cpu().eval(), state.best_record, state.history, notes)


def _identity(
    model: PairNet, settings: TrainingSettings, training: Labelled, validation: Labelled
) -> dict[str, Any]:
    return {
        "network": model.settings.model_dump(mode="json"),
        "training": settings.model_dump(mode="json", exclude=RUNTIME_ONLY),
        "data": [training.digest(), validation.digest()],
    }


def _resume(state: TrainingState, folder: Path, rank: int, world: int) -> tuple[str, ...]:
    """Go on from the newest whole state, which rank 0 reads for all."""
    found = None
    if rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
        found = newest_state(folder)
        if found is not None:
            state.load(found[1], found[0])
    found = from_first(found, rank, world)
    if found is None:
        return ()
    if rank > 0:
        state.load(found[1], found[0])
    notes: tuple[str, ...] = found[2]
    return notes


def _record(state: TrainingState, loss: float, measured: tuple[float, float], rate: float) -> None:
    state.sampler.epoch += 1
    record = {
        "epoch": state.sampler.epoch,
        "train_loss": loss,
        "validation_loss": measured[0],
        "validation_auc": measured[1],
        "spectra_per_s": rate,
    }
    state.history.append(record)
    if state.best_record is record:
        weights = state.model.state_dict()
        state.best = {name: t.detach().clone() for name, t in weights.items()}


def _write_log(state: TrainingState, settings: TrainingSettings, folder: Path) -> None:
    """Write the log, which is made from the state."""
    lines = "".join(json.dumps(record) + "\n" for record in state.history)
    write_bytes(folder / LOG, lines.encode())
    if settings.tensorboard:
        write_tensorboard(folder / "tensorboard", state.history[-1])


def _train_epoch(
    state: TrainingState, settings: TrainingSettings, loader: Loader, rank: int, world: int
) -> float:
    """Pass over the training part once; return the mean loss over all ranks."""
    model, optimizer, epoch = state.model.train(), state.optimizer, state.sampler.epoch
    device = next(model.parameters()).device
    dtype = choose_dtype(settings.precision, device)
    # Made anew in each epoch: it must be deleted before the process group, and a resumed run
    # must divide the gradients into the same messages as one that was not stopped.
    network = _parallel(model) if world > 1 else model
    steps = len(state.sampler)
    loss_sum, n_sum = 0.0, 0
    # Random numbers depend on seed, epoch and rank alone, so that none of their state is saved.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed * 1_000_003 + epoch * 1009 + rank)
        for step, (flux_BL, target_B) in enumerate(loader.epoch()):
            rate = learning_rate(settings, epoch * steps + step, settings.max_epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            changed_BL = augmented(
                flux_BL, settings.shift_pixels, settings.mask_share, settings.noise
            )
            with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
                logit_B = network(changed_BL)
            loss = cross_entropy(logit_B.float(), target_B)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            largest = settings.clip_norm or math.inf
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), largest)
            # Gradients are averaged over the ranks, so that all ranks find this together.
            if not torch.isfinite(norm):
                raise ArithmeticError(_diverged(settings, epoch, step, loss, norm))
            optimizer.step()
            loss_sum += loss.item() * len(target_B)
            n_sum += len(target_B)
    mean = mean_over_ranks(loss_sum / n_sum, world)
    if not math.isfinite(mean):
        raise ArithmeticError(_diverged(settings, epoch, steps - 1, loss, norm))
    return mean


def _parallel(model: PairNet) -> torch.nn.Module:
    with warnings.catch_warnings():
        # The argument's new name is not known to older versions of torch.
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(model, broadcast_buffers=False)


def _diverged(
    settings: TrainingSettings, epoch: int, step: int, loss: torch.Tensor, norm: torch.Tensor
) -> str:
    return (
        f"epoch {epoch + 1}, step {step + 1}: loss {loss.item()}, gradient norm {norm.item()}; "
        f"lower learning_rate (now {settings.learning_rate}), or look for spectra that are not "
        "finite"
    )
