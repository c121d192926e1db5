"""Tables of the validation."""

import pyarrow as pa

from schemas.table import Column, Table

_F8 = pa.float64()

VALIDATION = Table(
    "validation",
    "validation/validation.parquet",
    "One row per number of the validations: value, 95 % interval, the paper's, and the truth of a "
    "simulated survey.",
    (
        Column("validation", pa.string(), "Name of the validation", ucd="meta.id"),
        Column("quantity", pa.string(), "What the number is", ucd="meta.id"),
        Column("bin_low", _F8, "Lower end of the bin; null where there are no bins"),
        Column("bin_high", _F8, "Upper end of the bin"),
        Column("value", _F8, "The number", ucd="stat.value"),
        Column("value_low", _F8, "Lower end of its 95 % interval"),
        Column("value_high", _F8, "Upper end of its 95 % interval"),
        Column("n_stars", pa.int64(), "Stars that it rests on", ucd="meta.number"),
        Column("truth", _F8, "What the truth of a simulated survey says; null elsewhere"),
        Column("paper", _F8, "The published value; null where there is none", "", "", "Jing 2025"),
    ),
)
