"""The door through which spectra of every format come in: which files, how many spectra, which."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline.formats import desi, own, sdss
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Spectrum
from pipeline.settings.ingest import IngestSettings
from pipeline.store.file_names import name_on_disk
from pipeline.store.tree import FITS_NAMES, Names

Read = Iterator[Spectrum | SpectrumError]
LAMOST_RESOLVING_POWER = (1800.0, 1800.0)
"""[source: Cui et al. 2012, RAA 12, 1197]"""
_ROW = "#"


@dataclass(frozen=True)
class Format:
    """How spectra of a format are found and read.

    Parameters
    ----------
    title : str
        Whose spectra.
    names : Names
        Names of the files.
    read : callable
        ``read(path, rows, settings)`` yields one spectrum per row, or why there is none; a file of
        one spectrum has the row 0.
    count : callable, optional
        Spectra of a file; None where every file has one.
    resolving_power : tuple of float, optional
        Wavelength over its resolution at the blue and at the red end.
    """

    title: str
    names: Names
    read: Callable[[Path, Sequence[int], IngestSettings], Read]
    count: Callable[[Path], int] | None = None
    resolving_power: tuple[float, float] | None = None

    def entries(self, folder: Path, files: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Yield one entry per spectrum: the file's name, with ``#ROW`` where it holds several.

        A file that cannot be opened keeps one entry, whose row will say why.

        Parameters
        ----------
        folder : pathlib.Path
            Folder of spectra.
        files : iterable of str and int
            Names and sizes, as `pipeline.store.manifest.scan` finds them.
        """
        for name, size in files:
            n_spectra = self._count(folder / name_on_disk(name)) if self.count else 0
            yield from ((f"{name}{_ROW}{row}", size) for row in range(n_spectra))
            if not n_spectra:
                yield name, size

    def _count(self, path: Path) -> int:
        try:
            return self.count(path) if self.count else 0
        except SpectrumError:
            return 0

    def spectra(self, folder: Path, entries: Sequence[str], settings: IngestSettings) -> Read:
        """Read the spectra of some entries; neighbours of one file are read together.

        Parameters
        ----------
        folder : pathlib.Path
            Folder of spectra.
        entries : sequence of str
            As `entries` has named them.
        settings : IngestSettings
            What a user's own table does not say.

        Yields
        ------
        Spectrum or SpectrumError
            One per entry.
        """
        for name, group in groupby(map(self.split, entries), key=lambda entry: entry[0]):
            yield from self._of_file(folder / name_on_disk(name), [r for _, r in group], settings)

    def split(self, entry: str) -> tuple[str, int | None]:
        """Return the file of an entry and its row; None for a file that could not be opened."""
        if self.count is None:
            return entry, 0
        name, _, row = entry.rpartition(_ROW)
        return (name, int(row)) if name and row.isdigit() else (entry, None)

    def _of_file(self, path: Path, rows: list[int | None], settings: IngestSettings) -> Read:
        n_done = 0
        try:
            if self.count is not None and None in rows:
                yield self._why_not(path)
                return
            for found in self.read(path, [row for row in rows if row is not None], settings):
                yield found
                n_done += 1
        except SpectrumError as error:
            yield from [error] * (len(rows) - n_done)

    def _why_not(self, path: Path) -> SpectrumError:
        """Say why a file stands in the manifest without its spectra."""
        n_spectra = self.count(path) if self.count else 0
        if n_spectra == 0:
            return SpectrumError(Reason.EMPTY, path, "the file holds no spectra; leave it out")
        detail = "the file could not be opened when it was listed; use another --root"
        return SpectrumError(Reason.UNREADABLE, path, detail)


def _lamost(path: Path, _rows: Sequence[int], _settings: IngestSettings) -> Read:
    yield read_spectrum(path)


def _sdss(path: Path, _rows: Sequence[int], _settings: IngestSettings) -> Read:
    yield sdss.read_sdss(path)


def _desi(path: Path, rows: Sequence[int], _settings: IngestSettings) -> Read:
    return desi.read_desi(path, rows)


FORMATS = {
    "lamost": Format("LAMOST low-resolution", FITS_NAMES, _lamost, None, LAMOST_RESOLVING_POWER),
    "sdss": Format("SDSS and BOSS", FITS_NAMES, _sdss, None, sdss.RESOLVING_POWER),
    "desi": Format(
        "DESI",
        Names((".fits", ".fits.gz"), desi.PREFIX),
        _desi,
        desi.count_desi,
        desi.RESOLVING_POWER,
    ),
    "table": Format("one's own", Names((".parquet", ".parq", ".pq")), own.read_own, own.count_own),
}
"""By the value of ``inputs.format``."""
