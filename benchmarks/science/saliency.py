"""Where networks look: integrated gradients by wavelength beside the information of the templates.

Usage: ``python benchmarks/science/saliency.py ROOT [--real ROOT] [--each N] --figure FILE``.
ROOT is a run with composites and a network, e.g. that of ``pairspec demo``; the second one a run on
real stars, as ``real_command_line.py`` makes it (its folder ``command-N``). Composites of the test
part, whose stars the network has not seen, are attributed by the function of ``pairspec star``.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from saliency_lines import LINES, Information, information
from scipy.stats import rankdata

from pipeline.composites.block import composite_files
from pipeline.core.atomic import write_bytes
from pipeline.core.figures import BAND, BINARY, OTHER, SINGLE, STYLE, as_bytes
from pipeline.core.root import Root
from pipeline.network.blocks import map_block
from pipeline.network.card import ModelCard, read_card
from pipeline.network.members import Member
from pipeline.settings.simulate import SimulateSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.star.attribution import attribute

WINDOW = 15
BLOCK = 10
"""Windows of a block of the bootstrap: 150 pixels, about 200 Angstrom."""

DRAWS = 400
SIMULATED_K = (4300, 4800, 5200, 5700)
REAL_K = (5200, 5700, 6100, 6700)


class Seen(NamedTuple):
    """Saliency of a network in one bin of Teff.

    ``pair_L`` and ``twin_L``: mean attribution of the spectra of each class; ``n``: spectra of
    each; ``depth_L``: how deep the lines of the pairs are, 1 - f.
    """

    pair_L: np.ndarray
    twin_L: np.ndarray
    depth_L: np.ndarray
    n: int

    @property
    def contrast_L(self) -> np.ndarray:
        """What each pixel adds to the difference between the classes: (L,)."""
        return self.pair_L - self.twin_L


def saliency(root: Path, edges: tuple[int, ...], each: int) -> dict[str, Seen]:
    """Attribute composites of the test part, so many of each class and bin of Teff."""
    blocks = [map_block(path) for path in composite_files(Root(root), "test")]
    flux = np.concatenate([np.asarray(block["flux"]) for block in blocks]).astype(np.float32)
    label, teff = (np.concatenate([np.asarray(b[n]) for b in blocks]) for n in ("label", "teff_k"))
    member = Member(root / "model", read_card(root / "model").sha256)
    found = {}
    for low, high in pairwise(edges):
        here = (teff >= low) & (teff < high)
        rows = [np.flatnonzero(here & (label == kind))[:each] for kind in (1, 0)]
        n = min(len(one) for one in rows)
        if n < 10:
            print(f"{root}: {n} couples between {low} and {high} K are too few")
            continue
        means = [
            np.mean([attribute([member], flux[row]).pixel_L for row in one[:n]], axis=0)
            for one in rows
        ]
        found[f"{low}-{high} K"] = Seen(means[0], means[1], 1 - flux[rows[0][:n]].mean(axis=0), n)
    return found


def windowed(values_L: np.ndarray) -> np.ndarray:
    """Sum over windows of 15 pixels."""
    n = len(values_L) // WINDOW
    return values_L[: n * WINDOW].reshape(n, WINDOW).sum(axis=1)


def correlation(x: np.ndarray, y: np.ndarray, given: np.ndarray | None = None) -> float:
    """Rank correlation of two quantities; of what a third one leaves of both."""
    ranks = np.array([rankdata(v) for v in (x, y, x if given is None else given)])
    matrix = np.corrcoef(ranks)
    if given is None:
        return float(matrix[0, 1])
    xy, xz, yz = matrix[0, 1], matrix[0, 2], matrix[1, 2]
    return float((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))


def with_interval(*values: np.ndarray) -> str:
    """Correlation with a 95 % interval by draws of blocks of neighbouring windows."""
    rng = np.random.default_rng(0)
    n_blocks = len(values[0]) // BLOCK
    rows = np.arange(n_blocks * BLOCK).reshape(n_blocks, BLOCK)
    draws = []
    for _ in range(DRAWS):
        chosen = rows[rng.integers(n_blocks, size=n_blocks)].ravel()
        draws.append(correlation(*(v[chosen] for v in values)))
    low, high = np.percentile(draws, (2.5, 97.5))
    return f"{correlation(*values):.2f} [{low:.2f}, {high:.2f}]"


def compare(name: str, teff: str, seen: Seen, known: Information) -> str:
    """One row of the table: correlations of the saliency with each kind of information."""
    look = np.abs(windowed(seen.contrast_L))
    depth = np.abs(windowed(seen.depth_L))
    cells = [with_interval(look, windowed(one)) for one in known[:3]]
    cells += [with_interval(look, windowed(known.single), depth), with_interval(look, depth)]
    return f"| {name} | {teff} | {seen.n} | " + " | ".join(cells) + " |"


def shares(values_L: np.ndarray, wave_L: np.ndarray) -> list[float]:
    """Share of a quantity that lies in the band of each named line."""
    return [
        float(values_L[(wave_L >= low) & (wave_L <= high)].sum() / values_L.sum())
        for low, high in LINES.values()
    ]


def draw(found: dict[tuple[str, str], tuple[Seen, Information]], wave_L: np.ndarray) -> bytes:
    """Draw the saliency of every network and bin of Teff above the information there."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(7.0, 1.25 * len(found) + 0.5), layout="constrained")
        panels = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
        middle = windowed(wave_L) / WINDOW
        for axes, ((name, teff), (seen, known)) in zip(panels, found.items(), strict=True):
            for number, (low, high) in enumerate(LINES.values()):
                axes.axvspan(low, high, color="0.92", lw=0, zorder=0)
                if axes is panels[0]:
                    line = list(LINES)[number]
                    axes.annotate(line, ((low + high) / 2, 1.02 + 0.16 * (number % 2)), ha="center",
                                  xycoords=("data", "axes fraction"), fontsize=6)  # fmt: skip
            contrast = windowed(seen.contrast_L)
            scale = np.abs(contrast).max()
            axes.fill_between(middle, windowed(known.single) / windowed(known.single).max(),
                              color=OTHER, **BAND | {"alpha": 0.5},
                              label="pair less nearest single")  # fmt: skip
            axes.plot(middle, contrast / scale, color=BINARY, label="network", lw=0.8)
            axes.plot(middle, -windowed(known.primary) / windowed(known.primary).max(),
                      color=SINGLE, lw=0.8, label="information of q (downwards)")  # fmt: skip
            axes.annotate(f"{name}, {teff}", (0.99, 0.06), xycoords="axes fraction", ha="right")
            axes.set(ylim=(-1.1, 1.1), yticks=(-1, 0, 1), xlim=(wave_L[0], wave_L[-1]))
        panels[0].legend(loc="lower center", ncols=3, fontsize=6)
        panels[-1].set_xlabel("wavelength (vacuum, Angstrom)")
        return as_bytes(figure, "png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--each", type=int, default=40, help="spectra per class and bin of Teff")
    parser.add_argument("--figure", type=Path, required=True)
    args = parser.parse_args()
    runs = {"simulated": (args.root, SIMULATED_K)}
    if args.real is not None:
        runs["real"] = (args.real, REAL_K)
    found: dict[tuple[str, str], tuple[Seen, Information]] = {}
    for name, (root, edges) in runs.items():
        card: ModelCard = read_card(root / "model")
        for teff, seen in saliency(root, edges, args.each).items():
            middle = np.mean([float(edge) for edge in teff.removesuffix(" K").split("-")])
            known = information(float(middle), SimulateSettings(), card.spectra)
            found[name, teff] = seen, known
    wave_L = WaveGrid.from_settings(card.spectra).wave_L
    print("| network | Teff | couples | information of q, primary fixed | colour fixed | "
          "pair less nearest single | the same at given depth | depth of the lines |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for (name, teff), pair in found.items():
        print(compare(name, teff, *pair))
    print("\n| line | " + " | ".join(f"{name} {teff}" for name, teff in found) + " |")
    print("|---|" + "---|" * len(found))
    columns = [
        (shares(np.abs(seen.contrast_L), wave_L), shares(known.single, wave_L))
        for seen, known in found.values()
    ]
    for number, line in enumerate(LINES):
        cells = [f"{look[number]:.3f} / {info[number]:.3f}" for look, info in columns]
        print(f"| {line} | " + " | ".join(cells) + " |")
    write_bytes(args.figure, draw(found, wave_L))


if __name__ == "__main__":
    main()
