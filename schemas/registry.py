"""All tables, and the data dictionary made from them."""

from collections.abc import Iterator

from schemas.catalogue import PREDICTIONS, SPECTRA, STARS, UNPLACED
from schemas.completeness import COMPLETENESS
from schemas.composites import COMPOSITE_POOL
from schemas.observations import DUPLICATES, HEADERS, MANIFEST, OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import Bits, CutFlag, PhotometryFlag, QualityFlag
from schemas.sample import CUT_FLOW, CUTS, LABELS, RIDGE, SAMPLE
from schemas.store import LOG10_STEP, PIXEL_ARRAYS, ROW_ARRAYS, ROW_PIXELS
from schemas.table import Table
from schemas.validation import VALIDATION

TABLES: tuple[Table, ...] = (
    MANIFEST,
    HEADERS,
    DUPLICATES,
    OBSERVATIONS,
    PHOTOMETRY,
    CUTS,
    CUT_FLOW,
    SAMPLE,
    RIDGE,
    LABELS,
    COMPOSITE_POOL,
    PREDICTIONS,
    SPECTRA,
    STARS,
    UNPLACED,
    VALIDATION,
    COMPLETENESS,
)


MADE_BY: dict[str, str] = {
    "manifest": "ingest",
    "headers": "ingest",
    "duplicates": "ingest",
    "observations": "ingest",
    "photometry": "photometry",
    "cuts": "select",
    "cut_flow": "select",
    "sample": "select",
    "ridge": "label",
    "labels": "label",
    "composite_pool": "composites",
    "predictions": "infer",
    "spectra": "catalogue",
    "stars": "catalogue",
    "unplaced_stars": "catalogue",
    "validation": "validate",
    "completeness": "validate",
}
"""The command that makes each table."""


def data_dictionary() -> str:
    """Return ``docs/data-dictionary.md`` as text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield "Made from the schemas by `make docs`; do not edit. Paths are relative to `ROOT`."
    yield ""
    yield (
        "Every table is Parquet. DuckDB, polars, pyarrow and `pandas.read_parquet` read ids to the "
        "last digit (pandas as `Int64`). Astropy makes floats of integers beside nulls: read such "
        "a table by `Table.from_pandas(pandas.read_parquet(...))`."
    )
    for table in TABLES:
        yield ""
        yield f"## {table.name}: `{table.location}`"
        yield ""
        yield table.description
        yield ""
        yield "| column | type | unit | UCD | description |"
        yield "|---|---|---|---|---|"
        for c in table.columns:
            text = f"{c.description} ({c.source})" if c.source else c.description
            yield f"| `{c.name}` | {c.type} | {c.unit} | {c.ucd} | {text} |"
    yield ""
    yield "## The store of spectra: `spectra.zarr`"
    yield ""
    yield (
        f"Zarr v3, rows by {ROW_PIXELS} pixels, log-linear in wavelength with a step of "
        f"{LOG10_STEP} dex; one shard is one unit of work."
    )
    yield ""
    yield "| array | dimensions | type | unit | description |"
    yield "|---|---|---|---|---|"
    for dims, arrays in (("row, pixel", PIXEL_ARRAYS), ("row", ROW_ARRAYS)):
        for name, (dtype, unit, text) in arrays.items():
            yield f"| `{name}` | {dims} | {dtype} | {unit} | {text} |"
    yield ""
    yield from _bits("Quality bits: column `quality`", QualityFlag)
    yield ""
    yield from _bits("Photometry bits: column `flags`", PhotometryFlag)
    yield ""
    yield from _bits("Cut bits: columns `failed` and `missing`", CutFlag)


def _bits(title: str, bits: type[Bits]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "| bit | name | meaning |"
    yield "|---|---|---|"
    for flag in bits:
        yield f"| {flag.value} | {flag.name} | {flag.meaning} |"
