"""What ingest is given, looked at before anything is read: the folder of spectra, the catalogue."""

from pathlib import Path

from pipeline.core.datasets import Datasets
from pipeline.core.errors import InputError, given_by
from pipeline.formats.door import FORMATS
from pipeline.ingest.lamost_catalogue import check_catalogue
from pipeline.lamost.catalogue import iter_catalogue
from pipeline.store.manifest import open_manifest, scan
from pipeline.store.tree import LeftOut, Names
from pipeline.tables.kind import Kind, kind_of

_FIRST_ROWS = 1000


def check(asked: Datasets) -> None:
    """Check the folder of spectra and the head of the catalogue.

    Parameters
    ----------
    asked : Datasets
        Of it: ``inputs.spectra``, ``inputs.catalogue``, ``ingest.frozen``.

    Raises
    ------
    InputError
        No folder is named, it is no folder or holds no spectra; the catalogue is not there or is
        none of LAMOST's stellar ones.
    InputError
        The files are to be those of a manifest that is not there.
    """
    inputs, frozen = asked.settings.inputs, asked.settings.ingest.frozen
    if frozen:
        open_manifest(asked.root.manifest)
    if inputs.spectra is not None:
        with given_by("inputs.spectra"):
            _check_spectra(inputs.spectra, FORMATS[inputs.format].names)
    elif not frozen:
        raise InputError("no folder of spectra: give --spectra DIR or set inputs.spectra")
    if inputs.catalogue is not None:
        with given_by("inputs.catalogue"):
            _check_head(inputs.catalogue)


def _check_spectra(folder: Path, names: Names) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{folder} is a file; name the folder of the spectra (unpack it if it is an archive)"
        )
    if next(scan(folder, LeftOut(names=names)), None) is None:
        raise InputError(
            f"{folder} holds no file {names}, at any depth; is inputs.format the right one?"
        )


def _check_head(path: Path) -> None:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise InputError(
            f"the catalogue {path} {what}; name LAMOST's stellar catalogue, CSV or FITS, by "
            "--catalogue, or leave it out"
        )
    kind = kind_of(path)
    if kind not in (Kind.CSV, Kind.FITS):
        raise InputError(
            f"{path} is {kind.value}; LAMOST's stellar catalogue is CSV or FITS (it may be "
            "gzipped): name it as it was published"
        )
    check_catalogue(path)
    # The types of its columns show in their values.
    if next(iter_catalogue(path, _FIRST_ROWS), None) is None:
        raise InputError(f"the catalogue {path} has no rows")
