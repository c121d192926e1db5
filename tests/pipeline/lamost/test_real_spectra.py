"""Every real file against an inventory made with astropy."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.lamost.astropy_reader import read_with_astropy
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.names import is_spectrum_name
from pipeline.lamost.reader import read_spectrum

IDENTITY = {"planid": str, "obj_class": str, "lmjd": int, "spid": int, "fiberid": int}
ODD = {
    "empty.fits.gz": Reason.EMPTY,
    "truncated-gzip.fits.gz": Reason.TRUNCATED,
    "truncated-plain.fits": Reason.TRUNCATED,
    "flipped-byte.fits.gz": Reason.CORRUPT,
    "not-fits.fits": Reason.NOT_FITS,
    "med-58270-HIP95119KP01_sp12-076.fits.gz": Reason.MEDIUM_RESOLUTION,
}


@pytest.fixture(scope="module")
def inventory(real_data) -> list[dict[str, str]]:
    with (real_data / "inventory.csv").open() as stream:
        return list(csv.DictReader(stream))


def differences(row: dict[str, str], folder: Path) -> list[str]:
    """Fields in which a file, as read, differs from its row."""
    spectrum = read_spectrum(folder / row["path"])
    header = spectrum.header
    good = np.isfinite(spectrum.ivar)
    found = {
        "layout": spectrum.layout == row["layout"],
        "release": spectrum.release == row["release"],
        "version": header.pipeline_version == row["verspipe"].removeprefix("v"),
        "n_pixel": spectrum.flux.shape == (int(row["n_pixel"]),),
        "obsid": header.obsid == (int(float(row["obsid"])) if row["obsid"] else None),
        "subclass": (header.subclass or "Non") == row["subclass"],
        "snr_g": close(header.snr_g, row["snrg"], 0),
        "z": close(header.z, row["z"], 0),
        "ra": close(header.ra_deg, row["ra"], 0),
        "dec": close(header.dec_deg, row["dec"], 0),
        "first": close(float(spectrum.wave[0]), row["wave_first"], 1e-7),
        "last": close(float(spectrum.wave[-1]), row["wave_last"], 1e-7),
        "n_ivar_zero": int((spectrum.ivar == 0).sum()) == int(row["n_ivar_zero"]),
        "n_andmask": int((spectrum.andmask != 0).sum()) == int(row["n_andmask"]),
        "n_ormask": int((spectrum.ormask != 0).sum()) == int(row["n_ormask"]),
        "flux_sum": close(spectrum.flux.sum(dtype=np.float64), row["flux_sum"], 1e-6),
        "ivar_sum": close(spectrum.ivar[good].sum(dtype=np.float64), row["ivar_sum"], 1e-6),
    }
    if row["dtype"] == "float32":  # float64 flux is rounded, so that its digest differs
        digest = hashlib.sha256(spectrum.flux.astype("<f8").tobytes()).hexdigest()[:16]
        found["flux_sha256"] = digest == row["flux_sha256"]
    for name, kind in IDENTITY.items():
        found[name] = getattr(header, name) == kind(row[name])
    return [f"{row['path']}: {name}" for name, equal in found.items() if not equal]


def close(value: float | None, written: str, relative: float) -> bool:
    """Equal to a written number; None stands for a sentinel or nothing."""
    if value is None:
        return written == "" or float(written) in {-9999.0, -999.0}
    return written != "" and abs(value - float(written)) <= relative * abs(float(written))


def test_every_file_agrees_with_the_inventory(inventory, real_data):
    wrong = [text for row in inventory for text in differences(row, real_data)]
    assert wrong == []


def test_every_file_would_be_found_in_its_folder(inventory):
    assert all(is_spectrum_name(Path(row["path"]).name) for row in inventory)


def test_readers_agree_on_a_sample(inventory, real_data, identical):
    for row in inventory[::25]:
        path = real_data / row["path"]
        assert identical(read_spectrum(path), read_with_astropy(path)), path


@pytest.mark.slow
def test_readers_agree_on_every_file(inventory, real_data, identical):
    paths = [real_data / row["path"] for row in inventory]
    assert [p for p in paths if not identical(read_spectrum(p), read_with_astropy(p))] == []


def test_real_files_take_the_short_way(inventory, real_data, monkeypatch):
    def refuse(content, path):
        raise AssertionError(f"{path} went to astropy")

    monkeypatch.setattr("pipeline.lamost.astropy_reader.parse_with_astropy", refuse)
    for row in inventory[::10]:
        read_spectrum(real_data / row["path"])


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_refused_with_their_reason(name, real_data):
    with pytest.raises(SpectrumError) as caught:
        read_spectrum(real_data / "odd" / name)
    assert caught.value.reason is ODD[name]


def test_gzip_under_a_plain_name_is_read(real_data):
    assert read_spectrum(real_data / "odd" / "gzip-under-plain-name.fits").obsid == 103232
