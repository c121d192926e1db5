"""The page ``docs/labels.md`` of ``benchmarks/science/labels.py``: tables and what they mean."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

LABELS = ("single", "binary", "excluded")
Q_EDGES = (0.1, 0.3, 0.4, 0.5, 0.6, 0.71, 0.8, 0.93, 1.0)
BINARY_MAG, SINGLE_MAG = (-0.5, -0.25), (-0.25, 0.25)
TARGET_MAG = 0.03

HEAD = """\
# The sample and its labels

`pairspec select` cuts the sample out of all spectra, `pairspec label` fits the main-sequence ridge
and labels the stars of the training sample by their distance from it. The tables below are written
by `benchmarks/science/labels.py`.

## The sample

| cut | sample | column |
|---|---|---|
| 3800 < Teff < 6500 K | both | `teff_k` of the survey's catalogue |
| log g > 4 | both | `logg` of the survey's catalogue |
| 1.5 < (G-Ks)0 < 2.6 | both | `g_ks_0` of the photometry |
| S/N in g > 20 | both | `snr_g` of the survey's catalogue, else of the file |
| parallax > 3 mas | training | `parallax_mas` of the photometry, less its zero point |
| M_G > 4 | training | `m_g` of the photometry |

All are strict, at the precision of the column. A missing value (null, NaN, infinite, -9999, -999,
99: `sample.missing_values`) never passes and is counted apart; that takes a true value of exactly
99 with it. `ROOT/tables/cuts/` has one row a counted spectrum with the cuts that it fails;
`ROOT/tables/cut_flow.parquet` has the survivors in order, what each cut alone would drop, and what
fails it and no other. The paper's counts stand beside where every spectrum says DR10 and the survey
is no simulated one.

## The ridge

One sequence is followed through all stars of the training sample together, with one slope in
[Fe/H]; each bin of [Fe/H] then gets its own correction. A bin is 0.2 dex wide and is pooled with
its poorer neighbour until it has 200 stars. A sequence is the running mode of M_G in windows of
colour, found in rounds: scatter from the faint side, where there are no binaries; clipping at 1.5
standard deviations on the bright side and 3 on the faint one; mode of a Gaussian kernel estimate;
quadratic spline. Between the median [Fe/H] of two bins the ridge is linear, beyond the outer ones
it follows the slope. It is kept as `ROOT/tables/ridge.parquet` and drawn in
`ROOT/reports/ridge.png`.

A survey with fewer than 200 training stars gets one pooled sequence and a warning, one with fewer
than 50 an error.
"""

LABELLING = """\
## The labels

`delta_m_g` is M_G less the ridge at the star's colour and [Fe/H] (medians over its spectra in the
training sample). single: -0.25 to 0.25; binary: -0.5 to -0.25; all else is excluded, as are values
at a limit, stars without [Fe/H], and chance blends (`labels.exclude_blended`).

Mass ratios, both on the PARSEC isochrone of `labels.log_age` and the star's [Fe/H]:
`q_fixed_primary` takes the ridge for the primary, so that only the companion's light is above it;
`q_fixed_colour` asks for a pair which *together* has the star's colour, as in a colour-magnitude
diagram. Near q = 1 the brightness of pairs of one colour bends back (by up to 0.02 mag for
metal-rich stars), so that two mass ratios fit; the lower one is given. A star brighter than any
pair of its colour has no mass ratio.

A star's part of the split depends on its source id and `labels.seed` alone (SplitMix64 of both, as
a number in [0, 1), against 0.8 and 0.9): new stars, other cuts or another label move no star. The
lot does not know the label, so each label is split in the same proportions up to counting noise:
of 3,818 binaries the test part gets 382 +- 19. `pairspec label` prints the stars by label and part.
Binaries of the training part weigh as much more as makes them half of what the sampler draws
(`labels.binary_share`); validation and test have weight 0.

## Labels of your own

