"""What training is given, looked at first: labels, composites, a package."""

from pipeline.core.datasets import Datasets
from pipeline.core.published import NotReadyError, Published
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
    if training.source != "simulated" and training.composite_share > 0:
        # Not before: they bring with them all that spectra are computed with.
        from pipeline.composites.block import composite_files
        from pipeline.labels.split import PARTS

        if not composite_files(asked.root, PARTS[0]):
            folder = asked.root.path / "composites"
            raise NotReadyError(f"{folder} holds no blocks; run `pairspec composites` again")


def source_digest(asked: Datasets) -> str:
    """Digest of the survey's labels and composites, as far as they are used.

    Parameters
    ----------
    asked : Datasets
        Of it: ``training``, and the datasets.

    Raises
    ------
    NotReadyError
        They have not been made; the message names the command that makes them.
    """
    training = asked.settings.training
    if training.source == "simulated":
        return ""
    used: list[Published] = []
    if training.composite_share < 1:
        try:
            used += asked.needs("labels")
        except NotReadyError as error:
            raise NotReadyError(
                f"{error}, or train on simulated spectra with --set training.source=simulated"
            ) from None
        used += asked.needs("observations")
    if training.composite_share > 0:
        used += asked.needs("composites")
    return asked.digest(*used)
