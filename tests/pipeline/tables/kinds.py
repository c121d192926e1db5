"""Tables as files of every kind, for the tests of their readers."""

import gzip
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from astropy.table import MaskedColumn, Table

KINDS = ("csv", "csv.gz", "tsv", "ecsv", "ecsv.gz", "fits", "fits.gz", "vot", "vot.gz",
         "binary.vot", "parquet")  # fmt: skip


def write_table(table: pa.Table, folder: Path, kind: str, name: str = "table") -> Path:
    """Write a table as one of ``KINDS``."""
    path = folder / f"{name}.{kind}"
    plain = path.with_name(path.name.removesuffix(".gz"))
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind.startswith("csv"):
        pacsv.write_csv(table, plain)
    else:
        _write_by_astropy(table, plain, kind)
    if kind.endswith(".gz"):
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


def _write_by_astropy(table: pa.Table, path: Path, kind: str) -> None:
    columns = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        mask = column.is_null().to_numpy(zero_copy_only=False)
        fill = "" if pa.types.is_string(column.type) else 0
        values = column.fill_null(fill).to_numpy(zero_copy_only=False)
        values = values.astype(str) if fill == "" else values
        columns.append(MaskedColumn(values, name=name, mask=mask))
        if fill == 0 and column.type == pa.int64():
            columns[-1].fill_value = -1
    made = Table(columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "tsv":
            made.write(path, format="ascii.basic", delimiter="\t", fill_values=[("--", "")])
        elif kind.startswith("ecsv"):
            made.write(path, format="ascii.ecsv", delimiter="," if kind == "ecsv.gz" else " ")
        elif kind.startswith("fits"):
            made.write(path, format="fits")
        else:
            form = "binary2" if kind.startswith("binary") else "tabledata"
            made.write(path, format="votable", tabledata_format=form)
