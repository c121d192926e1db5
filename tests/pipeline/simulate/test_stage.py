import gzip
import hashlib
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cluster.connect import connect
from cluster.settings import ClusterSettings
from cluster.window import run_window
from pipeline.core.errors import InputError
from pipeline.lamost.catalogue import read_catalogue
from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.multi_epoch import read_multi_epoch
from pipeline.lamost.reader import read_spectrum
from pipeline.lamost.spectrum import Layout
from pipeline.settings.load import Settings, load_settings
from pipeline.settings.simulate import SimulateSettings, SurveySettings
from pipeline.simulate.merge import write_hats
from pipeline.stages import run_stage

run = partial(run_stage, "simulate")


def settings_for(out: Path, seed: int = 4) -> Settings:
    survey = SurveySettings(
        field_stars=30, n_visits=4, hats=False, eclipsing_fraction=0.1, planet_fraction=0.1
    )
    simulate = SimulateSettings(n_stars=100, seed=seed, out=out, survey=survey)
    return Settings(root=out / "run", simulate=simulate)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    out = tmp_path_factory.mktemp("survey") / "one"
    with connect(ClusterSettings(kind="inline")) as client:
        report = run(settings_for(out), client)
    return out, report


def table(survey, name):
    return pq.read_table(survey[0] / f"{name}.parquet").to_pandas()


@pytest.mark.timeout(240)
def test_the_number_of_workers_does_not_matter(survey, tmp_path):
    with connect(ClusterSettings(kind="local", workers=4)) as client:
        run(settings_for(tmp_path / "four"), client)
    assert digests(tmp_path / "four") == digests(survey[0])


def test_a_second_run_does_nothing_and_another_seed_is_refused(survey):
    before = {path: path.stat().st_mtime_ns for path in survey[0].rglob("*")}
    report = run(settings_for(survey[0]), None)
    assert report.counts == survey[1].counts
    assert {path: path.stat().st_mtime_ns for path in survey[0].rglob("*")} == before
    with pytest.raises(InputError, match="other settings"):
        run(settings_for(survey[0], seed=5), None)


def test_every_good_file_is_read_as_real_ones_are(survey):
    out, report = survey
    truth = table(survey, "truth/observations")
    assert len(truth) == report.counts["spectra"]
    layouts = set()
    for row in truth.itertuples():
        spectrum = read_spectrum(out / "spectra" / row.path)
        header = spectrum.header
        assert header.obsid == row.obsid
        assert header.layout == (Layout.TABLE if row.layout == "table" else Layout.IMAGE)
        assert header.mjd_utc == pytest.approx(row.mjd_utc, abs=1e-6)
        assert Path(row.path).name.startswith(f"spec-{header.lmjd}-{header.planid}_")
        n = len(spectrum.flux)
        expected = 10 ** (3.5682 + 1e-4 * np.arange(n))
        np.testing.assert_allclose(spectrum.wave, expected, rtol=2e-5)
        assert ((spectrum.andmask != 0) <= (spectrum.ivar == 0)).all()
        layouts.add(row.layout)
    assert layouts == {"table", "image"}


def test_broken_files_are_refused_and_listed(survey):
    broken = table(survey, "truth/broken")
    assert set(broken["kind"]) == {"truncated", "empty", "flipped byte", "medium resolution"}
    for path in broken["path"]:
        with pytest.raises(SpectrumError):
            read_spectrum(survey[0] / "spectra" / path)
    files = {p.relative_to(survey[0] / "spectra").as_posix() for p in survey[0].rglob("*.fits.gz")}
    assert files == set(broken["path"]) | set(table(survey, "truth/observations")["path"])


def test_catalogue_and_files_agree(survey):
    catalogue = read_catalogue(survey[0] / "catalogues" / "dr10_sim_LRS_stellar.csv.gz").to_pandas()
    truth = table(survey, "truth/observations").set_index("obsid")
    assert sorted(catalogue["obsid"]) == sorted(truth.index)
    with gzip.open(survey[0] / "catalogues" / "dr10_sim_LRS_stellar.csv.gz", "rt") as file:
        assert file.readline().startswith("obsid,uid,gp_id,designation,obsdate,lmjd,mjd,planid")
    merged = catalogue.set_index("obsid").join(truth[["source_id", "velocity1_kms", "kind"]])
    assert (merged["gaia_source_id"].astype("int64") == merged["source_id"]).all()
    single = merged[(merged["kind"] == "single") & merged["rv_kms"].notna()]
    pull = (single["rv_kms"] - single["velocity1_kms"]) / single["rv_err_kms"]
    assert 0.7 < pull.std() < 1.3


