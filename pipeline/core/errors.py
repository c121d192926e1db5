"""The errors that a user can do something about; others keep Python's own classes."""


class InputError(ValueError):
    """What the user gave (a file, a table, a setting) cannot be used as it is.

    The message says what, where and what to do.
    """


class MismatchError(ValueError):
    """Tables or files of the run do not belong together, or rows were lost between them.

    The message names the stage to run again.
    """
