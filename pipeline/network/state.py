"""The state of a training run: one file per epoch, of which the last two are kept."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from pipeline.core.atomic import write_bytes
from pipeline.network.card import CheckpointError
from pipeline.network.model import PairNet
from pipeline.network.sampler import Sampler

KEPT = 2
"""States kept; the last but one is used if the last is damaged."""


@dataclass
class TrainingState:
    """Everything that the next epoch depends on.

    Random numbers need no state of their own: they start anew in each epoch, from the seed, the
    epoch's number and the rank.

    Parameters
    ----------
    model, optimizer, sampler : PairNet, torch.optim.Optimizer, Sampler
        What is trained, how, and on which batches.
    identity : dict of str to Any
        Settings and data of the run; a resumed run must have the same.
    best : dict of str to Tensor
        Weights with the best validation AUC so far.
    history : list of dict of str to float
        One record per epoch.
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

    def save(self, folder: Path) -> None:
        """Write the state, then delete all but the last ones; a file is complete or not there.

        Parameters
        ----------
        folder : pathlib.Path
            Folder of the states.
        """
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"best.{name}": t for name, t in self.best.items()}
        for i, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": t for name, t in slots.items()}
        tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        facts = {
            "identity": self.identity,
            "sampler": self.sampler.state_dict(),
            "history": self.history,
            "sha256": _digest(tensors),
        }
        path = folder / f"state-{self.sampler.epoch:06d}.safetensors"
        write_bytes(path, save(tensors, metadata={"state": json.dumps(facts)}))
        for old in state_files(folder)[KEPT:]:
            old.unlink()

    def load(self, content: bytes, path: Path) -> None:
        """Take over the state of a run that stopped.

        Parameters
        ----------
        content : bytes
            Content of a state file.
        path : pathlib.Path
            Its name, for messages.

        Raises
        ------
        CheckpointError
            The file is damaged, or belongs to another run.
        ValueError
            The sampler of that run would not have given the same batches.
        """
        facts, tensors = parse_state(content, path)
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


def state_files(folder: Path) -> list[Path]:
    """List the states in a folder, the newest first."""
    return sorted(folder.glob("state-*.safetensors"), reverse=True)


def newest_state(folder: Path) -> tuple[Path, bytes, tuple[str, ...]] | None:
    """Find the newest state that is not damaged.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the states.

    Returns
    -------
    path, content, refused : pathlib.Path, bytes, tuple of str
        The file, its bytes, and a message for each newer one that is damaged. None instead of all
        three where there is no state.

    Raises
    ------
    CheckpointError
        There are states and all are damaged.
    """
    refused: list[str] = []
    for path in state_files(folder):
        content = path.read_bytes()
        try:
            parse_state(content, path)
        except CheckpointError as error:
            refused.append(str(error))
            continue
        return path, content, tuple(f"{text}; the state before it was used" for text in refused)
    if refused:
        raise CheckpointError(f"{'; '.join(refused)}: delete {folder} to train from the start")
    return None


def parse_state(content: bytes, path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Take a state file apart.

    Parameters
    ----------
    content : bytes
        Content of the file.
    path : pathlib.Path
        Its name, for messages.

    Returns
    -------
    facts, tensors : dict
        What `TrainingState.save` wrote.

    Raises
    ------
    CheckpointError
        The file is damaged.
    """
    try:
        tensors: dict[str, torch.Tensor] = load(content)
        length = int.from_bytes(content[:8], "little")
        facts = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["state"])
        whole = facts["sha256"] == _digest(tensors)
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error})") from None
    if not whole:
        raise CheckpointError(f"{path} is damaged (its digest does not fit)")
    return facts, tensors


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    sha = hashlib.sha256()
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
