"""Spectra of everybody else: Parquet with one row per spectrum (docs/formats.md).

``obsid`` (a number of your own), ``flux``, ``ivar`` and ``wave`` (lists) are needed; ``andmask``,
``ormask``, ``ra_deg``, ``dec_deg``, ``mjd_utc``, ``rv_kms`` or ``z``, ``z_err``, ``snr_g``,
``obj_class``, ``subclass`` are optional.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.formats.air import vacuum_from_air
from pipeline.formats.cards import iso_time, refusing, size_of, spectrum_of
from pipeline.formats.pixels import Floats, in_range, median_snr_g, on_grid
from pipeline.lamost.arrays import as_mask
from pipeline.lamost.cards import CardValue
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.identity import SENTINELS
from pipeline.lamost.spectrum import Layout, Spectrum
from pipeline.settings.ingest import IngestSettings
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS

LISTS = ("flux", "ivar", "wave")
NEEDED = ("obsid", *LISTS)
MASKS = ("andmask", "ormask")
OTHERS = (
    "ra_deg", "dec_deg", "mjd_utc", "rv_kms", "z", "z_err", "snr_g", "obj_class", "subclass",
)  # fmt: skip
_ANGSTROM = {"angstrom": 1.0, "nm": 10.0, "um": 1e4}
_BATCH = 64


def count_own(path: Path) -> int:
    """Return the number of spectra of a table.

    Raises
    ------
    SpectrumError
        The table cannot be read, or lacks what is needed.
    """
    with refusing(path), _opened(path) as file:
        return int(file.metadata.num_rows)


def read_own(
    path: Path, rows: Sequence[int], settings: IngestSettings
) -> Iterator[Spectrum | SpectrumError]:
    """Read some rows of a table; few of them are in memory together.

    Parameters
    ----------
    path : pathlib.Path
        Parquet.
    rows : sequence of int
        Which rows, rising.
    settings : IngestSettings
        Unit and medium of the wavelengths.

    Yields
    ------
    Spectrum or SpectrumError
        One per row: the spectrum, or why there is none.

    Raises
    ------
    SpectrumError
        The table cannot be read, or lacks what is needed.
    """
    with refusing(path), _opened(path) as file:
        wanted = set(rows)
        if max(wanted) >= file.metadata.num_rows:
            detail = f"has {file.metadata.num_rows} rows, not {max(wanted) + 1}; was it changed?"
            raise SpectrumError(Reason.UNREADABLE, path, detail)
        for row, record in _records(file, min(wanted), max(wanted)):
            if row in wanted:
                yield _one(record, settings, path)


def _records(file: pq.ParquetFile, first: int, last: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of those row groups that hold any of the wanted ones."""
    known = {*NEEDED, *MASKS, *OTHERS}
    columns = [name for name in file.schema_arrow.names if name in known]
    row = 0
    for group in range(file.num_row_groups):
        n_rows = file.metadata.row_group(group).num_rows
        if row + n_rows <= first or row > last:
            row += n_rows
            continue
        for batch in file.iter_batches(_BATCH, row_groups=[group], columns=columns):
            for place in range(batch.num_rows):
                yield row, {name: batch.column(name)[place] for name in columns}
                row += 1


def _one(record: dict[str, Any], settings: IngestSettings, path: Path) -> Spectrum | SpectrumError:
    try:
        with refusing(path):
            return _interpret(record, settings, path)
    except SpectrumError as error:
        return error


def _interpret(record: dict[str, Any], settings: IngestSettings, path: Path) -> Spectrum:
    flux_N, ivar_N, wave_N = (_values(record[name]) for name in LISTS)
    masks = [as_mask(_values(record.get(name))) for name in MASKS]
    and_N, or_N = (mask if mask.size else np.zeros(flux_N.size, np.uint32) for mask in masks)
    sizes = {array.size for array in (flux_N, ivar_N, and_N, or_N)}
    if len(sizes) != 1:
        detail = f"lists of {sorted(sizes)} values; flux, ivar and masks need as many as wave"
        raise SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)
    flux_N, ivar_N = in_range(flux_N, ivar_N)
    wave_N = _vacuum(wave_N, settings)
    pixels = on_grid(wave_N, flux_N[None], ivar_N[None], and_N[None], or_N[None], path)
    found = {name: _known(record[name].as_py()) for name in ("obsid", *OTHERS) if name in record}
    cards: dict[str, CardValue] = {
        "OBSID": found["obsid"], "RA": found.get("ra_deg"), "DEC": found.get("dec_deg"),
        "Z": _redshift(found), "Z_ERR": found.get("z_err"), "CLASS": found.get("obj_class"),
        "SUBCLASS": found.get("subclass"), "DATE-OBS": iso_time(found.get("mjd_utc")),
        "SNRG": found.get("snr_g"),
    }  # fmt: skip
    if cards["SNRG"] is None:
        cards["SNRG"] = median_snr_g(pixels)
    return spectrum_of(pixels, 0, cards, Layout.OWN, path)


def _values(scalar: Any) -> Floats:
    """Return a list as float64; nulls in it are NaN, and a null list is empty."""
    if scalar is None or scalar.values is None:
        return np.zeros(0)
    found: Floats = scalar.values.to_numpy(zero_copy_only=False).astype(np.float64)
    return found


def _vacuum(wave_N: Floats, settings: IngestSettings) -> Floats:
    """Return vacuum wavelengths in Angstrom."""
    if settings.wave_unit == "log10_angstrom":
        wave_N = 10**wave_N
    else:
        wave_N = wave_N * _ANGSTROM[settings.wave_unit]
    return vacuum_from_air(wave_N) if settings.wave_medium == "air" else wave_N


def _known(value: Any) -> Any:
    """Return a value, or None where it is not finite or a number that stands for a missing one."""
    unknown = isinstance(value, float) and (not np.isfinite(value) or value in SENTINELS)
    return None if unknown else value


def _redshift(found: dict[str, Any]) -> float | None:
    velocity_kms = found.get("rv_kms")
    return found.get("z") if velocity_kms is None else velocity_kms / SPEED_OF_LIGHT_KMS


def _opened(path: Path) -> pq.ParquetFile:
    if size_of(path) == 0:
        raise SpectrumError(Reason.EMPTY, path, "the file holds no bytes")
    file = pq.ParquetFile(path, page_checksum_verification=True)
    schema = file.schema_arrow
    missing = [name for name in NEEDED if name not in schema.names]
    wrong = [n for n in LISTS if n not in missing and not _is_list(schema.field(n).type)]
    if missing or wrong:
        file.close()
        what = f"no column {', '.join(missing)}" if missing else f"{', '.join(wrong)}: no lists"
        detail = f"{what}; a table of spectra has {', '.join(NEEDED)}"
        raise SpectrumError(Reason.UNKNOWN_LAYOUT, path, detail)
    return file


def _is_list(dtype: pa.DataType) -> bool:
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(dtype) for is_kind in kinds)
