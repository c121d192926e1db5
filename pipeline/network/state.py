"""Where a training run stands, in one file that is replaced after every epoch."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pipeline.atomic import write_bytes
from pipeline.network.checkpoint import CheckpointError
from pipeline.network.model import PairNet
from pipeline.network.sampler import Sampler


@dataclass
class TrainingState:
    """Everything that the next epoch depends on.

    Random numbers need no state of their own: they start anew in each epoch, from the seed and
    the epoch's number.

    Attributes
    ----------
    model, optimizer, sampler
        What is trained, how, and on which batches.
    identity
        Settings and data of the run; a resumed run must have the same.
    best
        Weights with the best validation AUC so far.
    history
        One record an epoch.
    """

    model: PairNet
    optimizer: torch.optim.Optimizer
    sampler: Sampler
    identity: dict[str, Any]
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def best_record(self) -> dict[str, float]:
        """Record of the epoch with the best validation AUC, the first one of equals."""
        return max(self.history, key=lambda record: record["validation_auc"])

    @property
    def stale_epochs(self) -> int:
        """Epochs since the best one."""
        return len(self.history) - int(self.best_record["epoch"]) if self.history else 0

    def save(self, path: Path) -> None:
        """Write the state; a reader sees the old one or the new one."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"best.{name}": t for name, t in self.best.items()}
        for i, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": t for name, t in slots.items()}
        facts = {
            "identity": self.identity,
            "sampler": self.sampler.state_dict(),
            "history": self.history,
        }
        tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        write_bytes(path, save(tensors, metadata={"state": json.dumps(facts)}))

    def load(self, path: Path) -> None:
        """Take over the state of a run that stopped.

        Raises
        ------
        CheckpointError
            When the file is damaged, or belongs to another run.
        """
        try:
            with safe_open(path, "pt") as file:
                facts = json.loads((file.metadata() or {})["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise CheckpointError(
                f"{path} is not a training state ({error}): delete it to train from the start"
            ) from None
        changed = [k for k, v in self.identity.items() if facts["identity"].get(k) != v]
        if changed:
            raise CheckpointError(
                f"{path} belongs to a run with other {', '.join(changed)}: set back what "
                "changed, or train in a new folder"
            )
        parts: dict[str, dict[str, torch.Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = tensor
        self.model.load_state_dict(parts["model"])
        self.best = parts["best"]
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            i, _, slot = name.partition(".")
            slots.setdefault(int(i), {})[slot] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
        self.sampler.load_state_dict(facts["sampler"])
        self.history = facts["history"]
