"""Pages written by hand, whose tables a benchmark fills in between markers."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.core.atomic import write_bytes

END = "<!-- end -->"
START = re.compile(r"^<!-- table: (.+?) -->$", re.MULTILINE)
TABLE = re.compile(rf"(^<!-- table: (.+?) -->\n)(.*?)(^{END}$)", re.MULTILINE | re.DOTALL)


def markers(text: str) -> list[str]:
    """Return the names of the tables of a page, in order.

    Raises
    ------
    ValueError
        A table has no end or an end no table, or two tables have one name.
    """
    names = START.findall(text)
    pairs = [(name, body) for _, name, body, _ in TABLE.findall(text)]
    whole = len(names) == len(pairs) == len(re.findall(f"^{END}$", text, re.MULTILINE))
    if not whole or any(START.search(body) for _, body in pairs):
        raise ValueError(f"the page has a table without '{END}', or an end without a table")
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ValueError(f"the page has more than one table named {', '.join(repeated)}")
    return names


def fill(page: Path, tables: Mapping[str, str], keep: Collection[str] = ()) -> None:
    """Put tables between ``<!-- table: NAME -->`` and ``<!-- end -->``; all else stays as it is.

    Parameters
    ----------
    page : pathlib.Path
        A Markdown file.
    tables : mapping of str to str
        The tables by name.
    keep : collection of str
        Tables of the page that another run fills.

    Raises
    ------
    ValueError
        The page lacks a marker of `tables` or `keep`, or has others; it is left as it was.
    """
    text = page.read_text()
    try:
        names = set(markers(text))
    except ValueError as error:
        raise ValueError(f"{page}: {error}: mend the markers") from error
    if missing := sorted({*tables, *keep} - names):
        raise ValueError(f"{page} has no marker '<!-- table: {missing[0]} -->': add it")
    if unknown := sorted(names - {*tables, *keep}):
        raise ValueError(f"{page} has a marker for '{unknown[0]}', which is not made: remove it")

    def put(found: re.Match[str]) -> str:
        start, name, old, end = found.groups()
        body = f"\n{tables[name].strip()}\n\n" if name in tables else old
        return f"{start}{body}{end}"

    write_bytes(page, TABLE.sub(put, text).encode())
