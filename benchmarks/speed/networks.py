"""Networks of several sizes: AUC on unseen spectra, and spectra per second of one core.

Usage: ``python benchmarks/speed/networks.py --root RUN --cache FOLDER [--only NAME ...] [--rounds
N] [--figure FOLDER]``.

RUN is a finished run with composites, like the demo's. All networks are trained on its training
part, with the settings on its network's card and for as many epochs, and keep the epoch that is
best on its validation part; "taught" ones learn from its network, too. They are judged on simulated
dwarfs within the range of the training spectra, and on the composites of the test part. Intervals
are those of 95 % over the stars; differences are to the run's own network, on the same draws. A
network that is in the cache is not trained again. Speed is that of the network as ``pairspec
infer`` applies it, one thread, in processor time; rounds are interleaved, so that a busy machine
slows all alike.
"""

import argparse
import os

os.environ |= {"OMP_NUM_THREADS": "1"}

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from networks_task import Task, Test
from networks_tried import Dense, Windowed
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pipeline.core.colours import BINARY, SINGLE
from pipeline.core.figures import legend, new_figure, plain_log, styled, write_figure
from pipeline.core.root import Root
from pipeline.evaluation.intervals import Bootstrap, Estimate
from pipeline.network.checkpoint import load_model
from pipeline.network.metrics import weighted_auc
from pipeline.network.model import PairNet, build_model, flop_count, folded, parameter_count
from pipeline.network.teacher import find_teacher, taught
from pipeline.network.trainer import train
from pipeline.settings.network import NetworkSettings

DEFAULT = "light"
BATCH = 64
TIMED = 512
"""Spectra that a round of timing classifies."""


Network = Callable[[torch.Tensor], torch.Tensor]


class Way(NamedTuple):
    """How to build one network for spectra of so many pixels, and the weight of the teacher."""

    build: Callable[[int], PairNet]
    teacher_weight: float = 0.0


def sized(n_pixel: int, **sizes: object) -> PairNet:
    return build_model(NetworkSettings.model_validate(sizes), n_pixel, torch.initial_seed())


FAST = partial(sized, preset="fast")

WAYS: dict[str, Way] = {
    DEFAULT: Way(sized),
    "small": Way(partial(sized, preset="small")),
    "light, taught": Way(sized, 0.5),
    "fast, taught": Way(FAST, 0.5),
    "fast": Way(FAST),
    "windowed, taught": Way(Windowed, 0.5),
    "windowed": Way(Windowed),
    "dense, taught": Way(Dense, 0.5),
    "dense": Way(Dense),
}


class Trained(NamedTuple):
    """A network as it was trained, and its AUC on the validation part."""

    model: PairNet
    validation_auc: float

    def ready(self) -> PairNet:
        """Return it as inference applies it."""
        return folded(self.model)


def trained(task: Task, name: str, cache: Path) -> Trained:
    """Train one network, or read it."""
    if name == DEFAULT:
        return Trained(load_model(task.root.model)[0], task.card.metrics["validation_auc"])
    way, settings = WAYS[name], task.training
    short = name.replace(", ", "-").replace(" ", "-")
    weights = cache / f"{short}.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        model = way.build(task.card.n_pixel)
    if weights.exists():
        model.load_state_dict(load_file(weights))
        with safe_open(weights, "pt") as file:
            return Trained(model.eval(), float(file.metadata()["validation_auc"]))
    begin, parts = time.process_time(), task.parts
    if way.teacher_weight:
        settings = settings.model_copy(update={"teacher_weight": way.teacher_weight})
        teacher = find_teacher(task.root.model, task.card.spectra, task.card.survey)
        parts = taught(parts, teacher, settings)
    state = cache / short
    result = train(model, settings, parts.training, parts.validation, state, parts.weight_B)
    print(f"{name}: {time.process_time() - begin:.0f} s of CPU", flush=True)
    reached = result.best["validation_auc"]
    save_file(result.model.state_dict(), weights, {"validation_auc": str(reached)})
    return Trained(result.model, reached)


def logits(network: Network, flux_BL: np.ndarray) -> np.ndarray:
    """Classify as ``pairspec infer`` does."""
    with torch.inference_mode():
        found = [
            network(torch.from_numpy(flux_BL[start : start + BATCH].astype(np.float32)))
            for start in range(0, len(flux_BL), BATCH)
        ]
    return torch.cat(found).numpy()


