"""``python -m scripts.fuzz --inputs 1000000``: broken files for the readers, on all cores.

An input is known by seed and number: ``--seed S --first N --inputs 1`` makes it again.
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from scripts.fuzz.campaign import Outcome, run

STEP = 2000


def _run(task: tuple[int, int, int]) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return run(*task, Path(folder) / "input")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    last = given.first + given.inputs
    starts = range(given.first, last, STEP)
    tasks = [(given.seed, start, min(start + STEP, last)) for start in starts]
    total, began = Outcome(), time.perf_counter()
    with ProcessPoolExecutor(given.workers) as pool:
        for outcome in pool.map(_run, tasks):
            total.add(outcome)
            for failure in outcome.failures:
                print(failure, flush=True)
            if total.n_inputs % (50 * STEP) == 0:
                print(f"{total.n_inputs:,} inputs", flush=True)
    for answer, count in total.answers.most_common():
        print(f"  {answer:<32}{count:>12,}")
    minutes = (time.perf_counter() - began) / 60
    print(
        f"{total.n_inputs:,} inputs in {minutes:.1f} min, the slowest {total.slowest_s:.2f} s, "
        f"memory grew by {total.growth_mb:.0f} MB, {len(total.failures)} failures"
    )
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
