"""The selection function: which share of injected pairs and of single stars has a high p_b."""

import pyarrow as pa

from schemas.table import Column, Table

_F8 = pa.float64()

COMPLETENESS = Table(
    "completeness",
    "validation/completeness/completeness.parquet",
    "One row per threshold on p_b and cell of kind, mass ratio, S/N, Teff and [Fe/H] that holds an "
    "injected spectrum.",
    (
        Column("p_b_min", _F8, "Threshold on p_b", ucd="stat.probability"),
        Column(
            "kind",
            pa.string(),
            "`pair`: sum of two stars; `twins`: of two alike; `single`: a star alone",
            ucd="meta.id",
        ),
        Column("q_low", _F8, "Lowest mass ratio; null but for `pair`"),
        Column("q_high", _F8, "Highest mass ratio, not in the cell unless it is 1"),
        Column("snr_low", _F8, "Lowest S/N in g", ucd="stat.snr"),
        Column("snr_high", _F8, "Highest S/N in g, not in the cell", ucd="stat.snr"),
        Column("teff_low_k", _F8, "Lowest Teff", "K", "phys.temperature.effective"),
        Column("teff_high_k", _F8, "Highest Teff, not in the cell", "K"),
        Column("feh_low", _F8, "Lowest [Fe/H]", "dex", "phys.abund.Z"),
        Column("feh_high", _F8, "Highest [Fe/H], not in the cell", "dex", "phys.abund.Z"),
        Column("n_stars", pa.int64(), "Injected spectra, each of another star", ucd="meta.number"),
        Column("n_found", pa.int64(), "Those with a p_b above the threshold", ucd="meta.number"),
        Column("share", _F8, "Completeness; of `single` and `twins` the false-positive rate"),
        Column("share_low", _F8, "Lower end of its 95 % interval, by star"),
        Column("share_high", _F8, "Upper end of its 95 % interval, by star"),
        Column(
            "truth", _F8, "Share of the survey's own true pairs or single stars; null elsewhere"
        ),
        Column("truth_stars", pa.int64(), "Stars that the truth rests on", ucd="meta.number"),
    ),
)
