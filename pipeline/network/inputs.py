"""What training is given, looked at first: labels, composites, a package."""

from typing import TYPE_CHECKING

from pipeline.core.datasets import Datasets
from pipeline.core.errors import InputError, given_by
from pipeline.core.published import NotReadyError, Published
from pipeline.network.tensorboard import require_tensorboard

if TYPE_CHECKING:
    from pipeline.network.teacher import Teacher


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
    InputError
        The teacher is not there or takes other spectra; pairs are to be fitted to spectra that are
        not in the rest frame.
    """
    training = asked.settings.training
    if training.pair_fit == "on" and asked.settings.spectra.frame != "rest":
        raise InputError(
            "training.pair_fit compares spectra in the rest frame: set spectra.frame to 'rest', or "
            "train without it"
        )
    if training.tensorboard:
        require_tensorboard()
    source_digest(asked)
    wanted_teacher(asked)
    if training.source != "simulated" and training.composite_share > 0:
        # Not before: they bring with them all that spectra are computed with.
        from pipeline.composites.block import composite_files
        from pipeline.labels.split import PARTS

        if not composite_files(asked.root, PARTS[0]):
            folder = asked.root.path / "composites"
            raise NotReadyError(f"{folder} holds no blocks; run `pairspec composites` again")


def wanted_teacher(asked: Datasets) -> "Teacher | None":
    """Read the card of the network that is to teach.

    Parameters
    ----------
    asked : Datasets
        Of it: ``training``, ``spectra``.

    Returns
    -------
    Teacher or None
        None where none is named.

    Raises
    ------
    InputError
        It is not there, is damaged, takes other spectra, or would be replaced by its pupil.
    """
    settings = asked.settings
    teacher = settings.training.teacher
    if teacher is None:
        return None
    # Not before: they bring with them all that computes.
    from pipeline.network.job import survey_of
    from pipeline.network.teacher import find_teacher

    with given_by("training.teacher"):
        if teacher.resolve() == asked.root.model.resolve():
            raise InputError(
                f"{teacher} is where the network will be written that it is to teach: copy the "
                "folder to another place and name that, or train with another --root"
            )
        survey = survey_of(asked.root, settings.training)
        return find_teacher(teacher, settings.spectra, survey)


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
    if training.composite_share > 0 or training.fits_pairs:
        used += asked.needs("composites")
    return asked.digest(*used)
