"""Source catalogues: HATS folders and URLs, and tables, read where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.acquire.touched import touched_partitions, touched_pixels
from pipeline.core.digest import digest_of
from pipeline.core.errors import InputError
from pipeline.photometry.source_blocks import SourceBlock, blocks_of
from pipeline.photometry.target_parts import TargetParts
from pipeline.tables.names import resolve
from pipeline.tables.source_columns import HINTS, TYPES
from pipeline.tables.table import UserTable, open_table
from pipeline.tables.values import check_type

_WORDS = 300
"""Characters of what a library says of a broken catalogue."""

_SOURCE_TYPES = ("object", "source")
_HATS_FILES = ("collection.properties", "hats.properties", "properties")


@dataclass(frozen=True)
class SourceCatalogue:
    """A catalogue of sources, not yet read.

    Parameters
    ----------
    location : str
        HATS folder or URL, or a table: a file or a folder of files.
    names : dict of str to str
        Canonical names of the columns that are used to the catalogue's own.
    digest : str
        Tells one state of the catalogue from another.
    table : UserTable, optional
        The table that it is; None for HATS.
    """

    location: str
    names: dict[str, str]
    digest: str
    table: UserTable | None = None

    def blocks(self, folder: Path, rows: int, parts: TargetParts) -> list[SourceBlock]:
        """Return the blocks to read: all of a table, the partitions of HATS that targets touch.

        Parameters
        ----------
        folder : pathlib.Path
            For copies of the files of a table that are not Parquet, or of other types.
        rows : int
            Rows of a block of a table.
        parts : TargetParts
            What is looked for.

        Raises
        ------
        InputError
            A value of the table cannot be converted without loss.
        """
        if self.table is not None:
            return blocks_of(self.table.as_parquet(folder), rows)
        main = _open_hats(self.location)
        touched = touched_pixels(parts.positions(), parts.reach_arcsec)
        return [
            SourceBlock(tuple((file, None) for file in _files(main, pixel)))
            for pixel in touched_partitions(main.get_healpix_pixels(), touched)
        ]


def find_catalogue(
    location: str, aliases: Mapping[str, Sequence[str]], required: Sequence[str]
) -> SourceCatalogue:
    """Find out what a catalogue is and which columns it has; all files of a table are looked at.

    Parameters
    ----------
    location : str
        Path or URL.
    aliases : mapping of str to sequence of str
        Columns that are used, each with its names.
    required : sequence of str
        Columns that must be there.

    Raises
    ------
    InputError
        There is nothing at the path, or a folder of several catalogues.
    InputError
        A file is no table, or its ids have lost digits.
    InputError
        A required column is missing.
    """
    path = Path(location)
    if "://" in location or _is_hats(path):
        return _find_hats(location, aliases, required)
    if not path.exists():
        raise InputError(
            f"no source catalogue at {location}: give a HATS folder or URL, or a table (Parquet, "
            "CSV, ECSV, FITS or VOTable), or a folder of such files"
        )
    inner = [child.name for child in path.glob("*") if _is_hats(child)]
    if inner:
        raise InputError(
            f"{location} is the parent folder of HATS catalogues; name one of them: "
            f"{', '.join(str(path / name) for name in sorted(inner))}"
        )
    table = open_table(path, aliases, required, TYPES, HINTS)
    files = [file.path for file in table.files]
    states = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return SourceCatalogue(location, table.names, digest_of(states, table.names), table)


def _find_hats(
    location: str, aliases: Mapping[str, Sequence[str]], required: Sequence[str]
) -> SourceCatalogue:
    try:
        main = _open_hats(location)
        info = main.catalog_info.model_dump(mode="json")
        pixels = [(p.order, p.pixel) for p in main.get_healpix_pixels()]
        schema = main.schema
        missing = [] if "://" in location else _lost(main)
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{location} cannot be opened as a HATS catalogue ({words[:_WORDS]}); copy it "
            "again, or name its folder (the one with hats.properties)"
        ) from error
    if schema is None:
        raise InputError(f"{location} is a HATS catalogue without rows; copy it again")
    if info["catalog_type"] not in _SOURCE_TYPES:
        raise InputError(
            f"{location} is a HATS catalogue of type {info['catalog_type']}; name the catalogue of "
            "the sources themselves"
        )
    if missing:
        raise InputError(
            f"{location} is incomplete: {len(missing)} of its {len(pixels)} partitions are not "
            f"there, e.g. {missing[0]}; copy it again"
        )
    names = resolve(schema.names, aliases, required, location, HINTS)
    for name, own in names.items():
        check_type(schema.field(own).type, TYPES.get(name, pa.float64()), own, location)
    return SourceCatalogue(location, names, digest_of(location, info, pixels, names))


def _open_hats(location: str) -> Any:
    # hats takes seconds to import, and a table does not need it.
    import hats

    catalogue = hats.read_hats(location)
    return getattr(catalogue, "main_catalog", catalogue)


def _files(catalogue: Any, pixel: Any) -> list[Any]:
    """Return the files of one partition: one, or those of a folder."""
    place = _place(catalogue, pixel)
    files = [place] if place.suffix else sorted(place.iterdir())
    return [file if file.protocol not in ("", "file") else str(file) for file in files]


def _place(catalogue: Any, pixel: Any) -> Any:
    from hats.io.paths import pixel_catalog_file

    suffix = catalogue.catalog_info.npix_suffix
    return pixel_catalog_file(catalogue.catalog_base_dir, pixel, npix_suffix=suffix)


def _lost(catalogue: Any) -> list[str]:
    """Find the partitions of a catalogue on disk whose files are not there."""
    paths = (_place(catalogue, pixel) for pixel in catalogue.get_healpix_pixels())
    return [str(path) for path in paths if not path.exists()]


def _is_hats(path: Path) -> bool:
    return any((path / name).is_file() for name in _HATS_FILES)
