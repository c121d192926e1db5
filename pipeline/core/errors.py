"""The errors that a user can do something about; others keep Python's own classes."""

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """What the user gave (a file, a table, a setting) cannot be used as it is.

    The message says what, where and what to do.
    """


class MismatchError(ValueError):
    """Tables or files of the run do not belong together, or rows were lost between them.

    The message names the stage to run again.
    """


@contextmanager
def given_by(setting: str) -> Iterator[None]:
    """Put the name of the setting that names a file before what is wrong with the file.

    Parameters
    ----------
    setting : str
        E.g. ``inputs.gaia``.

    Raises
    ------
    InputError
        In place of every `ValueError` and `OSError`.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise InputError(f"{setting}: {error}") from error
