"""The training loop."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from pipeline.atomic import write_bytes
from pipeline.network.augment import augmented
from pipeline.network.device import choose_device, choose_dtype
from pipeline.network.loader import Labelled, Loader
from pipeline.network.metrics import auc
from pipeline.network.model import PairNet
from pipeline.network.sampler import Sampler
from pipeline.network.settings import TrainingSettings
from pipeline.network.state import TrainingState

STATE = "state.safetensors"
LOG = "log.jsonl"

Reduce = Callable[[torch.Tensor], None]
"""Replaces a tensor, in place, by its mean over all ranks."""


class DivergedError(ArithmeticError):
    """The loss is no longer a number."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained network.

    Attributes
    ----------
    model
        Network with the weights of the best epoch, in evaluation mode.
    best
        Record of that epoch.
    history
        Records of all epochs, as in the log.
    """

    model: PairNet
    best: dict[str, float]
    history: list[dict[str, float]]


def train(
    model: PairNet,
    settings: TrainingSettings,
    training: Labelled,
    validation: Labelled,
    folder: Path,
    rank: int = 0,
    world: int = 1,
    reduce: Reduce | None = None,
) -> TrainingResult:
    """Train a network until its validation AUC no longer rises.

    A run that was stopped goes on from its last whole epoch when it is started again with the
    same arguments, and on a CPU ends with the very same weights as if it had not been stopped.

    Parameters
    ----------
    model
        The network to train, the same on every rank; it is changed.
    settings
        How.
    training, validation
        Labelled spectra; the whole of both on every rank.
    folder
        Keeps the training state and the log (one JSON object a line and epoch); written by
        rank 0, and read by all when the run goes on.
    rank, world, reduce
        This process among several that train together, and how they average.

    Returns
    -------
    TrainingResult

    Raises
    ------
    DivergedError
        When the loss or its gradient is not finite.
    CheckpointError
        When `folder` holds the state of another run.
    ValueError
        When a class is missing from the training or the validation part.
    """
    for name, part in (("training", training), ("validation", validation)):
        if len(set(part.label_B.tolist())) < 2:
            raise ValueError(f"the {name} part has spectra of one class only: enlarge the sample")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    device = choose_device(settings.device)
    model.to(device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    sampler = Sampler(
        training.label_B, settings.batch_size, settings.seed, rank, world, settings.oversample
    )
    identity = {
        "network": model.settings.model_dump(mode="json"),
        "training": settings.model_dump(mode="json", exclude={"device", "threads"}),
        "data": [training.digest(), validation.digest()],
    }
    state = TrainingState(model, optimizer, sampler, identity)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / STATE).exists():
        state.load(folder / STATE)
    while sampler.epoch < settings.max_epochs and state.stale_epochs < settings.patience:
        begin = time.perf_counter()
        loss = _train_epoch(state, settings, Loader(training, sampler, device), rank, reduce)
        seconds = time.perf_counter() - begin
        if reduce is not None:
            _average(list(model.buffers()), reduce)
        validation_loss, validation_auc = evaluate(model, validation, settings.batch_size)
        sampler.epoch += 1
        record = {
            "epoch": sampler.epoch,
            "train_loss": loss,
            "validation_loss": validation_loss,
            "validation_auc": validation_auc,
            "spectra_per_s": sum(map(len, sampler.batches())) * world / seconds,
        }
        state.history.append(record)
        if state.best_record is record:
            state.best = {name: t.detach().clone() for name, t in model.state_dict().items()}
        if rank == 0:
            state.save(folder / STATE)
            lines = "".join(json.dumps(record) + "\n" for record in state.history)
            write_bytes(folder / LOG, lines.encode())
    model.load_state_dict(state.best)
    return TrainingResult(model.cpu().eval(), state.best_record, state.history)


def _train_epoch(
    state: TrainingState,
    settings: TrainingSettings,
    loader: Loader,
    rank: int,
    reduce: Reduce | None,
) -> float:
    """Pass over the training part once; return the mean loss."""
    model, optimizer, epoch = state.model.train(), state.optimizer, state.sampler.epoch
    device = next(model.parameters()).device
    dtype = choose_dtype(settings.precision, device)
    steps = len(state.sampler)
    loss_sum, n_sum = 0.0, 0
    # Random numbers depend on seed, epoch and rank alone, so that nothing of them need be saved.
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed * 1_000_003 + epoch * 1009 + rank)
        for step, (flux_BL, label_B) in enumerate(loader.epoch()):
            rate = learning_rate(settings, epoch * steps + step, settings.max_epochs * steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
                logit_B = model(augmented(flux_BL, settings.shift_pixels, settings.mask_share))
            loss = cross_entropy(logit_B.float(), label_B)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            if reduce is not None:
                _average(gradients, reduce)
            largest = settings.clip_norm or math.inf
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), largest)
            if not torch.isfinite(loss + norm):
                raise DivergedError(
                    f"epoch {epoch + 1}, step {step + 1}: loss {loss.item()}, gradient norm "
                    f"{norm.item()}; lower learning_rate (now {settings.learning_rate}), or look "
                    "for spectra that are not finite"
                )
            optimizer.step()
            loss_sum += loss.item() * len(label_B)
            n_sum += len(label_B)
    return loss_sum / n_sum


def learning_rate(settings: TrainingSettings, step: int, steps: int) -> float:
    """Learning rate at one of `steps` steps, counted from 0."""
    if settings.schedule == "constant":
        return settings.learning_rate
    warmup = settings.warmup_share * steps
    rise = min(1.0, (step + 1) / (warmup + 1))
    fall = max(0.0, (step - warmup) / (steps - warmup))
    return settings.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * fall))


def evaluate(model: PairNet, data: Labelled, batch_size: int) -> tuple[float, float]:
    """Mean loss and AUC of a network on labelled spectra, as they are (no oversampling)."""
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        logit_B = torch.cat(
            [
                model(data.fetch(slice(start, start + batch_size))[0].to(device)).cpu()
                for start in range(0, len(data), batch_size)
            ]
        )
    label_B = torch.from_numpy(data.label_B.astype("float32"))
    return cross_entropy(logit_B, label_B).item(), auc(logit_B.numpy(), data.label_B)


def _average(tensors: list[torch.Tensor], reduce: Reduce) -> None:
    """Average tensors over the ranks, all in one message."""
    tensors = [t for t in tensors if t.is_floating_point()]
    flat = torch.cat([t.reshape(-1) for t in tensors])
    reduce(flat)
    for tensor, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))