def compared(scores: dict[str, np.ndarray], test: Test) -> dict[str, tuple[Estimate, Estimate]]:
    """AUC of every network, and its difference from the default one's."""
    bootstrap, label_B = Bootstrap(test.star_B), test.label_B == 1

    def both(name: str, weight_B: np.ndarray) -> np.ndarray:
        one, other = (
            weighted_auc(scores[n].astype(float), label_B, weight_B) for n in (name, DEFAULT)
        )
        return np.array([one, one - other])

    found = {}
    for name in scores:
        value, low, high = bootstrap.curve(lambda weight_B, name=name: both(name, weight_B))
        found[name] = tuple(Estimate(*map(float, v)) for v in zip(value, low, high, strict=True))
    return found


def speeds(networks: dict[str, Network], flux_BL: np.ndarray, rounds: int) -> dict[str, np.ndarray]:
    """Spectra per second of processor time, one value per round."""
    rates: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(rounds + 1):
        for name, network in networks.items():
            begin = time.process_time()
            logits(network, flux_BL)
            if number:  # the first round warms up
                rates[name].append(len(flux_BL) / (time.process_time() - begin))
    return {name: np.array(found) for name, found in rates.items()}


def table(found: dict[str, Trained], judged: dict, rate: dict[str, np.ndarray]) -> str:
    tests = [part for test in judged for part in (f"AUC, {test}", "less the default's")]
    head = ("network", "M parameters", "MFLOP", "spectra/s/core", "times", "validation AUC", *tests)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, network in found.items():
        low, middle, high = np.percentile(rate[name], [0, 50, 100])
        cells = [
            name, f"{parameter_count(network.model) / 1e6:.2f}",
            f"{flop_count(network.model) / 1e6:.1f}", f"{middle:,.0f} ({low:,.0f}-{high:,.0f})",
            f"{middle / np.median(rate[DEFAULT]):.1f}", f"{network.validation_auc:.3f}",
        ]  # fmt: skip
        for test in judged.values():
            auc, less = test[name]
            cells += [str(auc), f"{less.value:+.4f} [{less.low:+.4f}, {less.high:+.4f}]"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


@styled()
def draw(folder: Path, judged: dict, rate: dict[str, np.ndarray]) -> None:
    """AUC against speed, one panel per test."""
    figure, panels = new_figure(len(judged))
    for axes, (test, found) in zip(panels, judged.items(), strict=True):
        for name, (auc, _) in found.items():
            kind, _, learned = name.partition(", ")
            # Beside that of the labels, which has the same speed.
            speed = np.median(rate[name]) * (1.05 if learned else 1)
            error = [[auc.value - auc.low], [auc.high - auc.value]]
            axes.errorbar(speed, auc.value, error, fmt="o", color=BINARY if learned else SINGLE)
            if not learned or kind not in found:
                place = {"textcoords": "offset points", "ha": "right", "fontsize": 7}
                axes.annotate(kind, (speed, auc.value), (-5, 3), **place)
        for colour, label in ((SINGLE, "labels alone"), (BINARY, "taught")):
            axes.plot([], [], "o", color=colour, label=label)
        axes.margins(x=0.15)
        legend(axes, columns=2)
        axes.set(xscale="log", xlabel="spectra per second of one core", ylabel=f"AUC, {test}")
        plain_log(axes.xaxis)
        # Room for the name of the slowest.
        axes.set_xlim(left=axes.get_xlim()[0] / 1.5)
    write_figure(folder, "networks", figure)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--simulated", type=int, default=6400)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    task = Task(Root(args.root))
    names = [DEFAULT, *(name for name in args.only if name != DEFAULT)]
    found = {name: trained(task, name, args.cache) for name in names}
    networks = {name: one.ready() for name, one in found.items()}
    tests = task.tests(args.cache, args.simulated)
    judged = {
        name: compared({n: logits(net, test.flux_BL) for n, net in networks.items()}, test)
        for name, test in tests.items()
    }
    flux_BL = tests["simulated"].flux_BL[:TIMED].astype(np.float32)
    rate = speeds(networks, flux_BL, args.rounds)
    print(table(found, judged, rate))
    if args.figure:
        draw(args.figure, judged, rate)


if __name__ == "__main__":
    main()
