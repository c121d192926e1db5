"""The figures of the report: where each comes from, what it shows, in words for who cannot see."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.atomic import write_bytes
from pipeline.core.figures import KINDS
from pipeline.core.root import Root

FOLDER = "figures"


@dataclass(frozen=True)
class Picture:
    """One figure of a run.

    Parameters
    ----------
    name : str
        Name of its files in the folder of the report.
    title : str
        What it is; with its number in the paper.
    alt : str
        What it shows.
    source : str
        Its file below the root, without the ending.
    dataset : str
        Dataset that it belongs to.
    validation : str
        Validation that it belongs to; empty for none.
    """

    name: str
    title: str
    alt: str
    source: str
    dataset: str
    validation: str = ""

    def copied(self, root: Root, kind: str = "png") -> Path:
        """Return its file in the folder of the report."""
        return root.reports / FOLDER / f"{self.name}.{kind}"


def _validated(number: int, validation: str, title: str, alt: str) -> Picture:
    """Figure of a validation; 0 for one that the paper does not have."""
    plain = validation.replace("_", "-")
    where = f"validation/{validation}/figure"
    if number:
        plain, title = f"fig{number:02d}-{plain}", f"Figure {number} of the paper: {title}"
    return Picture(plain, title, alt, where, "validation", validation)


_PANEL = "Colour-magnitude diagram, (G-Ks)0 against M_G"
_SCORES = "Histogram of p_b from 0 to 1"

PICTURES = (
    _validated(1, "training_cmd", "the training sample",
               f"{_PANEL}: single stars along the main sequence, those labelled binary above it."),
    Picture("fig02-network", "In the place of figure 2 of the paper: the network",
            "Layers of the network from the normalised flux to the log-odds of two stars, each "
            "with its channels, pixels and number of parameters. [assumed: that figure 2 of the "
            "paper shows its network]", "reports/network", "model"),
    Picture("roc", "ROC curve of the test part",
            "True positive rate against false positive rate, with the 95 % interval and the "
            "point of the paper.", "reports/roc", "evaluation"),
    _validated(3, "scores", "p_b of the test part, precision, and the ROC curve",
               f"(a) {_SCORES} of both classes. (b) Precision against the threshold on p_b. "
               "(c) True positive rate against false positive rate; bands are 95 % intervals."),
    _validated(4, "mass_ratio", "fraction of binaries against the mass ratio",
               "Fraction of stars above thresholds on p_b against the mass ratio from photometry, "
               "one panel per convention; for a simulated survey also the true one."),
    _validated(5, "eclipsing", "eclipsing binaries",
               f"(a) {_SCORES} of types EA and EW. (b) Fraction with p_b above 0.5 against the "
               "period."),
    _validated(6, "velocities", "stars of variable and of constant velocity",
               f"{_SCORES} of stars with variable and with constant radial velocity: (a) by the "
               "paper's limits, (b) by chi-square."),
    _validated(7, "counts", "p_b of spectra and stars",
               f"(a) {_SCORES}. (b) Fraction of spectra and of stars above each p_b."),
    _validated(8, "sky", "binaries on the sky",
               "Map in Galactic coordinates of the number of stars with p_b above 0.5."),
    _validated(9, "distances", "distances of the stars with p_b above 0.5",
               "Histogram of distances with the median, beside the median of the paper."),
    _validated(10, "cmd_density", "density of stars below and above 0.5",
               f"{_PANEL}, number of stars per cell: (a) p_b below 0.5, (b) above."),
    Picture("reliability", "Calibration",
            "Observed fraction of binaries against predicted probability in bins of equal count, "
            "beside the diagonal of perfect calibration.", "reports/reliability", "evaluation"),
    _validated(0, "false_positives", "False positives by number of spectra",
               "False positive rate against the number of spectra of a star, by the highest, the "
               "mean and the combined p_b."),
    _validated(0, "completeness", "Completeness",
               "Share of injected pairs and of single stars above thresholds on p_b: (a) against "
               "the mass ratio, (b) the S/N, (c) Teff."),
    _validated(0, "gaia", "Evidence of Gaia",
               "Fraction of stars with signs of a companion in Gaia against G magnitude, for p_b "
               "above and below 0.5."),
    _validated(0, "planets", "Planet hosts",
               f"{_SCORES} of planet hosts and of all stars."),
    _validated(0, "compare", "Beside another catalogue",
               f"{_SCORES} of the other catalogue's binaries and of its other stars."),
    Picture("ridge", "Main-sequence ridge and limits of the labels",
            f"(a) {_PANEL} with the ridge by [Fe/H]. (b) Distance from the ridge, with the limits "
            "of the labels.", "reports/ridge", "labels"),
    Picture("training", "Training",
            "(a) Cross-entropy of the training and validation parts against epoch. (b) Validation "
            "AUC against epoch.", "reports/training", "model"),
)  # fmt: skip


def gather(root: Root, kept: set[str]) -> tuple[list[Picture], list[Path]]:
    """Copy the figures of a run into the folder of the report; others there are deleted.

    Parameters
    ----------
    root : Root
        Root of the run.
    kept : set of str
        Datasets that are current; a figure of another one is left out.

    Returns
    -------
    pictures : list of Picture
        Those that the run has.
    files : list of pathlib.Path
        Their copies.
    """
    shutil.rmtree(root.reports / FOLDER, ignore_errors=True)
    pictures, files = [], []
    for picture in PICTURES:
        there = {kind: root.path / f"{picture.source}.{kind}" for kind in KINDS}
        if picture.dataset not in kept or not all(path.is_file() for path in there.values()):
            continue
        for kind, path in there.items():
            files.append(picture.copied(root, kind))
            write_bytes(files[-1], path.read_bytes())
        pictures.append(picture)
    return pictures, files
