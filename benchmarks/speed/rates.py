"""What the benchmarks found, kept as result files, and the one table of all of them.

Usage: ``python benchmarks/speed/rates.py`` (``make rates``) makes docs/rates.md from
benchmarks/results. A script writes its file with ``--keep``; every figure stands beside its peer
of the same run.
"""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
PAGE = HERE.parents[1] / "docs" / "rates.md"
HEAD = """# Rates

Made by `make rates` from the files in `benchmarks/results`, each of which a benchmark wrote:
`make bench NAME=read ARGS=--keep`. Every figure is the median of the repeats of one run, with their
range, beside a peer that took its turns in the same run; "times" is how many times better than the
peer. What the peers are and what the figures mean stands in [performance.md](performance.md) and in
the head of each script.
"""


@dataclass(frozen=True)
class Rate:
    """A figure and its peer.

    Parameters
    ----------
    what, size, unit : str
        What was done, of how much, and in what it is measured.
    ours, theirs : sequence of float
        Of each repeat; the peer's may be missing.
    peer : str
        What a user would take instead.
    less_is_more : bool
        The figure is a time.
    """

    what: str
    size: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()
    less_is_more: bool = False

    @property
    def ratio(self) -> float:
        """Times faster than the peer, by the medians."""
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return theirs / ours if self.less_is_more else ours / theirs

    def row(self) -> str:
        """Row of the table, without the script."""
        other = f"{self.peer}: {_shown(self.theirs)} | {self.ratio:.2f}" if self.theirs else " | "
        return f"{self.what} | {self.size} | {_shown(self.ours)} {self.unit} | {other}"


def _shown(values: Sequence[float]) -> str:
    """Median and range."""
    median = _number(statistics.median(values))
    if len(values) < 2:
        return median
    return f"{median} [{_number(min(values))}, {_number(max(values))}]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def keep(script: str, rates: Sequence[Rate], folder: Path = RESULTS) -> Path:
    """Write the result file of a script.

    Parameters
    ----------
    script : str
        Its file.
    rates : sequence of Rate
        What it found.
    folder : pathlib.Path
        Where to.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"{Path(script).stem}.json"
    found = {"machine": machine(), "rates": [asdict(rate) for rate in rates]}
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def machine() -> dict[str, Any]:
    """Describe this machine, and how busy it is."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[1], 1),
        "python": platform.python_version(),
        "day": datetime.now(UTC).date().isoformat(),
    }


def page(folder: Path = RESULTS) -> str:
    """Make the page of all results.

    Parameters
    ----------
    folder : pathlib.Path
        Where the result files are.
    """
    lines = [HEAD, "| script | what | of | pairspec | peer | times |", "|---|---|---|---|---|---|"]
    machines = []
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text())
        lines += [f"| `{path.stem}` | {Rate(**rate).row()} |" for rate in found["rates"]]
        on = found["machine"]
        machines.append(
            f"| `{path.stem}` | {on['cores']} cores of {on['processor']} | {on['load']} "
            f"| {on['python']} | {on['day']} |"
        )
    lines += ["", "Where and when; the load is that of the five minutes before the end:", ""]
    lines += ["| script | machine | load | Python | day |", "|---|---|---|---|---|", *machines]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
