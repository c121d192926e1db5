"""A folder of spectra, walked through: every folder once, and a word on what is left out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.store.file_names import name_as_text

_EXAMPLES = 5


@dataclass(frozen=True)
class Names:
    """How the names of spectra end, and begin; in any case.

    Parameters
    ----------
    endings : tuple of str
        Any of them.
    prefix : str
        How they begin.
    """

    endings: tuple[str, ...]
    prefix: str = ""

    def match(self, name: str) -> bool:
        """Whether a file is to be read."""
        return name.lower().endswith(self.endings) and name.lower().startswith(self.prefix)

    def __str__(self) -> str:
        return ", ".join(f"{self.prefix}*{ending}" for ending in self.endings)


FITS_NAMES = Names((".fits", ".fit", ".fits.gz", ".fit.gz", ".fits.fz"))


@dataclass
class LeftOut:
    """What a walk found among the spectra and did not take, counted while it runs."""

    n_files: int = 0
    """Files whose names are not those of spectra; hidden files are not counted."""
    names: Names = FITS_NAMES
    """What names spectra have."""
    examples: dict[str, str] = field(default_factory=dict)
    """By ending, the first of these files; at most five."""
    n_folders: int = 0
    """Links to folders that are read in another place, or that hold this one."""

    def add(self, name: str) -> None:
        """Count one file."""
        self.n_files += 1
        ending = PurePosixPath(name).suffix.partition("?")[0].lower()
        if len(self.examples) < _EXAMPLES:
            self.examples.setdefault(ending, name)

    def notes(self) -> tuple[str, ...]:
        """Return a line for each kind of thing that was left out, none if nothing was."""
        files = (
            f"{self.n_files:,} files left out, for their names are not "
            f"{self.names}: {', '.join(self.examples.values())}"
            f"{', ...' if self.n_files > len(self.examples) else ''}"
        )
        folders = (
            f"{self.n_folders:,} links to folders not followed: what they lead to is read in its "
            "own place, or holds the folder of spectra"
        )
        return (files,) * bool(self.n_files) + (folders,) * bool(self.n_folders)


class Tree:
    """A folder with all folders below it; a walk remembers where it was.

    Parameters
    ----------
    folder : pathlib.Path
        Where to begin.
    left_out : LeftOut
        What names are taken, and where to count the others.
    """

    def __init__(self, folder: Path, left_out: LeftOut):
        self._base = str(folder)
        self._tree = folder.resolve()
        self._left_out = left_out
        # A link to a folder that holds this one would lead out of the survey, and back into it.
        self._seen = {_identity(place.stat()) for place in (self._tree, *self._tree.parents)}

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of all files; sorted within each folder.

        Raises
        ------
        ValueError
            A folder cannot be read.
        """
        pending = [("", self._entries(""))]
        while pending:
            prefix, entries = pending[-1]
            entry = next(entries, None)
            if entry is None:
                pending.pop()
                continue
            name = f"{prefix}{entry.name}"
            if _is_folder(entry):
                if self._enters(entry):
                    pending.append((f"{name}/", self._entries(f"{name}/")))
            elif entry.name.startswith("."):
                continue
            elif self._left_out.names.match(entry.name):
                yield name_as_text(name), _size(entry)
            else:
                self._left_out.add(name_as_text(name))

    def _entries(self, prefix: str) -> Iterator[os.DirEntry[str]]:
        place = os.path.join(self._base, prefix)  # noqa: PTH118 (hot)
        try:
            with os.scandir(place) as found:
                return iter(sorted(found, key=lambda entry: entry.name))
        except OSError as error:
            raise ValueError(
                f"{name_as_text(place)}: {error.strerror}; let this folder be read, or move it "
                "out of the folder of spectra"
            ) from error

    def _enters(self, entry: os.DirEntry[str]) -> bool:
        """Whether a folder is new; one that a link leads to from within is read without it."""
        place = _identity(entry.stat())
        linked = entry.is_symlink() and Path(entry.path).resolve().is_relative_to(self._tree)
        if linked or place in self._seen:
            self._left_out.n_folders += 1
            return False
        self._seen.add(place)
        return True


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _size(entry: os.DirEntry[str]) -> int:
    """Size of a file; -1 of what has none, such as a dangling link: its row must not vanish."""
    try:
        return entry.stat().st_size if entry.is_file() else -1
    except OSError:
        return -1
