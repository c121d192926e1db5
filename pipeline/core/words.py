"""Numbers with what they count."""

_IRREGULAR = {"spectra": "spectrum"}


def counted(number: int, what: str) -> str:
    """Return a number with what it counts, e.g. ``1 spectrum`` or ``1,200 spectra``.

    Parameters
    ----------
    number : int
        How many.
    what : str
        What is counted, in the plural.
    """
    return f"{number:,} {_singular(what) if number == 1 else what}"


def _singular(what: str) -> str:
    first, space, last = what.rpartition(" ")
    if first.startswith("without"):
        return what
    if last.endswith("s") and not last.endswith("ss"):
        last = last[:-1]
    return f"{first}{space}{_IRREGULAR.get(last, last)}"
