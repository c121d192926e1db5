"""The tables of ``docs/labels.md``, made by ``benchmarks/science/labels.py``."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

LABELS = ("single", "binary", "excluded")
Q_EDGES = (0.1, 0.3, 0.4, 0.5, 0.6, 0.71, 0.8, 0.93, 1.0)
BINARY_MAG, SINGLE_MAG = (-0.5, -0.25), (-0.25, 0.25)
TARGET_MAG = 0.03
BLUE_MAG, YOUNG_LOG_AGE = 1.8, 9.3


def label_tables(
    stars: pd.DataFrame, steps: pd.DataFrame, ridges: dict[str, pd.DataFrame]
) -> dict[str, str]:
    """Return the tables by the names of their markers."""
    tables = {
        "ridge": _ridge(ridges),
        "ridge by [Fe/H]": _ridge_by_feh(ridges),
        "labels": _confusion(stars),
        "purity and completeness": _purity(stars),
        "causes": _causes(stars, steps),
        "age": _age(stars, steps),
        "mass ratios": _mass_ratios(stars),
    }
    return {name: "\n".join(lines) for name, lines in tables.items()}


def _ridge(ridges: dict[str, pd.DataFrame]) -> Iterator[str]:
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


def _ridge_by_feh(ridges: dict[str, pd.DataFrame]) -> Iterator[str]:
    yield "| ridge of | median [Fe/H] | stars | mean | rms | largest | error of the reference |"
    yield "|---|---|---|---|---|---|---|"
    for name, table in list(ridges.items())[1:]:
        for (feh, n_stars), part in table.groupby(["feh", "n_stars"]):
            d = part["difference"]
            error = part["error"].median()
            yield f"| {name} | {feh:+.2f} | {n_stars:,} | {_spread(d)} | {error:.4f} |"


def _confusion(stars: pd.DataFrame) -> Iterator[str]:
    yield "| truth | stars | " + " | ".join(f"labelled {name}" for name in LABELS) + " |"
    yield "|---|---|---|---|---|"
    single = stars["kind"] == "single"
    groups = [("single", single)]
    for low, high in pairwise(Q_EDGES):
        groups.append(
            (f"pair, q {low}-{high}", ~single & (stars["q"] >= low) & (stars["q"] < high))
        )
    groups += [("pair, all", ~single), ("all", single | ~single)]
    for name, rows in groups:
        label = stars.loc[rows, "label"]
        shares = " | ".join(f"{(label == one).sum()} ({_percent(label == one)})" for one in LABELS)
        yield f"| {name} | {rows.sum():,} | {shares} |"


def _purity(stars: pd.DataFrame) -> Iterator[str]:
    single, q = stars["kind"] == "single", stars["q"].fillna(0)
    binary, called_single = stars["label"] == "binary", stars["label"] == "single"
    band = ~single & (q >= 0.5) & (q < 0.71)
    meant = (~single & (q >= 0.47) & (q < 0.79))[binary]
    few = (single | (q < 0.5))[called_single]
    yield "| of | share that | |"
    yield "|---|---|---|"
    yield f"| labelled binary | are pairs | {_percent(~single[binary])} |"
    yield f"| labelled binary | are pairs of q 0.47-0.79 | {_percent(meant)} |"
    yield f"| pairs of q 0.5-0.71 | are labelled binary | {_percent(binary[band])} |"
    yield f"| all pairs | are labelled binary | {_percent(binary[~single])} |"
    yield f"| labelled single | have no companion | {_percent(single[called_single])} |"
    yield f"| labelled single | have none with q of 0.5 or more | {_percent(few)} |"
    yield f"| single stars | are labelled single | {_percent(called_single[single])} |"


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


def _age(stars: pd.DataFrame, steps: pd.DataFrame) -> Iterator[str]:
    """Tabulate the median distance that age leaves, of single stars with all else true."""
    yield "| single stars | older than 2 Gyr | younger |"
    yield "|---|---|---|"
    single = (stars["kind"] == "single").to_numpy()
    young = stars["log_age"].to_numpy() < YOUNG_LOG_AGE
    left = steps.iloc[:, -1].to_numpy()
    blue = stars["g_ks_0"].to_numpy() < BLUE_MAG
    for name, colour in ((f"bluer than {BLUE_MAG} mag", blue), ("redder", ~blue)):
        old, new = (np.nanmedian(left[single & colour & rows]) for rows in (~young, young))
        yield f"| {name} | {old:+.3f} | {new:+.3f} |"


def _mass_ratios(stars: pd.DataFrame) -> Iterator[str]:
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


def _spread(d: pd.Series) -> str:
    return f"{d.mean():+.4f} | {np.sqrt((d**2).mean()):.4f} | {d.abs().max():.3f}"


def _percent(values: pd.Series | np.ndarray) -> str:
    return f"{100 * float(np.mean(values)):.1f} %" if len(values) else "-"
