"""Source catalogues: HATS folders and URLs as they are, other tables partitioned on the way."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hats
import lsdb
import pyarrow as pa
import pyarrow.parquet as pq
from hats.io.paths import pixel_catalog_file

from pipeline.core.atomic import write_json
from pipeline.core.digest import digest_of
from pipeline.core.errors import InputError
from pipeline.core.run import Run
from pipeline.photometry.hats_import import import_parquet
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

    def open(self, run: Run, folder: Path, partition_rows: int) -> Any:
        """Open the catalogue with LSDB; a table is partitioned below ``folder`` first.

        Parameters
        ----------
        run : Run
            Whose cluster partitions a table.
        folder : pathlib.Path
            Where partitioned tables are kept.
        partition_rows : int
            Most rows of a partition.

        Raises
        ------
        InputError
            A value of the table cannot be converted without loss.
        """
        columns = list(self.names.values())
        if self.table is None:
            return lsdb.open_catalog(self.location, columns=columns, margin_cache=None)
        target = self._partitioned(folder)
        if target.exists():
            return lsdb.open_catalog(str(target), columns=columns, margin_cache=None)
        copies = target.with_name(f"{target.name}.copies")
        files = self.table.as_parquet(copies)
        position = (self.names["ra"], self.names["dec"])
        rows = sum(pq.read_metadata(file).num_rows for file in files)
        # Before the partitions appear: once they are there, nothing is counted again.
        write_json(_counts(target), {"rows": rows})
        import_parquet(run, files, target, columns, position, partition_rows=partition_rows)
        shutil.rmtree(copies, ignore_errors=True)
        return lsdb.open_catalog(str(target), columns=columns, margin_cache=None)

    def left_out(self, folder: Path) -> int:
        """Return how many rows of a table have no position on the sky, once it was opened."""
        target = self._partitioned(folder)
        if not (target.exists() and _counts(target).exists()):
            return 0
        rows = int(json.loads(_counts(target).read_text())["rows"])
        held = hats.read_hats(str(target))
        return rows - int(getattr(held, "main_catalog", held).catalog_info.total_rows)

    def _partitioned(self, folder: Path) -> Path:
        return folder / f"{Path(self.location).stem}-{self.digest}"


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
        catalogue = hats.read_hats(location)
        main = getattr(catalogue, "main_catalog", catalogue)
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


def _lost(catalogue: Any) -> list[str]:
    """Find the partitions of a catalogue on disk whose files are not there."""
    info = catalogue.catalog_info
    paths = (
        pixel_catalog_file(catalogue.catalog_base_dir, pixel, npix_suffix=info.npix_suffix)
        for pixel in catalogue.get_healpix_pixels()
    )
    return [str(path) for path in paths if not path.exists()]


def _is_hats(path: Path) -> bool:
    return any((path / name).is_file() for name in _HATS_FILES)


def _counts(partitioned: Path) -> Path:
    return partitioned.with_name(f"{partitioned.name}.json")
