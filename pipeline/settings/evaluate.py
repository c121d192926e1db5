"""How a network is judged on the held-out test part."""

from typing import Literal

from pydantic import Field, field_validator

from pipeline.settings.section import Section


class EvaluateSettings(Section):
    """Evaluation on the test part of the labels."""

    thresholds: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    """Thresholds on p_b of the table. [paper: 0.5 and 0.8; the others assumed]"""

    ratios: tuple[float, ...] = (0.5, 0.25, 1.0)
    """Binaries over singles for which the precision is given. [paper: 1:2; the others assumed]"""

    binary_fraction: float = Field(1 / 3, gt=0, lt=1)
    """Fraction of binaries that the posterior assumes. [derived: the paper's 1:2]"""

    calibration: Literal["temperature", "smooth"] = "temperature"
    """How log-odds become the posterior, and with it `p_b_combined`; `p_b` stays as it is.
    `temperature`: one number; `smooth`: scale and shift that change with Teff and S/N, if they are
    likelier on the validation stars. [assumed: one number, as Guo et al. 2017]"""

    n_bootstrap: int = Field(400, ge=20)
    """Draws of stars for each interval. [assumed]"""

    n_bins: int = Field(10, ge=2)
    """Bins of p_b of the reliability table, each with equally many spectra. [assumed]"""

    seed: int = Field(0, ge=0)
    """Seed of the draws. [assumed]"""

    @field_validator("thresholds")
    @classmethod
    def _thresholds_ascend(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        ordered = sorted(set(value)) == list(value) and value and 0 <= value[0] < value[-1] < 1
        if not ordered or not {0.5, 0.8} <= set(value):
            raise ValueError(f"thresholds must ascend within [0, 1) and hold 0.5 and 0.8: {value}")
        return value

    @field_validator("ratios")
    @classmethod
    def _ratios_are_positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or min(value) <= 0 or 0.5 not in value:
            raise ValueError(f"ratios must be positive and hold the paper's 0.5: {value}")
        return value
