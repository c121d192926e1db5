"""What training is given, looked at first: labels, composites, a package."""

from pipeline.composites.block import composite_files
from pipeline.core.datasets import Datasets
from pipeline.core.published import NotReadyError
from pipeline.labels.split import PARTS
from pipeline.network.sources import source_digest
from pipeline.network.tensorboard import require_tensorboard


def check(asked: Datasets) -> None:
    """Check that what is trained on has been made.

    Parameters
    ----------
    asked : Datasets
        Of it: ``training``, labels, observations, composites.

    Raises
    ------
    NotReadyError
        There are no labels, or no composites.
    """
    training = asked.settings.training
    if training.tensorboard:
        require_tensorboard()
    source_digest(asked)
    composed = training.source != "simulated" and training.composite_share > 0
    if composed and not composite_files(asked.root, PARTS[0]):
        folder = asked.root.path / "composites"
        raise NotReadyError(f"{folder} holds no blocks; run `pairspec composites` again")
