"""Spectra of other surveys from their files to p_b."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.formats.air import vacuum_from_air
from pipeline.formats.door import FORMATS
from pipeline.lamost.arrays import UNCLEAR_MASK
from pipeline.lamost.errors import SpectrumError
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from pipeline.store.store import format_of, open_store
from schemas.quality import QualityFlag
from tests.pipeline.formats.files import star, write_desi, write_sdss, write_table
from tests.pipeline.inference.conftest import save_untrained

LOG_WAVE = 10 ** (3.56 + 1e-4 * np.arange(4100))


def settings_of(tmp_path, kind: str, *overrides: str):
    sets = ["ingest.shard_rows=8", "ingest.chunk_rows=4", "infer.scope=all", *overrides]
    inputs = {"spectra": tmp_path / "in", "format": kind}
    if (tmp_path / "catalogue.csv").exists():
        inputs["catalogue"] = tmp_path / "catalogue.csv"
    return load_settings(None, sets, root=tmp_path / "run", inputs=inputs)


def ingested(tmp_path, kind: str, client, *overrides: str):
    """Ingest, infer with a network that was trained on such spectra; the rows with their p_b."""
    settings = settings_of(tmp_path, kind, *overrides)
    run_stage("ingest", settings, client)
    save_untrained(settings.root / "net", survey=kind)
    models = settings.infer.model_copy(update={"models": (settings.root / "net",)})
    run_stage("infer", settings.model_copy(update={"infer": models}), client)
    rows = pq.read_table(settings.root / "tables/observations").to_pylist()
    answers = pq.read_table(settings.root / "predictions").to_pylist()
    p_b = {answer["row"]: answer["p_b"] for answer in answers}
    return [row | {"p_b": p_b.get(row["row"])} for row in rows], settings


def read(kind: str, path, row: int = 0, settings: IngestSettings | None = None):
    [found] = FORMATS[kind].read(path, [row], settings or IngestSettings())
    return found


def test_sdss_from_files_to_p_b(tmp_path, client):
    for i in range(4):
        write_sdss(tmp_path / f"in/4055/spec-4055-55359-{i + 1:04d}.fits", i)
    whole = (tmp_path / "in/4055/spec-4055-55359-0001.fits").read_bytes()
    (tmp_path / "in/cut.fits").write_bytes(whole[:40_000])
    (tmp_path / "in/empty.fits").write_bytes(b"")
    (tmp_path / "in/page.fits").write_bytes(b"<html>")
    rows, settings = ingested(tmp_path, "sdss", client)
    good, bad = rows[:4], {row["path"]: row["reason"].split(":")[0] for row in rows[4:]}
    assert bad == {"cut.fits": "truncated", "empty.fits": "empty", "page.fits": "not_fits"}
    assert [row["obsid"] for row in good] == [4055553590000 + i for i in (1, 2, 3, 4)]
    first = good[0]
    assert (first["layout"], first["planid"], first["lmjd"]) == ("sdss", "4055", 55359)
    assert first["rv_kms"] == pytest.approx(29.98, abs=0.01)
    assert (first["snr_g"], first["obj_class"]) == (42.0, "STAR")
    assert first["mjd_utc"] == pytest.approx(55359.02, abs=0.05)
    assert (first["ra_deg"], first["dec_deg"]) == (241.2, 20.5)
    assert first["wave_first_angstrom"] == pytest.approx(10**3.568, rel=1e-6)
    assert all(0 <= row["p_b"] <= 1 for row in good)
    store = open_store(settings.root / "spectra.zarr")
    assert (store.attrs["format"], store.attrs["resolving_power"]) == ("sdss", [1500, 2500])
    assert int(store["andmask"][0, 820]) == 1 << 23
    assert float(store["ivar"][0, 820]) == 0
    assert int(store["ormask"][0, 820]) == (1 << 23) | 2


def test_sdss_spectra_are_those_of_lamost_with_the_same_pixels(tmp_path, client, write_spectrum):
    """One spectrum in files of both surveys gets one p_b."""
    from astropy.io import fits

    sdss = write_sdss(tmp_path / "a/in/spec-4055-55359-0001.fits")
    lamost = write_spectrum(tmp_path / "b/in/one.fits", n=3909)
    with fits.open(sdss) as source, fits.open(lamost, mode="update") as target:
        for name in ("flux", "ivar"):
            target[1].data[name.upper()][0] = source[1].data[name][182 : 182 + 3909]
    [theirs], _ = ingested(tmp_path / "a", "sdss", client)
    [ours], _ = ingested(tmp_path / "b", "lamost", client)
    assert theirs["rv_kms"] == pytest.approx(ours["rv_kms"])
    assert theirs["p_b"] == pytest.approx(ours["p_b"], abs=0.01)


def test_sdss_in_air_is_brought_to_vacuum(tmp_path):
    spectrum = read("sdss", write_sdss(tmp_path / "spec.fits", vacuum=False))
    good = spectrum.ivar > 0
    line = np.abs(spectrum.wave - 6562.8) < 15
    center = np.average(spectrum.wave[good & line], weights=(110 - spectrum.flux)[good & line] ** 4)
    assert center == pytest.approx(vacuum_from_air(np.array([6562.8]))[0], abs=0.5)


def test_desi_from_files_to_p_b(tmp_path, client):
    write_desi(tmp_path / "in/coadd-main-bright-100.fits", 6)
    write_desi(tmp_path / "in/coadd-main-dark-100.fits", 6, redrock=False)
    whole = (tmp_path / "in/coadd-main-dark-100.fits").read_bytes()
    for i, n_bytes in enumerate((200_000, 2880, len(whole) - 5000)):
        (tmp_path / f"in/coadd-main-cut-{i}.fits").write_bytes(whole[:n_bytes])
    (tmp_path / "in/coadd-none.fits").write_bytes(b"")
    rows, settings = ingested(tmp_path, "desi", client)
    refused = {row["path"]: row["reason"].split(":")[0] for row in rows if row["reason"]}
    cut = {f"coadd-main-cut-{i}.fits" for i in range(3)}
    assert set(refused) == {"coadd-none.fits", *cut}
    assert {refused[path] for path in cut} == {"truncated", "unknown_layout"}
    good = [row for row in rows if not row["reason"]]
    assert len(good) == 12
    assert [row["path"] for row in good[:2]] == [f"coadd-main-bright-100.fits#{i}" for i in (0, 1)]
    bright = good[:6]
    assert [row["header_z"] for row in bright] == pytest.approx([1e-5 * i for i in range(6)])
    assert [row["obj_class"] for row in bright] == ["STAR"] * 5 + ["SKY"]
    assert bright[0]["obsid"] == 39_627_000_000_000_000
    assert bright[0]["planid"] == "main-bright-100"
    assert bright[0]["mjd_utc"] == pytest.approx(59500.25)
    # The same targets in another programme are other spectra.
    assert not any(row["quality"] & QualityFlag.SUPERSEDED for row in rows)
    assert all(row["quality"] & QualityFlag.NO_VELOCITY for row in good[6:])
    assert all(0 <= row["p_b"] <= 1 for row in good)
    store = open_store(settings.root / "spectra.zarr")
    n = int(store["n_pixel"][bright[2]["row"]])
    flux, ivar = (store[name][bright[2]["row"], :n].to_numpy() for name in ("flux", "ivar"))
    wave = 10 ** (float(store["log10_first"][bright[2]["row"]]) + 1e-4 * np.arange(n))
    assert np.std(((flux - star(wave)) * np.sqrt(ivar))[ivar > 0]) == pytest.approx(1, abs=0.05)
    assert wave[-1] == pytest.approx(9118, abs=2)


def test_a_table_of_ones_own_from_rows_to_p_b(tmp_path, client):
    write_table(tmp_path / "in/mine.parquet", LOG_WAVE, 5, obj_class=["STAR"] * 5)
    write_table(tmp_path / "in/short.parquet", LOG_WAVE, 2, obsid=[11, 12], ivar=[[1.0, 2], None])
    pq.write_table(pq.read_table(tmp_path / "in/mine.parquet").drop("ivar"), tmp_path / "in/no.pq")
    (tmp_path / "in/text.parquet").write_text("flux,ivar\n")
    (tmp_path / "catalogue.csv").write_text("obsid,teff,logg,feh,rv\n2,5700,4.4,0.1,-12\n")
    rows, _ = ingested(tmp_path, "table", client, "ingest.resolving_power=3000")
    assert len(rows) == 9
    reasons = {row["path"]: row["reason"] for row in rows if row["reason"]}
    assert set(reasons) == {"short.parquet#0", "short.parquet#1", "no.pq", "text.parquet"}
    assert "no column ivar" in reasons["no.pq"]
    good = [row for row in rows if not row["reason"]]
    assert [row["obsid"] for row in good] == [1, 2, 3, 4, 5]
    assert good[0]["rv_kms"] == pytest.approx(30, abs=1e-3)
    assert (good[1]["rv_kms"], good[1]["teff_k"], good[0]["teff_k"]) == (-12, 5700, None)
    assert all(0 <= row["p_b"] <= 1 for row in good)
    assert good[0]["snr_g"] == pytest.approx(np.median(star(np.arange(4000.0, 5500.0))), rel=0.02)


def test_numbers_of_ones_own_may_be_negative(tmp_path, client):
    write_table(tmp_path / "in/mine.parquet", LOG_WAVE, 5, obsid=[-1, -2, 0, 4, -2])
    settings = settings_of(tmp_path, "table")
    run_stage("ingest", settings, client)
    rows = pq.read_table(settings.root / "tables/observations").to_pylist()
    superseded = [bool(row["quality"] & QualityFlag.SUPERSEDED) for row in rows]
    assert superseded == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("unit", "medium", "given"),
    [
        ("nm", "vacuum", LOG_WAVE / 10),
        ("um", "vacuum", LOG_WAVE / 1e4),
        ("log10_angstrom", "vacuum", np.log10(LOG_WAVE)),
    ],
)
def test_units_of_a_table(tmp_path, unit, medium, given):
    plain = read("table", write_table(tmp_path / "a.parquet", LOG_WAVE))
    settings = IngestSettings(wave_unit=unit, wave_medium=medium)
    other = read("table", write_table(tmp_path / "b.parquet", given), 0, settings)
    np.testing.assert_array_equal(other.flux, plain.flux)
    np.testing.assert_array_equal(other.wave, plain.wave)


def test_a_mask_of_a_table_that_is_no_bits_vouches_for_nothing(tmp_path):
    mask = np.zeros(LOG_WAVE.size).tolist()
    mask[100:104] = [None, -1.0, 4.0, 2.0**31]
    spectrum = read("table", write_table(tmp_path / "a.parquet", LOG_WAVE, 1, andmask=[mask]))
    # The first 80 pixels lie before the window.
    assert spectrum.andmask[20:25].tolist() == [UNCLEAR_MASK, UNCLEAR_MASK, 4, 2**31, 0]
    assert not spectrum.ormask.any()


def test_a_table_in_air(tmp_path):
    air = np.arange(3650.0, 9200.0, 0.5)
    flux = [star(vacuum_from_air(air))]
    one = {"obsid": [1], "flux": flux, "ra_deg": [1.0], "dec_deg": [1.0], "rv_kms": [0.0]}
    path = write_table(tmp_path / "a.parquet", air, 1, **one)
    spectrum = read("table", path, 0, IngestSettings(wave_medium="air"))
    np.testing.assert_allclose(spectrum.flux, star(spectrum.wave.astype(float)), rtol=1e-3)


def test_a_network_refuses_spectra_of_another_survey_unless_told_otherwise(tmp_path, client):
    write_table(tmp_path / "in/mine.parquet", LOG_WAVE, 2)
    settings = settings_of(tmp_path, "table")
    run_stage("ingest", settings, client)
    assert format_of(settings.root / "spectra.zarr") == "table"
    save_untrained(settings.root / "net", survey="lamost")
    infer = settings.infer.model_copy(update={"models": (settings.root / "net",)})
    settings = settings.model_copy(update={"infer": infer})
    with pytest.raises(InputError, match=r"infer\.other_surveys=true"):
        run_stage("infer", settings, client)
    infer = infer.model_copy(update={"other_surveys": True})
    run_stage("infer", settings.model_copy(update={"infer": infer}), client)
    assert pq.read_table(settings.root / "predictions").num_rows == 2


def test_a_file_that_has_changed_since_it_was_listed(tmp_path):
    path = write_table(tmp_path / "mine.parquet", LOG_WAVE, 2)
    entries = [name for name, _ in FORMATS["table"].entries(tmp_path, [(path.name, 1)])]
    write_table(path, LOG_WAVE, 1)
    found = list(FORMATS["table"].spectra(tmp_path, entries, IngestSettings()))
    assert len(found) == 2
    assert all(isinstance(one, SpectrumError) for one in found)
