"""Files beside a network that its card names by their digests."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pipeline.core.atomic import write_bytes
from pipeline.core.errors import InputError


def write_named(path: Path, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Write arrays; return the SHA-256 of the file, for the card.

    Parameters
    ----------
    path : pathlib.Path
        File in the folder of the network.
    arrays : mapping of str to ndarray
        What it holds.
    """
    content = save(dict(arrays))
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def read_named(path: Path, sha256: str, says: str) -> dict[str, NDArray[Any]]:
    """Read arrays.

    Parameters
    ----------
    path : pathlib.Path
        File in the folder of the network.
    sha256 : str
        As the card says.
    says : str
        What the file says, for the error.

    Raises
    ------
    InputError
        The file is missing or another one.
    """
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            return load(content)
    except (FileNotFoundError, SafetensorError):
        pass
    raise InputError(
        f"{path} is missing or is not the one that the network's card names: it says {says}; copy "
        "the whole folder of the network again"
    )
