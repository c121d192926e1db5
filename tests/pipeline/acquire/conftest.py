import gzip

import pytest

from tests.pipeline.acquire.test_lamost import HEAD, N, name_of, row_of


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """What the survey's server has: the catalogue, and spectra but for one."""
    from tests.conftest import _write_spectrum

    folder = tmp_path_factory.mktemp("archive")
    files = {}
    for i in range(N - 1):
        name = name_of(i)
        cards = {"lmjd": name.lmjd, "planid": name.planid, "spid": name.spid}
        path = _write_spectrum(folder / "one.fits.gz", 100 + i, i, fiberid=name.fiberid, **cards)
        files[f"/dr10/v2.0/spectrum/fits/{100 + i}"] = path.read_bytes()
    text = "\n".join([HEAD, *map(row_of, range(N))]) + "\n"
    return files, gzip.compress(text.encode())
