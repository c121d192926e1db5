"""Rows of the first table of a FITS file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.core.errors import InputError


class FitsRows:
    """Rows of the first binary or ASCII table of a FITS file, null where a value is its TNULL."""

    def __init__(self, path: Path):
        from astropy.io import fits

        self._path = path
        kinds = fits.BinTableHDU | fits.TableHDU
        with _open(path) as hdus:
            tables = [number for number, hdu in enumerate(hdus) if isinstance(hdu, kinds)]
            if not tables:
                raise InputError(f"{path} is FITS without a table, e.g. an image or a spectrum")
            self._hdu = tables[0]
            data = hdus[self._hdu].data[:0]
            fields = {name: self._array(data, name).type for name in data.names}
        self.schema = pa.schema(list(fields.items()))

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the table."""
        with _open(self._path) as hdus:
            data = hdus[self._hdu].data
            for start in range(0, len(data), batch_rows):
                part = data[start : start + batch_rows]
                arrays = [self._array(part, name) for name in names]
                yield pa.RecordBatch.from_arrays(arrays, list(names))

    def _array(self, data: Any, name: str) -> pa.Array:
        values = np.asarray(data.field(name))
        if values.ndim != 1 or values.dtype.kind == "O":
            # Several values per row: no column that is looked for.
            return pa.nulls(len(values), pa.list_(pa.null()))
        if values.dtype.kind in "SU":
            return pa.array(values.astype(str).tolist(), pa.string())
        null = data.columns[name].null
        mask = None if null is None or values.dtype.kind not in "iu" else values == int(null)
        return pa.array(values.astype(values.dtype.newbyteorder("=")), mask=mask)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    from astropy.io import fits

    try:
        with fits.open(path, memmap=True) as hdus:
            yield hdus
    except InputError:
        raise
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"{path} is broken FITS ({error}); fetch it again") from None
