"""Values that several sections share."""

from typing import Literal

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]
