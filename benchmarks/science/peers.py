"""The network and other methods on the same unseen simulated spectra: AUC and speed.

``python benchmarks/science/peers.py PART ... --model FOLDER --cache FOLDER`` runs the parts
``train`` (quadratic logistic regression on principal components, on the network's own training
spectra), ``score`` (it and the network on the test spectra), ``fit`` (single against binary model
on the first of them), ``speed`` and ``table``, or ``all``. Each keeps what it made in the cache and
computes it only once, except the speeds, which are measured anew. Everything runs on one thread.
Without ``--model`` the network is left out. ``table`` fills in the page ``--out`` too.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
from pages import fill
from pca_logistic import N_COMPONENT, N_QUADRATIC, RIDGE, PcaLogistic, fit_pca_logistic
from peers_tables import Peers, names_of, peers_tables

from pipeline.core.digest import digest_of
from pipeline.limits.template_fit import RESOLUTION, FitSettings, compare
from pipeline.limits.view import View
from pipeline.network.card import ModelCard, read_card
from pipeline.network.examples import Q_RANGE, SNR_RANGE, simulated_examples
from pipeline.network.loader import Labelled
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.load import load_settings
from pipeline.settings.training import TrainingSettings
from pipeline.simulate.examples import BLOCK, RawExamples, labelled_block
from pipeline.spectra.prepare import network_input

Columns = dict[str, np.ndarray]
PARTS = ("train", "score", "fit", "speed", "table")
SCATTER = ("off", "on")
SEED = 7000
"""Of the test spectra, which no classifier was trained on."""

CHUNK = 64
"""Spectra fitted together."""


class Bench:
    """One choice of scatter, model and sizes, and its files."""

    def __init__(self, args: argparse.Namespace) -> None:
        settings = load_settings(overrides=args.set)
        scatter = settings.simulate.scatter.model_copy(update={"enabled": args.scatter == "on"})
        self.simulate = settings.simulate.model_copy(update={"scatter": scatter})
        self.model: Path | None = args.model
        self.card: ModelCard | None = read_card(args.model) if args.model else None
        self.spectra = self.card.spectra if self.card else settings.spectra
        self.training: TrainingSettings = (
            self.card.training if self.card and self.card.training else settings.training
        )
        self.n_test, self.n_fit = args.test, args.fit
        self.fit_settings = FitSettings()
        known = digest_of(self.simulate, self.spectra)
        sizes = (self.training.n_examples, self.training.validation_share, self.training.seed)
        options = (N_COMPONENT, N_QUADRATIC, RIDGE)
        self.folder = args.cache / f"{args.scatter}-{known}"
        self.pca_path = self.folder / f"regression-{digest_of(*sizes, *options)}.joblib"
        self.speed_path = self.folder / f"speed-{self.card.model_id if self.card else 'none'}.json"

    @cached_property
    def predictor(self) -> Predictor | None:
        """The network on one thread, if there is one."""
        if self.model is None:
            return None
        return Predictor(self.model, None, InferSettings(threads=1, device="cpu"))

    @cached_property
    def pca(self) -> PcaLogistic:
        """The logistic regression, fitted if need be."""
        if not self.pca_path.exists():
            seen, asked = self.examples()
            if self.card and self.card.data_digest != seen.digest():
                raise SystemExit(
                    f"{self.model} was not trained on these {len(seen)} simulated spectra: give "
                    "the --scatter and the --set that it was trained with"
                )
            fit_pca_logistic(
                seen.flux_BL, seen.label_B, asked.flux_BL, asked.label_B
            ).save(self.pca_path)  # fmt: skip
        return PcaLogistic.load(self.pca_path)

    def examples(self) -> tuple[Labelled, Labelled]:
        """Training and validation spectra, those of `pipeline.network.job.train_on_blocks`."""
        n = self.training.n_examples
        path = self.folder / f"examples-{n}-{self.training.seed}.npz"
        if not path.exists():
            made = simulated_examples(n, self.training.seed, self.simulate, self.spectra).spectra
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path.with_suffix(".partial.npz"), flux=made.flux_BL, label=made.label_B)
            path.with_suffix(".partial.npz").replace(path)
        with np.load(path) as arrays:
            flux_BL, label_B = arrays["flux"], arrays["label"]
        held = max(1, round(self.training.validation_share * n))
        first, second = slice(0, -2 * held), slice(-2 * held, -held)
        return Labelled(flux_BL[first], label_B[first]), Labelled(flux_BL[second], label_B[second])

    def raw(self, block: int) -> RawExamples:
        """Simulate one block of the test spectra."""
        return labelled_block(
            block, SEED, self.simulate, q_range=Q_RANGE, snr_range=SNR_RANGE, binary_fraction=0.5
        )

    def flux(self, raw: RawExamples) -> tuple[np.ndarray, np.ndarray]:
        """Normalise the usable spectra of a block; their rows, and their flux."""
        ready = network_input(
            raw.flux_BN, raw.ivar_BN, raw.log10_first_B, raw.n_pixel_B, raw.rv_kms_B, self.spectra
        )
        rows = np.flatnonzero(np.asarray(ready.usable_B))
        return rows, np.asarray(ready.flux_BL)[rows]

    def scored(self, block: int) -> Columns:
        """Classify one block with regression and network."""
        raw = self.raw(block)
        rows, flux_BL = self.flux(raw)
        columns = {"pca": self.pca.logit(flux_BL)}
        if self.predictor:
            columns["network"] = self.predictor.predict(flux_BL)[0].astype(float)
        names = ("snr_g", "q", "teff1_k")
        truth = {name: getattr(raw, name)[rows] for name in names}
        return {**columns, **truth, "label": raw.label_B[rows], "star": block * BLOCK + rows}

    def fitted(self, block: int) -> Columns:
        """Fit both models to one block."""
        raw = self.raw(block)
        rows, _ = self.flux(raw)
        parts = [self.compared(raw, rows[i : i + CHUNK]) for i in range(0, len(rows), CHUNK)]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return {**columns, "star": block * BLOCK + rows}

    def compared(self, raw: RawExamples, rows: np.ndarray) -> Columns:
        """Fit both models to some spectra, starting from the values of a catalogue."""
        view = View(
            np.full(len(rows), RESOLUTION), raw.log10_first_B[rows], raw.n_pixel_B[rows],
            raw.ivar_BN[rows], raw.rv_kms_B[rows], self.spectra,
        )  # fmt: skip
        target_BL, ivar_BL = view.weighed(raw.flux_BN[rows])
        start_B4 = np.stack([raw.teff_k, raw.logg, raw.feh, raw.rv_kms_B], axis=1)[rows]
        found = compare(target_BL, ivar_BL, start_B4, view, self.fit_settings)
        return {
            "gain": found.gain_B,
            "chi2": found.binary.chi2_B,
            "pixels": (ivar_BL > 0).sum(axis=1),
            "fitted_q": found.binary.theta_BX[:, 5],
        }

    def all_of(self, name: str, work: Callable[[int], Columns], n_blocks: int, key: str) -> Columns:
        """Compute blocks, keeping each; return their columns joined."""
        parts: list[Columns] = []
        for block in range(n_blocks):
            path = self.folder / f"{name}-{key}" / f"block-{block:04d}.npz"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                columns = work(block)
                np.savez(path.with_suffix(".partial.npz"), **columns)
                path.with_suffix(".partial.npz").replace(path)
                print(f"  {name}: block {block + 1} of {n_blocks}", flush=True)
            with np.load(path) as arrays:
                parts.append({column: arrays[column] for column in arrays.files})
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}

    def test(self) -> Columns:
        """Scores of regression and network on all test spectra."""
        key = digest_of(self.card.sha256 if self.card else "", self.pca_path.stem)
        return self.all_of("score", self.scored, -(-self.n_test // BLOCK), key)

    def fit(self) -> Columns:
        """Fits of the first test spectra."""
        key = digest_of(repr(self.fit_settings))
        return self.all_of("fit", self.fitted, -(-self.n_fit // BLOCK), key)

    def speed(self, rounds: int) -> None:
        """Measure spectra per second of processor time of each, interleaved; medians."""
        raw = self.raw(0)
        rows, flux_BL = self.flux(raw)
        many_BL = np.tile(flux_BL, (4, 1))
        calls: dict[str, tuple[Callable[[], object], int]] = {
            "prepare": (lambda: self.flux(raw), len(raw)),
            "pca": (lambda: self.pca.logit(many_BL), len(many_BL)),
            "fit": (lambda: self.compared(raw, rows[:CHUNK]), CHUNK),
        }
        predictor = self.predictor
        if predictor:
            calls["network"] = (lambda: predictor.predict(many_BL), len(many_BL))
        rates: dict[str, list[float]] = {name: [] for name in calls}
        for turn in range(rounds + 1):
            for name, (call, n) in calls.items():
                begin = time.process_time()
                call()
                if turn:  # the first one warms up
                    rates[name].append(n / (time.process_time() - begin))
        found = {name: statistics.median(values) for name, values in rates.items()}
        self.speed_path.write_text(json.dumps(found))
        print("  spectra/s: " + ", ".join(f"{k} {v:.1f}" for k, v in found.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="+", metavar="PART", help=f"{', '.join(PARTS)}, or all")
    parser.add_argument("--model", type=Path, help="folder of a network trained on simulation")
    parser.add_argument("--scatter", choices=SCATTER, default="on")
    parser.add_argument("--test", type=int, default=6000, help="unseen spectra")
    parser.add_argument("--fit", type=int, default=512, help="of which so many are fitted")
    parser.add_argument("--rounds", type=int, default=5, help="of the speeds")
    parser.add_argument("--cache", type=Path, default=Path("run/peers"))
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--out", type=Path, help="page whose tables of this scatter to fill in")
    args = parser.parse_args()
    parts = list(PARTS) if args.parts == ["all"] else args.parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if os.environ.get("OMP_NUM_THREADS") != "1":
        # BLAS reads this once, when it is loaded
        command = [sys.executable, *sys.argv]
        os.execve(command[0], command, {**os.environ, "OMP_NUM_THREADS": "1"})
    bench = Bench(args)
    if "train" in parts:
        print(f"  validation AUC {bench.pca.validation_auc:.4f}", flush=True)
    if "score" in parts:
        bench.test()
    if "fit" in parts:
        bench.fit()
    if "speed" in parts:
        bench.speed(args.rounds)
    if "table" in parts:
        speed = json.loads(bench.speed_path.read_text()) if bench.speed_path.exists() else {}
        found = Peers(args.scatter, bench.card, bench.pca, bench.test(), bench.fit(), speed)
        tables = peers_tables(found)
        print("\n".join(tables.values()))
        if args.out:
            others = [name for s in SCATTER if s != args.scatter for name in names_of(s)]
            fill(args.out, tables, keep=others)


if __name__ == "__main__":
    main()
