"""What the report is given, looked at first: the network, the truth of a simulated survey."""

from pipeline.core.datasets import Datasets
from pipeline.core.errors import given_by
from pipeline.evaluation.truth import check_truth
from pipeline.network.members import judged_networks, plan_ensemble


def check(asked: Datasets) -> None:
    """Read the cards of the networks and the head of the truth.

    Parameters
    ----------
    asked : Datasets
        Of it: ``infer.models``, ``inputs.truth``, the datasets that it uses.

    Raises
    ------
    MismatchError
        The run's own network was damaged or replaced.
    InputError
        A network or the truth is not there, or is something else.
    """
    for name in asked.stage.uses:
        asked.uses(name)
    networks = judged_networks(asked)
    with given_by("infer.models"):
        plan_ensemble(networks)
    truth = asked.settings.inputs.truth
    if truth is not None:
        with given_by("inputs.truth"):
            check_truth(truth)
