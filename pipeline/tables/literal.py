"""Parquet files for DuckDB by their literal paths: no character of a path is a pattern."""

import glob
from pathlib import Path


def parquet_files(path: Path) -> list[str]:
    """Return the Parquet files of a table for the first argument of ``read_parquet``.

    DuckDB takes ``[``, ``]``, ``*`` and ``?`` in a path for a pattern, so they are escaped. It also
    takes folders such as ``row=7`` for columns: always add ``hive_partitioning = false``.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file, or folder of ``*.parquet`` files.

    Returns
    -------
    list of str
        The files in order of name.

    Raises
    ------
    FileNotFoundError
        There is no such file, or the folder holds none.
    ValueError
        A path has a backslash beside a character to be escaped, which DuckDB cannot read.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise FileNotFoundError(f"no Parquet file at {path}")
    return [_literal(str(file)) for file in files]


def _literal(path: str) -> str:
    escaped = glob.escape(path)
    if escaped != path and "\\" in path:
        raise ValueError(
            f"DuckDB cannot read a path with a backslash and one of [ * ?: {path}; rename it"
        )
    return escaped
