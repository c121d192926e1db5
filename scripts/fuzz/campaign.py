"""Feed broken files to the readers: only their own errors may leave them, in time and memory."""

import resource
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.lamost.catalogue import read_catalogue
from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.multi_epoch import read_multi_epoch
from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Spectrum
from schemas.observations import HEADERS
from scripts.fuzz.corpus import CATALOGUES, MULTI_EPOCH, SPECTRA
from scripts.fuzz.mutations import mutate, pack

MAX_SECONDS = 1.0
MAX_MEGABYTES = 200


@dataclass
class Outcome:
    """What became of the inputs."""

    n_inputs: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    growth_mb: float = 0.0
    """How much the process has grown at its largest: no input took more."""

    def add(self, other: "Outcome") -> None:
        """Put the outcome of other inputs to this one."""
        self.n_inputs += other.n_inputs
        self.answers += other.answers
        self.failures += other.failures
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.growth_mb = max(self.growth_mb, other.growth_mb)


def make_input(seed: int, number: int) -> tuple[str, bytes]:
    """Make one broken file: which reader it is for, and its bytes."""
    random = np.random.default_rng([seed, number])
    kind, corpus = "spectrum", SPECTRA
    if number % 16 == 0:
        kind, corpus = "catalogue", CATALOGUES
    elif number % 64 == 1:
        kind, corpus = "multi_epoch", MULTI_EPOCH
    # The first ones of a corpus are those that the survey writes.
    content = corpus[int(len(corpus) * random.random() ** 1.5)]
    content = mutate(content, random)
    return kind, pack(content, random) if random.random() < 0.3 else content


def run(seed: int, first: int, last: int, path: Path) -> Outcome:
    """Read the inputs from ``first`` to before ``last``, each one written to ``path``."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module="astropy")
        return _run(seed, first, last, path)


def _run(seed: int, first: int, last: int, path: Path) -> Outcome:
    outcome = Outcome()
    _read("spectrum", path, SPECTRA[4])  # astropy takes its time to be imported
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(first, last):
        kind, content = make_input(seed, number)
        began = time.process_time()
        try:
            answer = _read(kind, path, content)
        except Exception:  # noqa: BLE001
            answer = "failure"
            outcome.failures.append(f"seed {seed}, input {number}: {traceback.format_exc()}")
        seconds = time.process_time() - began
        if seconds > MAX_SECONDS:
            outcome.failures.append(f"seed {seed}, input {number}: {seconds:.1f} s")
        outcome.slowest_s = max(outcome.slowest_s, seconds)
        outcome.answers[f"{kind} {answer}"] += 1
        outcome.n_inputs += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    outcome.growth_mb = grown / 1024
    if outcome.growth_mb > MAX_MEGABYTES:
        outcome.failures.append(f"seed {seed}, inputs {first} to {last}: {grown / 1024:.0f} MB")
    return outcome


def _read(kind: str, path: Path, content: bytes) -> str:
    path.write_bytes(content)
    if kind != "spectrum":
        return _read_table(read_catalogue if kind == "catalogue" else read_multi_epoch, path)
    try:
        spectrum = read_spectrum(path)
    except SpectrumError as error:
        return str(error.reason)
    _check(spectrum)
    return "read"


def _read_table(read: Callable[[Path], pa.Table], path: Path) -> str:
    try:
        read(path).validate(full=True)
    except ValueError as error:
        if str(path) not in str(error):
            raise
        return "refused"
    return "read"


def _check(spectrum: Spectrum) -> None:
    """Require arrays of one shape and numbers that the table of headers can hold."""
    arrays = (spectrum.flux, spectrum.ivar, spectrum.wave, spectrum.andmask, spectrum.ormask)
    if {array.shape for array in arrays} != {(spectrum.flux.size,)}:
        raise AssertionError("arrays of different lengths")
    values = asdict(spectrum.header)
    for name, value in values.items():
        column = name if name in HEADERS.names else f"header_{name}"
        if column in HEADERS.names:
            stored = pa.array([value], HEADERS.schema.field(column).type)[0].as_py()
            if isinstance(stored, float) and not np.isfinite(stored):
                raise AssertionError(f"{column} is {stored}")
