"""Which numbers the tables can hold. A header or a catalogue may say anything."""

import numpy as np
import pyarrow as pa

from schemas.observations import OBSERVATIONS

SPEED_OF_LIGHT_KMS = 299_792.458
EXACT_LIMIT = 2**53
"""From here on, float64 does not hold every whole number."""

Range = tuple[int, int] | tuple[float, float]


def column_range(name: str, otherwise: pa.DataType) -> Range:
    """Smallest and largest number that a column of the observations can hold.

    A number outside is nobody's fibre, identifier or temperature: readers take it for missing.

    Parameters
    ----------
    name : str
        Column of the observations table.
    otherwise : pyarrow.DataType
        Type of a column that the observations do not have.
    """
    if name in ("z", "z_err"):  # a redshift may become the velocity in rv_kms
        low, high = column_range("rv_kms", otherwise)
        return low / SPEED_OF_LIGHT_KMS, high / SPEED_OF_LIGHT_KMS
    schema = OBSERVATIONS.schema
    dtype = schema.field(name).type if name in schema.names else otherwise
    numpy_type = np.dtype(dtype.to_pandas_dtype())
    if pa.types.is_integer(dtype):
        whole = np.iinfo(numpy_type)
        return int(whole.min), int(whole.max)
    real = np.finfo(numpy_type)
    return float(real.min), float(real.max)
