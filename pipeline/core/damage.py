"""Files that are not what their record says."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Recorded(NamedTuple):
    """One file as its record names it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    size_bytes : int
        Its size.
    sha256 : str
        SHA-256 of its content in hex digits.
    """

    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Damage:
    """What is wrong with a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    what : str
        What is wrong, to be read after the name of the file.
    missing : bool
        There is no such file.
    keep : bool
        The command mends the file as it is.
    """

    path: Path
    what: str
    missing: bool = False
    keep: bool = False

    def line(self, command: str) -> str:
        """Return file, damage and cure in one line.

        Parameters
        ----------
        command : str
            Command that makes the file again.
        """
        delete = "" if self.missing or self.keep else "delete it and "
        return f"{self.path} {self.what}; {delete}run `{command}` again"


def damage_of(file: Recorded, *, content: bool) -> Damage | None:
    """Compare a file with its record; None where they agree.

    Parameters
    ----------
    file : Recorded
        What the record says.
    content : bool
        Compare the SHA-256 too, not only the size.
    """
    size = file_size(file.path)
    if size < 0:
        return Damage(file.path, "is missing", missing=True)
    if size != file.size_bytes:
        return Damage(file.path, f"has {size:,} bytes instead of {file.size_bytes:,}")
    if content and sha256_of(file.path) != file.sha256:
        return Damage(file.path, "is damaged: its SHA-256 is not the one of its record")
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_size(path: Path) -> int:
    """Return the size of a file in bytes, -1 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def damaged_json(path: Path) -> Damage:
    """Say what is wrong with a sealed file that cannot be believed.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """
    if path.exists():
        return Damage(path, "is damaged: its content does not fit its own digest")
    return Damage(path, "is missing", missing=True)
