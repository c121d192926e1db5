"""One self-contained HTML page: no script, no font and no picture from elsewhere."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(content: Mapping[str, Any]) -> bytes:
    """Fill the template ``page.html.j2``; the same content gives the same bytes.

    Parameters
    ----------
    content : mapping of str to object
        Its variables; all of them are needed.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(content).encode()


def as_data(picture: Path) -> str:
    """Return a PNG as an address that holds the whole file.

    Parameters
    ----------
    picture : pathlib.Path
        The file.
    """
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def size_of(picture: Path) -> tuple[int, int]:
    """Return the width and height of a PNG in pixels, from its header.

    Parameters
    ----------
    picture : pathlib.Path
        The file.
    """
    head = picture.read_bytes()[16:24]
    return int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
