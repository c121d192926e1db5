"""The explorer over millions of stars: first picture, from selection to updated views, memory.

    python benchmarks/speed/explore.py [--stars 1000000 3000000 7000000] [--updates 20]

The catalogue is drawn from the simulator's populations: colour, M_G, [Fe/H] and S/N of its stars,
random places on the sky, p_b that rises with the brightness above the others. `pairspec browse`
serves it, and Chromium opens the page and draws boxes in the colour-magnitude diagram with the
mouse. Quoted are

- start: from the command to the address, with reading the catalogue;
- picture: from asking for the address to all three pictures drawn;
- update: from the end of a box to the number, all pictures and the table redrawn in the browser,
  median and largest;
- processor: processor time of server and browser for a picture or an update with its drag, the
  better number where other jobs use the machine;
- memory of the server after that.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
from playwright.sync_api import sync_playwright
from select_sample import POOL, fill

from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.diagram import draw_diagram
from schemas.catalogue import STARS

PART = 500_000
MIB = 2**20
# The clock of the page runs from asking for the address.
CLOCK = """(() => {
    const look = () => {
        if (window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle) {
            requestAnimationFrame(() => { window.drawn = performance.now(); });
        } else { setTimeout(look, 10); }
    };
    look();
})()"""
# Drawn once the browser has had a frame for each change that the server has sent.
WATCH = """() => {
    const model = name => Bokeh.documents[0].get_model_by_name(name);
    const said = document.querySelector("body");
    window.changes = {};
    for (const [name, source] of Object.entries({
        cmd: model("cmd").renderers[1].data_source, sky: model("sky").renderers[1].data_source,
        p_b: model("p_b").renderers[1].data_source, table: model("table").source,
    })) {
        source.properties.data.change.connect(() => requestAnimationFrame(
            () => requestAnimationFrame(() => { window.changes[name] = performance.now(); })));
    }
}"""
SEEN = """start => ["cmd", "sky", "p_b", "table"].every(name => window.changes[name] > start)
    && Math.max(...Object.values(window.changes))"""


def write_catalogue(root: Root, n_stars: int) -> None:
    """Write a catalogue of so many stars, and declare it complete."""
    rng = np.random.default_rng(1)
    pool = draw_diagram(rng, POOL, SimulateSettings())
    folder = root.table(STARS) / "Norder=0" / "Dir=0"
    folder.mkdir(parents=True)
    for part, first in enumerate(range(0, n_stars, PART)):
        n = min(PART, n_stars - first)
        who, number = rng.integers(0, POOL, n), np.arange(first, first + n)
        above = rng.normal(0, 0.3, n)
        known = {
            "_healpix_29": number, "source_id": (1 << 60) + number,
            "star_id": [f"Gaia {(1 << 60) + k}" for k in number.tolist()],
            "ra_deg": rng.uniform(0, 360, n),
            "dec_deg": np.degrees(np.arcsin(rng.uniform(-0.17, 0.87, n))),
            "g_ks_0": (pool.colour[who] + rng.normal(0, 0.02, n)).astype("f4"),
            "m_g": (pool.m_g[who] + above).astype("f4"), "delta_m_g": above.astype("f4"),
            "feh": pool.feh[who].astype("f4"), "snr_g_best": pool.snr_g[who].astype("f4"),
            "p_b": (1 / (1 + np.exp(6 * above + rng.normal(1, 1, n)))).astype("f4"),
            "n_spectra": rng.integers(1, 6, n).astype("i4"), "model_id": "benchmark123",
        }  # fmt: skip
        pq.write_table(fill(STARS, n, known), folder / f"Npix={part}.parquet", compression="zstd")
    publish(root.path, "catalogue", Published("benchmark", {"stars": n_stars}))


class Processes:
    """Processor time of the server and of the browser, which other jobs do not lengthen much."""

    def __init__(self) -> None:
        self._begin = self._used()

    def _used(self) -> float:
        total = 0.0
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                total += sum(process.cpu_times()[:2])
        return total

    def since(self) -> float:
        """Return the seconds since the last call."""
        before, self._begin = self._begin, self._used()
        return self._begin - before


@dataclass(frozen=True)
class Times:
    """Seconds, of the wall and of processors, and MiB of the server."""

    start: float
    picture: float
    picture_cpu: float
    updates: list[float]
    update_cpu: float
    memory: float


def measure(root: Root, updates: int) -> Times:
    """Serve a catalogue, open its page, and select."""
    command = [sys.executable, "-m", "pipeline", "browse", "--root", str(root.path)]
    here = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    begin = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | here
    ) as server:
        try:
            address = server.stdout.readline().split()[1] if server.stdout else ""
            start = time.perf_counter() - begin
            with sync_playwright() as driver:
                browser = driver.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox"]
                )
                page = browser.new_page(viewport={"width": 1400, "height": 1000})
                page.add_init_script(CLOCK)
                used = Processes()
                page.goto(address)
                drawn = page.wait_for_function("() => window.drawn", timeout=120_000)
                picture, picture_cpu = drawn.json_value() / 1000, used.since()
                page.evaluate(WATCH)
                times = [draw_box(page, k) for k in range(updates)]
                update_cpu = used.since() / updates
                browser.close()
            memory = psutil.Process(server.pid).memory_info().rss / MIB
        finally:
            server.terminate()
    return Times(start, picture, picture_cpu, times, update_cpu, memory)


def draw_box(page: Any, k: int) -> float:
    """Draw a box in the diagram and return the seconds until everything has followed."""
    place = page.locator(".bk-Figure").first.bounding_box()
    x, y = place["x"] + 150 + 12 * (k % 10), place["y"] + 120 + 15 * (k % 7)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 150, y + 180, steps=3)
    begin = page.evaluate("performance.now()")
    page.mouse.up()
    seen = page.wait_for_function(SEEN, arg=begin, timeout=60_000, polling=5)
    return (float(seen.json_value()) - begin) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stars", type=int, nargs="+", default=[1_000_000, 3_000_000, 7_000_000])
    parser.add_argument("--updates", type=int, default=20)
    options = parser.parse_args()
    print(
        "    stars   start s   picture s (processor)   update s (largest, processor)   server MiB"
    )
    for n_stars in options.stars:
        with tempfile.TemporaryDirectory() as scratch:
            root = Root(Path(scratch) / "run")
            write_catalogue(root, n_stars)
            found = measure(root, options.updates)
        print(
            f"{n_stars:9,}   {found.start:7.1f}   {found.picture:9.2f} ({found.picture_cpu:.2f})"
            f"        {np.median(found.updates):8.3f} ({max(found.updates):.3f}, "
            f"{found.update_cpu:.3f})          {found.memory:10.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
