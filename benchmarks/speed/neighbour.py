"""Training beside other work: threads that wait asleep, and threads that spin.

    python benchmarks/speed/neighbour.py [--rounds N] [--busy N]

Steps of the default network with two threads, once on an idle machine and once beside busy
processes, with the threads of OpenMP spinning as by default, sleeping at once (passive), or
spinning for so many turns (GOMP_SPINCOUNT). Quoted are steps per second, and per second of
processor time used.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time

WAYS: dict[str, dict[str, str]] = {
    "spinning": {},
    "passive": {"OMP_WAIT_POLICY": "passive"},
    "1,000": {"GOMP_SPINCOUNT": "1000"},
    "10,000": {"GOMP_SPINCOUNT": "10000"},
    "100,000": {"GOMP_SPINCOUNT": "100000"},
}
"""How threads wait: as long as they like, not at all, or for so many turns."""


def steps(seconds: float) -> tuple[float, float]:
    """Train on random spectra; return steps per second and per second of processor time."""
    import torch

    from pipeline.network.model import build_model
    from pipeline.settings.network import NetworkSettings

    torch.set_num_threads(2)
    torch.manual_seed(0)
    model = build_model(NetworkSettings(), 3534, 0)
    optimizer = torch.optim.Adam(model.parameters())
    flux_BL, label_B = torch.randn(64, 3534), torch.randint(2, (64,)).float()
    count, start = -3, time.perf_counter()
    used = 0.0
    while time.perf_counter() - start < seconds:
        if count == 0:
            start = time.perf_counter()
            used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(flux_BL).ravel(), label_B)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        count += 1
    wall = time.perf_counter() - start
    return count / wall, count / (resource.getrusage(resource.RUSAGE_SELF).ru_utime - used)


def spin() -> None:
    while True:
        pass


def measure(way: str, seconds: float) -> tuple[float, float]:
    preset = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    environment = {k: v for k, v in os.environ.items() if k not in preset} | WAYS[way]
    command = [sys.executable, __file__, "--steps", str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    per_second, per_cpu = map(float, done.stdout.split())
    return per_second, per_cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--busy", type=int, default=2, help="busy processes beside")
    parser.add_argument("--steps", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.steps:
        print(*steps(options.steps))
        return
    print("machine  waiting   steps/s   range          steps per processor second")
    for busy in (0, options.busy):
        neighbours = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
        for process in neighbours:
            process.start()
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
        for _ in range(options.rounds):
            for way in WAYS:
                found[way].append(measure(way, options.seconds))
        for process in neighbours:
            process.kill()
        for way, pairs in found.items():
            rates, per_cpu = zip(*pairs, strict=True)
            print(
                f"{'busy' if busy else 'idle':8} {way:9} "
                f"{statistics.median(rates):7.2f}   {min(rates):.2f}-{max(rates):.2f}   "
                f"{statistics.median(per_cpu):10.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
