"""What the report is given, looked at first: the network, the truth of a simulated survey."""

from pipeline.core.datasets import Datasets
from pipeline.core.errors import given_by
from pipeline.evaluation.truth import check_truth
from pipeline.network.card import read_card


def check(asked: Datasets) -> None:
    """Read the card of the network and the head of the truth.

    Parameters
    ----------
    asked : Datasets
        Of it: ``inputs.truth``, the datasets that it uses.

    Raises
    ------
    CheckpointError
        There is no network below the root.
    InputError
        The truth is not there, or is something else.
    """
    for name in asked.stage.uses:
        asked.uses(name)
    read_card(asked.root.model)
    truth = asked.settings.inputs.truth
    if truth is not None:
        with given_by("inputs.truth"):
            check_truth(truth)
