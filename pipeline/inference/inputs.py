"""What inference is given, looked at first: the networks, and the sample where it is wanted."""

from pipeline.core.datasets import Datasets
from pipeline.core.errors import InputError, given_by
from pipeline.core.published import NotReadyError, Published
from pipeline.network.checkpoint import load_model
from pipeline.network.members import plan_ensemble, wanted_networks
from pipeline.network.novelty import read_novelty
from pipeline.network.pair_fit import read_pair_fit
from pipeline.store.store import format_of


def check(asked: Datasets) -> None:
    """Read the networks and find the datasets.

    Parameters
    ----------
    asked : Datasets
        Of it: ``infer``, the sample, the photometry.

    Raises
    ------
    NotReadyError
        There is no sample, or it is outdated.
    MismatchError
        The run's own network was damaged or replaced.
    InputError
        A network is not there, is damaged, takes other spectra than another, or was trained on
        those of another survey.
    """
    infer = asked.settings.infer
    if infer.scope == "sample":
        needed_sample(asked)
    asked.uses("photometry")
    networks = wanted_networks(asked)
    survey = format_of(asked.root.store) or asked.settings.inputs.format
    with given_by("infer.models"):
        for member in plan_ensemble(networks).members:
            _, card = load_model(member.path, member.sha256)
            read_pair_fit(member.path, card.pair_fit_sha256)
            read_novelty(member.path, member.novelty_sha256)
            if member.survey != survey and not infer.other_surveys:
                raise InputError(
                    f"{member.path} was trained on spectra of the format {member.survey!r}, and "
                    f"these are {survey!r}: another resolution or calibration may look like a "
                    "companion; train on these, or say that you know by "
                    "--set infer.other_surveys=true"
                )


def needed_sample(asked: Datasets) -> Published:
    """Return the sample.

    Parameters
    ----------
    asked : Datasets
        Of the run.

    Raises
    ------
    NotReadyError
        There is none; the message names ``--all``.
    """
    try:
        return asked.needs("sample")[0]
    except NotReadyError as error:
        raise NotReadyError(
            f"{error}; or give --all (infer.scope = 'all') to classify every counted spectrum, "
            "which needs no photometry"
        ) from None