`inputs.labels` names a CSV or Parquet file with two columns, `source_id` or `obsid`, and `label`
(single, binary, excluded). They replace the labels made here, for all stars of the application
sample that they name; a label by exposure counts for all spectra of the star. The ridge is made all
the same, where there are stars enough. Wrong tables are refused: other columns, ids that are
floating-point (Gaia's exceed 2^53) or stand twice, unknown labels, two labels for one star, nothing
of the sample.
"""

CAUSES = """\
## Where the confusion comes from

Distance from the ridge of true single stars and of true pairs, with measured values replaced by
true ones step by step; stars whose true colour is beyond the ridge are left out. Scatter is half
the range of the middle 68 %.
"""


def page(stars: pd.DataFrame, steps: pd.DataFrame, ridges: dict[str, pd.DataFrame]) -> str:
    """Return the whole page."""
    parts = [
        HEAD,
        *_ridge(ridges),
        "",
        LABELLING,
        *_confusion(stars),
        "",
        CAUSES,
        *_causes(stars, steps),
        "",
        *_mass_ratios(stars),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _ridge(ridges: dict[str, pd.DataFrame]) -> Iterator[str]:
    yield "### Against the single stars of the simulation"
    yield ""
    yield (
        "Ridge less the median M_G of true single stars in the same bin of [Fe/H], in steps of "
        "0.1 mag in colour. The reference is a larger survey with the same priors, drawn without "
        "spectra: its medians have little noise, and the ridge has not seen its stars."
    )
    yield ""
    yield (
        f"| ridge of | stars in the window | places | mean | rms | largest | beyond {TARGET_MAG} |"
    )
    yield "|---|---|---|---|---|---|---|"
    groups = (
        ("all", 0, np.inf),
        ("< 100", 0, 99),
        ("100-199", 100, 199),
        ("200 or more", 200, np.inf),
    )
    for name, table in ridges.items():
        for text, low, high in groups:
            d = table.loc[table["n_near"].between(low, high), "difference"]
            if not d.empty:
                beyond = (d.abs() > TARGET_MAG).sum()
                yield f"| {name} | {text} | {len(d)} | {_spread(d)} | {beyond} |"
    yield ""
    yield "By bin of [Fe/H]:"
    yield ""
    yield "| ridge of | median [Fe/H] | stars | mean | rms | largest | error of the reference |"
    yield "|---|---|---|---|---|---|---|"
    for name, table in list(ridges.items())[1:]:
        for (feh, n_stars), part in table.groupby(["feh", "n_stars"]):
            d = part["difference"]
            error = part["error"].median()
            yield f"| {name} | {feh:+.2f} | {n_stars:,} | {_spread(d)} | {error:.4f} |"
    yield ""
    yield (
        "With fewer stars it is counting noise: a window of 60 stars holds some 35 singles with a "
        "scatter of 0.07 mag. The blue end of the metal-rich bin is the worst, where few stars are "
        "left and age spreads them."
    )


def _confusion(stars: pd.DataFrame) -> Iterator[str]:
    yield "## Labels against true mass ratio"
    yield ""
    yield f"{len(stars):,} stars of the training sample of a simulated survey."
    yield ""
    yield "| truth | stars | " + " | ".join(f"labelled {name}" for name in LABELS) + " |"
    yield "|---|---|---|---|---|"
    single = stars["kind"] == "single"
    groups = [("single", single)]
    for low, high in pairwise(Q_EDGES):
        groups.append(
            (f"pair, q {low}-{high}", ~single & (stars["q"] >= low) & (stars["q"] < high))
        )
    groups.append(("pair, all", ~single))
    for name, rows in groups:
        label = stars.loc[rows, "label"]
        shares = " | ".join(f"{(label == one).sum()} ({_percent(label == one)})" for one in LABELS)
        yield f"| {name} | {rows.sum():,} | {shares} |"
    yield ""
    q = stars["q"].fillna(0)
    binary, called_single = stars["label"] == "binary", stars["label"] == "single"
    band = ~single & (q >= 0.5) & (q < 0.71)
    meant = (~single & (q >= 0.47) & (q < 0.79))[binary]
    yield (
        f"- Purity of the label binary: {_percent(~single[binary])} are pairs, {_percent(meant)} "
        "pairs of q 0.47-0.79, which is what the band means at fixed colour."
    )
    yield (
        f"- Completeness: {_percent(binary[band])} of the pairs of q 0.5-0.71 are labelled binary, "
        f"{_percent(binary[~single])} of all pairs."
    )
    yield (
        f"- Purity of the label single: {_percent(single[called_single])} have no companion, "
        f"{_percent((single | (q < 0.5))[called_single])} none with q of 0.5 or more."
    )
    yield f"- Completeness of the label single: {_percent(called_single[single])}."
    yield ""
    yield (
        "Pairs below a mass ratio of about 0.5 add less than 0.25 mag at their colour: they are "
        "single by this definition, and no photometry could tell. Pairs above about 0.8 are "
        "brighter than -0.5 and excluded. What is left are errors, at the edges of the bands."
    )


def _causes(stars: pd.DataFrame, steps: pd.DataFrame) -> Iterator[str]:
    single = (stars["kind"] == "single").to_numpy()
    band = (stars["q"].between(0.53, 0.71)).to_numpy()
    yield (
        "| | median, singles | scatter, singles | singles in the binary band | singles out of the "
        "single band | pairs of q 0.53-0.71 in the binary band |"
    )
    yield "|---|---|---|---|---|---|"
    for name in steps:
        d = steps[name].to_numpy()
        known = np.isfinite(d)
        own = d[single & known]
        low, high = np.percentile(own, [16, 84])
        inside = (own > BINARY_MAG[0]) & (own < BINARY_MAG[1])
        out = ~((own > SINGLE_MAG[0]) & (own < SINGLE_MAG[1]))
        of_band = d[band & known]
        pairs = (of_band > BINARY_MAG[0]) & (of_band < BINARY_MAG[1])
        yield (
            f"| {name} | {np.median(own):+.3f} | {(high - low) / 2:.3f} | {inside.sum()} "
            f"({_percent(inside)}) | {out.sum()} ({_percent(out)}) | {_percent(pairs)} |"
        )
    yield ""
    young = stars["log_age"].to_numpy() < 9.3
    left = steps.iloc[:, -1].to_numpy()
    blue = stars["g_ks_0"].to_numpy() < 1.8
    middle = [
        np.nanmedian(left[single & rows])
        for rows in (blue & ~young, blue & young, ~blue & ~young, ~blue & young)
    ]
    yield (
        "What the last row leaves is age and the ridge's own error: with true photometry and "
        f"[Fe/H] the singles bluer than 1.8 mag have a median of {middle[0]:+.3f} if older than "
        f"2 Gyr and {middle[1]:+.3f} if younger; redder ones {middle[2]:+.3f} and {middle[3]:+.3f}."
    )


def _mass_ratios(stars: pd.DataFrame) -> Iterator[str]:
    yield "## Mass ratios of the stars labelled binary"
    yield ""
    yield "| | 5 % | median | 95 % | less the true q of pairs: median | scatter |"
    yield "|---|---|---|---|---|---|"
    binary = stars[stars["label"] == "binary"]
    pairs = binary[binary["kind"] == "pair"]
    for name in ("q_fixed_primary", "q_fixed_colour"):
        low, middle, high = np.nanpercentile(binary[name], [5, 50, 95])
        error = (pairs[name] - pairs["q"]).to_numpy()
        left, centre, right = np.nanpercentile(error, [16, 50, 84])
        yield (
            f"| `{name}` | {low:.2f} | {middle:.2f} | {high:.2f} | {centre:+.3f} | "
            f"{(right - left) / 2:.3f} |"
        )
    low, middle, high = np.nanpercentile(pairs["q"], [5, 50, 95])
    yield f"| true q of the pairs | {low:.2f} | {middle:.2f} | {high:.2f} | | |"
    yield ""
    yield (
        "The mass ratios of the paper, 0.71-0.93, are those of the first convention; what the "
        "diagram selects are the true ones of the last row."
    )


def _spread(d: pd.Series) -> str:
    return f"{d.mean():+.4f} | {np.sqrt((d**2).mean()):.4f} | {d.abs().max():.3f}"


def _percent(values: pd.Series | np.ndarray) -> str:
    return f"{100 * float(np.mean(values)):.1f} %" if len(values) else "-"
