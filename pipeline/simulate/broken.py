"""Files that a reader must refuse: broken on purpose, beside the good ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.core.atomic import write_bytes
from pipeline.lamost.names import ExposureName, format_name, parse_name
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.survey import Field
from pipeline.simulate.writer import compress, format_header, table_header

FIRST_FREE_FIBRE = 241
SCHEMA = pa.schema([("path", pa.string()), ("kind", pa.string())])


def _truncated(content: bytes) -> bytes:
    return content[: len(content) // 3]


def _empty(_: bytes) -> bytes:
    return b""


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def _medium_resolution(_: bytes) -> bytes:
    n = 64
    blank = np.zeros(6 * n, dtype=">f4").tobytes()
    blank = blank.ljust(-(-len(blank) // 2880) * 2880, b"\0")
    primary = format_header(
        [
            ("SIMPLE", True, ""),
            ("BITPIX", 8, ""),
            ("NAXIS", 0, ""),
            ("EXTEND", True, ""),
            ("N_EXTEN", 3, "The extension number"),
            ("OBSID", 1, "Unique number ID of this spectrum"),
        ]
    )
    arms = b"".join(table_header(name, n) + blank for name in ("COADD_B", "COADD_R"))
    return compress(primary + arms, 1)


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "truncated": _truncated,
    "empty": _empty,
    "flipped byte": _flipped,
    "medium resolution": _medium_resolution,
}


def broken_files(
    rng: np.random.Generator,
    spectra: Path,
    field: Field,
    paths: list[str],
    settings: SimulateSettings,
) -> pa.Table:
    """Write the broken files of one field, named for fibres that no star uses.

    Parameters
    ----------
    rng : numpy.random.Generator
        Which files, and how they are broken.
    spectra : pathlib.Path
        Folder of the spectra.
    field : Field
        The first field has at least one of each kind.
    paths : list of str
        The field's good files, below ``spectra``.
    settings : SimulateSettings
        ``survey.broken_fraction``; 0 writes none at all.

    Returns
    -------
    pyarrow.Table
        Path and kind of each.

    Raises
    ------
    ValueError
        A path is not the name of an exposure.
    """
    share = settings.survey.broken_fraction
    kinds = list(KINDS) if field.number == 0 and share > 0 else []
    n_more = min(int(rng.poisson(share * len(paths))), 9 * len(KINDS))
    kinds += [list(KINDS)[int(k)] for k in rng.integers(len(KINDS), size=n_more)]
    written = []
    for count, kind in enumerate(kinds):
        good = Path(paths[int(rng.integers(len(paths)))])
        name = parse_name(good.name)
        if not isinstance(name, ExposureName):
            raise ValueError(f"{good} is no name of an exposure")
        fibre = FIRST_FREE_FIBRE + count % 10
        medium = kind == "medium resolution"
        own = ExposureName(name.lmjd, name.planid, 1 + count // 10, fibre, medium)
        path = good.parent / format_name(own)
        write_bytes(spectra / path, KINDS[kind]((spectra / good).read_bytes()))
        written.append({"path": path.as_posix(), "kind": kind})
    return pa.Table.from_pylist(written, schema=SCHEMA)
