"""Columns of a user's table by any of the names that archives give them."""

from collections.abc import Iterable, Mapping, Sequence

from pipeline.core.errors import InputError

_NAMED = 30


def resolve(
    available: Iterable[str],
    aliases: Mapping[str, Sequence[str]],
    required: Sequence[str],
    source: str,
    hints: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Find the columns of a table, whatever the case of their names.

    Of several columns that fit, the one with the earlier alias wins, and an alias as it is
    written over one in another case: VizieR tells ``b_rgeo`` and ``B_rgeo`` apart.

    Parameters
    ----------
    available : iterable of str
        Columns of the table.
    aliases : mapping of str to sequence of str
        Columns that are used, each with its names.
    required : sequence of str
        Columns that must be there.
    source : str
        The table, for the message.
    hints : mapping of str to str, optional
        What to do where a column is missing.

    Returns
    -------
    dict of str to str
        Canonical name to name in the table, of those that are there.

    Raises
    ------
    InputError
        A required column is missing; the message names it, its aliases and the table.
    """
    names = list(available)
    exact = set(names)
    spoken_for = {alias for known in aliases.values() for alias in known}
    by_case: dict[str, str] = {}
    for name in names:
        if name not in spoken_for:
            by_case.setdefault(name.lower(), name)
    found = {}
    for column, known in aliases.items():
        fits = [alias if alias in exact else by_case.get(alias.lower()) for alias in known]
        first = next((name for name in fits if name is not None), None)
        if first is not None:
            found[column] = first
    missing = [name for name in required if name not in found]
    if missing:
        wanted = ", ".join(aliases[name][0] for name in missing)
        others = [f"{aliases[n][0]} as {' or '.join(aliases[n][1:])}" for n in missing]
        also = "; ".join(text for text in others if not text.endswith(" as "))
        advice = "".join(f"; {hints[name]}" for name in missing if hints and name in hints)
        raise InputError(
            f"{source} has no column {wanted}; it has {_few(names)}"
            f"{f' (also taken: {also})' if also else ''}{advice}"
        )
    return found


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(sorted(names)[:_NAMED]) + more
