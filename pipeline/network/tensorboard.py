"""TensorBoard's files beside the training log, where that package is installed."""

from collections.abc import Mapping
from pathlib import Path


def require_tensorboard() -> None:
    """Check that the package is installed, before hours of training.

    Raises
    ------
    ValueError
        It is not installed.
    """
    from importlib.util import find_spec

    if find_spec("tensorboard") is None:
        raise ValueError(
            "training.tensorboard needs the package tensorboard: `pip install tensorboard`, or "
            "set training.tensorboard = false (log.jsonl and training.png hold the same)"
        )


def write_tensorboard(folder: Path, record: Mapping[str, float]) -> None:
    """Add one epoch; epochs that a stopped run wrote after its last state are replaced.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of TensorBoard's files.
    record : mapping of str to float
        Record of the epoch.
    """
    from torch.utils.tensorboard import SummaryWriter

    epoch = int(record["epoch"])
    with SummaryWriter(str(folder), purge_step=epoch) as writer:
        for name, value in record.items():
            if name != "epoch":
                writer.add_scalar(name, value, epoch)
