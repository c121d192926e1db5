"""Calibration by one temperature against one by Teff and S/N, on stars that fitted neither.

Usage: ``python benchmarks/science/calibration.py ROOT [--simulated N]``. ROOT is a
run with labels and predictions, e.g. that of ``pairspec demo``. Fits on the validation part and
tests on the test part; with ``--simulated`` also on so many simulated spectra, other ones of which
fit, and on as few as the validation part has.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from pipeline.core.root import Root
from pipeline.evaluation.calibration import (
    balanced_weights,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)
from pipeline.evaluation.intervals import Bootstrap
from pipeline.evaluation.labelled import read_labelled_predictions
from pipeline.evaluation.smooth import fit_smooth
from pipeline.network.examples import simulated_examples
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.simulate import SimulateSettings
from schemas.catalogue import PREDICTIONS
from schemas.observations import OBSERVATIONS
from schemas.sample import LABELS

TEFF_K = (4300.0, 4900.0, 5300.0, 5800.0)
SNR = (20.0, 50.0, 200.0)
BINS = 10
FRACTION = 0.5


class Spectra(NamedTuple):
    """Log-odds and classes of B spectra with their stars, Teff and S/N."""

    logit: np.ndarray
    binary: np.ndarray
    star: np.ndarray
    teff: np.ndarray
    snr: np.ndarray

    def take(self, rows: np.ndarray | slice) -> "Spectra":
        """Return some of them."""
        return Spectra(*(column[rows] for column in self))


def of_run(root: Path) -> tuple[Spectra, Spectra]:
    """Read the validation and the test part of a run."""
    folder = Root(root)
    judged = read_labelled_predictions(
        folder.table(LABELS), folder.table(PREDICTIONS), None, folder.table(OBSERVATIONS)
    )
    parts = (judged.part(name) for name in ("validation", "test"))
    validation, test = (
        Spectra(p.logit_B, p.binary_B, p.star_B, p.teff_k_B, p.snr_g_B) for p in parts
    )
    return validation, test


def simulated(root: Path, n: int, seed: int) -> Spectra:
    """Simulate pairs of q 0.71-0.93 and single stars in the range of Teff, and classify them."""
    predictor = Predictor(Root(root).model, None, InferSettings())
    made = simulated_examples(n, seed, SimulateSettings(), predictor.card.spectra)
    logit, _ = predictor.predict(np.asarray(made.spectra.flux_BL, np.float32))
    whole = Spectra(
        logit.astype(np.float64), made.spectra.label_B == 1, made.star_B,
        np.asarray(made.truth["teff_k"], float), np.asarray(made.truth["snr_g"], float),
    )  # fmt: skip
    return whole.take((whole.teff > TEFF_K[0]) & (whole.teff < TEFF_K[-1]))


def calibrated(fitted: Spectra, test: Spectra) -> dict[str, np.ndarray]:
    """Log-odds of the test spectra: as they are, by one temperature, by Teff and S/N."""
    weight = balanced_weights(fitted.binary, FRACTION)
    temperature = fit_temperature(fitted.logit, fitted.binary, weight)
    found = {"network": test.logit, f"temperature {temperature:.2f}": test.logit / temperature}
    smooth = fit_smooth(*fitted, FRACTION)
    if smooth is None:
        print("no gain by Teff and S/N on the validation stars")
        return found
    print(f"cross-validated -log L: temperature {smooth.loss_temperature:.4f}, by Teff and S/N "
          f"{smooth.loss:.4f} (ridge {smooth.ridge:g}, scale {np.round(smooth.scale, 2)}, shift "
          f"{np.round(smooth.shift, 2)})")  # fmt: skip
    return found | {"by Teff and S/N": smooth.calibrated(test.logit, test.teff, test.snr)}


def compare(title: str, fitted: Spectra, test: Spectra) -> None:
    """Print loss and calibration error on the test spectra, in all and by bin, with intervals."""
    print(f"\n{title}: fitted on {len(fitted.star)} spectra ({fitted.binary.sum()} binary), tested "
          f"on {len(test.star)} ({test.binary.sum()})")  # fmt: skip
    ways = calibrated(fitted, test)
    draws = Bootstrap(test.star, 400)

    def loss(logit: np.ndarray, times: np.ndarray) -> float:
        weight = _weight(test.binary, times)
        return negative_log_likelihood(logit, test.binary, weight)

    print("\n| | -log L | calibration error |\n|---|---|---|")
    for name, logit in ways.items():
        first = draws.interval(lambda times, z=logit: loss(z, times))
        second = draws.interval(lambda times, z=logit: _error(z, test.binary, times))
        print(f"| {name} | {first} | {second} |")
    plain, *rest = list(ways.values())[1:]
    for logit in rest:
        gain = draws.interval(lambda times, z=logit: loss(z, times) - loss(plain, times))
        print(f"| by Teff and S/N less temperature | {gain} | |")
    print("\n| Teff, S/N | spectra, binary | " + " | ".join(ways) + " |")
    print("|---|---|" + "---|" * len(ways))
    for low, high in pairwise(TEFF_K):
        for faint, bright in pairwise(SNR):
            here = (test.teff >= low) & (test.teff < high)
            here &= (test.snr >= faint) & (test.snr < bright)
            binary = test.binary[here]
            if min(binary.sum(), (~binary).sum()) < 5:
                continue
            few = Bootstrap(test.star[here], 400)
            cells = [
                few.interval(lambda t, z=logit[here], b=binary: _gap(z, b, t))
                for logit in ways.values()
            ]
            row = " | ".join(map(str, cells))
            print(f"| {low:.0f}-{high:.0f} K, {faint:.0f}-{bright:.0f} | {here.sum()}, "
                  f"{binary.sum()} | {row} |")  # fmt: skip


def _weight(binary: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Draws of the rows, both classes of the same weight."""
    n_binary, n_single = (times * binary).sum(), (times * ~binary).sum()
    if not n_binary or not n_single:
        return np.full(binary.size, np.nan)
    return np.asarray(times * np.where(binary, 0.5 / n_binary, 0.5 / n_single))


def _error(logit: np.ndarray, binary: np.ndarray, times: np.ndarray) -> float:
    return reliability(expit(logit), binary, _weight(binary, times), BINS).expected_error


def _gap(logit: np.ndarray, binary: np.ndarray, times: np.ndarray) -> float:
    """Mean predicted less observed share of binaries, classes of the same weight."""
    weight = _weight(binary, times)
    return float((weight * (expit(logit) - binary)).sum() / weight.sum())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--simulated", type=int, default=0, metavar="N")
    args = parser.parse_args()
    validation, test = of_run(args.root)
    compare("labels", validation, test)
    if args.simulated:
        fitted = simulated(args.root, args.simulated, 8801)
        tested = simulated(args.root, args.simulated, 8802)
        few = fitted.take(slice(0, len(validation.star)))
        compare("simulated, few to fit", few, tested)
        compare("simulated, many to fit", fitted, tested)


if __name__ == "__main__":
    main()
