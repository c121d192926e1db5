"""Fixtures that every test may use."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# As the command line does, before `hats` is imported.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

# The same examples every time, and no failure because the machine has other work.
# `make fuzz` takes others: --hypothesis-profile=random.
hypothesis_settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile(
    "random", hypothesis_settings.get_profile("same"), derandomize=False, max_examples=2000
)
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real LAMOST files (with ``inventory.csv``), or a skip that says why."""
    named = os.environ.get("PAIRSPEC_REAL_DATA")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "lamost"
    folder = Path(named) if named else beside
    if not (folder / "inventory.csv").is_file():
        pytest.skip(f"no real spectra: {folder} has no inventory.csv (set PAIRSPEC_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def client() -> Iterator[object]:
    """One in-process Dask client for all tests that do not kill workers."""
    from cluster.connect import connect
    from cluster.settings import ClusterSettings

    with connect(ClusterSettings(kind="inline")) as connected:
        yield connected


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of kills take every moment instead of a sample."""
    parser.addoption("--every-kill", action="store_true", help="kill at every file operation")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make the finished survey once, and give the test that happens to make it the time for it."""
    for item in items:
        if config.getoption("--every-kill"):
            item.add_marker(pytest.mark.timeout(4 * 3600))
        if "finished" not in getattr(item, "fixturenames", ()):
            continue
        own = item.get_closest_marker("timeout")
        if own is None or own.args[0] < 900:
            item.add_marker(pytest.mark.timeout(900), append=False)
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("finished"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes after their argument: all workers of xdist must agree on the names of tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """One small survey on which every stage has run: `tests.finished.FinishedSurvey`."""
    from tests.finished import FinishedSurvey, StageServer

    with closing(StageServer()) as server:
        yield FinishedSurvey(tmp_path_factory.mktemp("finished"), server)


@pytest.fixture(scope="session")
def slurm() -> Iterator[object]:
    """A private SLURM of two nodes, `tests.slurm.Slurm`, which the environment leads to."""
    from tests.slurm import Slurm

    with closing(Slurm()) as started, pytest.MonkeyPatch.context() as patch:
        for name, value in started.environment.items():
            patch.setenv(name, value)
        yield started


@pytest.fixture(scope="session")
def make_run(client: object) -> Callable[..., object]:
    """One stage at work: ``make_run("photometry", folder)``."""
    from pipeline.core.root import Root
    from pipeline.core.run import Run
    from pipeline.settings.load import load_settings
    from pipeline.stages import find_stage, makers

    def make(stage: str, folder: Path, *overrides: str) -> object:
        settings = load_settings(None, overrides, root=folder)
        return Run(find_stage(stage), settings, Root(folder), client, makers())

    return make


@pytest.fixture
def write_spectrum() -> Callable[..., Path]:
    """Write one file in the table layout with astropy: ``write_spectrum(path, obsid=...)``."""
    return _write_spectrum


def _write_spectrum(path: Path, obsid: int = 1, seed: int = 0, n: int = 3909, **header) -> Path:
    rng = np.random.default_rng(seed)
    wave = 10 ** (3.5682 + 1e-4 * np.arange(n))
    flux = 100 * np.exp(-0.5 * ((wave - 6000) / 3000) ** 2) * rng.normal(1, 0.02, n)
    ivar = np.full(n, 0.25)
    ivar[rng.integers(0, n, 20)] = 0
    zero = np.zeros(n)
    names = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK", "NORMALIZATION")
    arrays = (flux, ivar, wave, zero, (ivar == 0).astype(float), zero)
    columns = [
        fits.Column(name, f"{n}E", array=array.astype("f4")[None])
        for name, array in zip(names, arrays, strict=True)
    ]
    primary = fits.PrimaryHDU()
    cards = {
        "OBSID": obsid, "DATA_V": "LAMOST DR10", "VERSPIPE": "v2.9.8", "LMJD": 58000,
        "PLANID": "TEST", "SPID": 1 + obsid % 16, "FIBERID": 1 + obsid % 250,
        "RA": 10.0 + 0.01 * obsid, "DEC": 20.0, "CLASS": "STAR", "SUBCLASS": "G2", "Z": 1e-4,
        "Z_ERR": 1e-5, "SNRG": 50.0, "DATE": "2022-01-01T00:00:00", "COEFF0": 3.5682,
        "COEFF1": 1e-4, "LMJMLIST": "83520000-83520030",
    } | {key.upper(): value for key, value in header.items()}  # fmt: skip
    for key, value in cards.items():
        if value is not None:
            primary.header[key] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    table = fits.BinTableHDU.from_columns(columns, name="COADD")
    fits.HDUList([primary, table]).writeto(path, overwrite=True)
    return path


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """Folder of 20 files: 17 good ones, two of one exposure among them, and 3 broken ones."""
    folder = tmp_path / "survey"
    for i in range(16):
        _write_spectrum(folder / f"plan{i // 8}" / f"spec-{i:03d}.fits.gz", obsid=100 + i, seed=i)
    # An older pipeline's file of exposure 103, and what a reader must refuse.
    _write_spectrum(folder / "old" / "spec-003.fits", obsid=103, seed=3, verspipe="v2.9.7")
    whole = (folder / "plan0" / "spec-000.fits.gz").read_bytes()
    (folder / "broken").mkdir()
    (folder / "broken" / "empty.fits.gz").write_bytes(b"")
    (folder / "broken" / "text.fits").write_bytes(b"not a spectrum\n" * 50)
    (folder / "broken" / "truncated.fits.gz").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture
def digest_tree() -> Callable[[Path], dict[str, str]]:
    """Digest of every file below a folder, by relative path, but for the logs."""

    def digests(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.relative_to(folder).parts[0] != "logs"
        }

    return digests
