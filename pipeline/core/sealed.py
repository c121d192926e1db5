"""JSON that carries a digest of its own content, so that an edited file is not believed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.core.atomic import write_json

SEAL = "seal"
"""Key of the digest, the last of the file."""


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically, in the order of its keys, with the digest of its content.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    content : mapping of str to object
        Anything that JSON can hold.
    """
    # Counts are printed in the order in which they were given.
    write_json(path, {**content, SEAL: _seal(content)}, sort_keys=False)


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return the content without the digest; None where there is none, or it was changed.

    Parameters
    ----------
    path : pathlib.Path
        File that `write_sealed` wrote.
    """
    try:
        return unsealed(path.read_bytes())
    except FileNotFoundError:
        return None


def sealed_line(content: Mapping[str, Any]) -> bytes:
    """Return JSON in one line, in the order of its keys, with the digest of its content.

    Parameters
    ----------
    content : mapping of str to object
        Anything that JSON can hold.
    """
    return json.dumps({**content, SEAL: _seal(content)}).encode() + b"\n"


def unsealed(text: bytes) -> dict[str, Any] | None:
    """Return the content of sealed JSON; None where it is none, or was changed.

    Parameters
    ----------
    text : bytes
        What was sealed.
    """
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict) or content.pop(SEAL, None) != _seal(content):
        return None
    return content


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