def test_repeats_are_in_the_multi_epoch_catalogue(survey):
    epochs = read_multi_epoch(survey[0] / "catalogues" / "dr10_sim_LRS_mec.csv.gz").to_pandas()
    truth = table(survey, "truth/observations")
    count = truth.groupby("uid").size()
    assert epochs.groupby("uid").size().to_dict() == count[count > 1].to_dict()
    assert set(epochs["obsid"]) <= set(truth["obsid"])


def test_a_star_is_itself_on_every_visit(survey):
    truth = table(survey, "truth/observations").merge(table(survey, "truth/stars"), on="source_id")
    repeats = truth.groupby("source_id").filter(lambda rows: len(rows) > 1)
    single = repeats[repeats["kind_x"] == "single"].groupby("source_id")["velocity1_kms"]
    assert (single.max() - single.min()).max() < 1e-9
    pairs = repeats[repeats["period_day"] < 300].groupby("source_id")["velocity1_kms"]
    assert (pairs.max() - pairs.min()).median() > 0.5


def test_source_catalogues_have_what_photometry_needs(survey):
    gaia = table(survey, "catalogues/gaia_source")
    needed = {
        "source_id", "ra", "dec", "pmra", "pmdec", "parallax", "parallax_error",
        "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "bp_rp",
        "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat", "astrometric_params_solved",
        "ruwe", "e_bv",
    }  # fmt: skip
    assert needed <= set(gaia.columns)
    assert gaia["source_id"].dtype == np.int64
    assert gaia["source_id"].is_unique
    stars = table(survey, "truth/stars")
    assert set(stars["source_id"]) < set(gaia["source_id"])
    six = gaia["astrometric_params_solved"] == 95
    assert gaia["pseudocolour"].notna().equals(six)
    neighbours = table(survey, "catalogues/tmass_best_neighbour")
    tmass = table(survey, "catalogues/tmass")
    assert set(neighbours["original_ext_source_id"]) == set(tmass["designation"])
    assert set(neighbours["source_id"]) < set(stars["source_id"])
    assert neighbours["angular_distance"].median() < 1


def test_lists_point_at_stars(survey):
    stars = table(survey, "truth/stars")
    eclipsing = pd.read_csv(survey[0] / "catalogues" / "ztf_eclipsing.csv")
    assert len(eclipsing) == stars["eclipsing"].notna().sum() > 0
    assert set(eclipsing["Type"]) <= {"EA", "EW"}
    planets = pd.read_csv(survey[0] / "catalogues" / "planet_hosts.csv")
    ids = planets["gaia_dr3_id"].str.removeprefix("Gaia DR3 ").astype("int64")
    assert len(ids) > 0
    assert set(ids) <= set(stars["source_id"])


def test_the_settings_file_names_the_inputs(survey):
    settings = load_settings(survey[0] / "pairspec.toml")
    assert settings.root == survey[0] / "run"
    assert settings.inputs.spectra == survey[0] / "spectra"
    assert settings.inputs.catalogue.is_file()
    assert settings.inputs.multi_epoch.is_file()
    assert settings.inputs.gaia_release == "DR3"


def test_an_interrupted_survey_is_finished(survey, tmp_path, monkeypatch):
    """Stop after the second field, leave half a file behind, run again: the same bytes."""
    out = tmp_path / "again"

    def stops(*args, **options):
        yield from islice(run_window(*args, **options), 2)
        (out / "spectra" / "left.fits.gz.123.partial").write_bytes(b"half")
        raise KeyboardInterrupt

    with connect(ClusterSettings(kind="inline")) as client:
        with monkeypatch.context() as patch:
            patch.setattr("pipeline.core.units.run_window", stops)
            with pytest.raises(KeyboardInterrupt):
                run(settings_for(out), client)
        assert not (out / "catalogues").exists()
        run(settings_for(out), client)
    assert digests(out) == digests(survey[0])


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hats_catalogues_hold_the_same_sources(survey, tmp_path):
    lsdb = pytest.importorskip("lsdb")
    source = survey[0] / "catalogues" / "gaia_source.parquet"
    write_hats(source, tmp_path / "gaia_hats", "gaia_hats")
    read = lsdb.open_catalog(tmp_path / "gaia_hats").compute()
    expected = pq.read_table(source).to_pandas().sort_values("source_id")
    assert sorted(read["source_id"].tolist()) == expected["source_id"].tolist()
