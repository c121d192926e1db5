"""What labelling is given, looked at first: a label table of one's own."""

from pipeline.core.datasets import Datasets
from pipeline.core.errors import given_by
from pipeline.labels.user_labels import label_digest, read_label_table


def check(asked: Datasets) -> None:
    """Read the label table, if one is named.

    Parameters
    ----------
    asked : Datasets
        Of it: ``inputs.labels``.

    Raises
    ------
    InputError
        It is not there, or is none.
    """
    brought = asked.settings.inputs.labels
    if brought is not None:
        with given_by("inputs.labels"):
            label_digest(brought)
            read_label_table(brought)
