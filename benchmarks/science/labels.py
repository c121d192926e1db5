"""Ridge and labels against the truth of a simulated survey: the tables of ``docs/labels.md``.

    pairspec label --config OUT/pairspec.toml
    python benchmarks/science/labels.py --config OUT/pairspec.toml [--root DIR]
        [--out docs/labels.md]

The ridge is compared with the single stars of the survey itself, and with those of a larger one
with the same priors, drawn here without spectra; so is the ridge of a third, also drawn here.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from label_tables import label_tables
from pages import fill

from pipeline.core.root import Root
from pipeline.labels.ridge import Ridge, as_ridge, fit_ridge
from pipeline.settings.load import Settings, load_settings
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.diagram import draw_diagram
from pipeline.simulate.population import blend_mag
from pipeline.stars.binary import build_systems
from pipeline.stars.isochrone import BANDS
from schemas.sample import LABELS, RIDGE

REFERENCE_SEED, RIDGE_SEED = 20, 21
DRAW = 100_000
COLOUR_STEP = 0.1
NEAR_MAG = 0.05
REFERENCE_STARS = 50


def read_stars(root: Root, truth: Path) -> pd.DataFrame:
    """One row per labelled star, with its truth."""
    columns = [
        "source_id", "g_ks_0", "m_g", "feh", "ridge_m_g", "delta_m_g", "label",
        "q_fixed_primary", "q_fixed_colour",
    ]  # fmt: skip
    labels = pq.read_table(root.table(LABELS), columns=columns).to_pandas()
    stars = labels.drop_duplicates("source_id")
    known = pq.read_table(truth / "stars.parquet").to_pandas()
    return stars.merge(known, on="source_id", how="inner", validate="1:1")


def explain(stars: pd.DataFrame, ridge: Ridge) -> pd.DataFrame:
    """Distance from the ridge with measured values replaced by true ones, step by step."""
    systems = build_systems(*(stars[n].to_numpy() for n in ("mass1_msun", "q", "log_age", "mh")))
    mag = blend_mag(systems)
    m_g = mag[:, BANDS.index("g_mag")]
    colour = m_g - mag[:, BANDS.index("ks_mag")]
    return pd.DataFrame(
        {
            "as measured": stars["delta_m_g"].to_numpy(float),
            "true photometry": m_g - ridge.m_g(colour, stars["feh"].to_numpy(float)),
            "true [Fe/H] too": m_g - ridge.m_g(colour, stars["mh"].to_numpy(float)),
        },
        index=stars.index,
    )


def draw_training(seed: int, n: int, settings: Settings) -> pd.DataFrame:
    """Draw a survey of n stars with the same priors; return its training sample."""
    cut = settings.sample
    parts = []
    for number in range(-(-n // DRAW)):
        rng = np.random.default_rng((seed, number))
        d = draw_diagram(rng, min(DRAW, n - number * DRAW), SimulateSettings())
        passed = (
            (d.teff_k > cut.teff_min_k) & (d.teff_k < cut.teff_max_k) & (d.logg > cut.logg_min)
            & (d.colour > cut.colour_min) & (d.colour < cut.colour_max)
            & (d.snr_g > cut.snr_g_min) & (d.parallax_mas > cut.training_parallax_min_mas)
            & (d.m_g > cut.training_m_g_min)
        )  # fmt: skip
        columns = {"colour": d.colour, "m_g": d.m_g, "feh": d.feh, "kind": d.kind}
        parts.append(pd.DataFrame({name: value[passed] for name, value in columns.items()}))
    return pd.concat(parts, ignore_index=True)


def ridge_of(sample: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Fit the ridge of a drawn training sample."""
    columns = [sample[name].to_numpy() for name in ("colour", "m_g", "feh")]
    colours = (settings.sample.colour_min, settings.sample.colour_max)
    return fit_ridge(*columns, colours, settings.labels).to_pandas()


def compare_ridge(table: pd.DataFrame, singles: pd.DataFrame) -> pd.DataFrame:
    """Ridge less the median M_G of single stars, by bin of [Fe/H] and colour.

    The single stars are those of the bin, moved to its median [Fe/H] by the ridge's slope, and
    along the ridge to the colour where both are compared.
    """
    rows = []
    colours = np.arange(table["g_ks_0"].min() + NEAR_MAG, table["g_ks_0"].max(), COLOUR_STEP)
    for (low, high, feh, n_stars), part in table.groupby(["feh_low", "feh_high", "feh", "n_stars"]):
        own = singles[(singles["feh"] >= low) & (singles["feh"] < high)]
        colour = own["colour"].to_numpy()
        moved = own["m_g"].to_numpy() - part["feh_slope"].iloc[0] * (own["feh"].to_numpy() - feh)
        rest = moved - np.interp(colour, part["g_ks_0"], part["m_g"])
        for at in colours:
            near = np.abs(colour - at) < NEAR_MAG
            if near.sum() < REFERENCE_STARS:
                continue
            n_near = int(part["n_near"].to_numpy()[np.abs(part["g_ks_0"] - at).argmin()])
            rows.append(
                {"feh": feh, "n_stars": n_stars, "colour": at, "n_near": n_near,
                 "n_single": int(near.sum()), "difference": -float(np.median(rest[near])),
                 "error": 1.2533 * float(rest[near].std()) / np.sqrt(near.sum())}
            )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--config",
        type=Path,
        required=True,
        help="settings of a labelled simulated survey",
    )
    parser.add_argument("--root", type=Path)
    parser.add_argument("--stars", type=int, default=1_000_000)
    parser.add_argument("--ridge-stars", type=int, default=400_000)
    parser.add_argument("--out", type=Path, help="page whose tables to fill in")
    options = parser.parse_args()
    settings = load_settings(options.config, root=options.root)
    if settings.inputs.truth is None:
        parser.error("the survey of --config has no truth; make one by `pairspec simulate`")
    root = Root(settings.root)
    table = pq.read_table(root.table(RIDGE))
    stars = read_stars(root, settings.inputs.truth)
    steps = explain(stars, as_ridge(table))
    ridge = table.to_pandas()
    drawn = draw_training(REFERENCE_SEED, options.stars, settings)
    reference = drawn[drawn["kind"] == "single"]
    sample = draw_training(RIDGE_SEED, options.ridge_stars, settings)
    own = stars[stars["kind"] == "single"].rename(columns={"g_ks_0": "colour"})
    ridges = {
        "this survey": compare_ridge(ridge, own.astype({"colour": float})),
        "this survey, singles of the reference": compare_ridge(ridge, reference),
        f"a survey of {options.ridge_stars:,} stars, singles of the reference": compare_ridge(
            ridge_of(sample, settings), reference
        ),
    }
    tables = label_tables(stars, steps, ridges)
    print("\n\n".join(tables.values()))
    if options.out:
        fill(options.out, tables)


if __name__ == "__main__":
    main()
