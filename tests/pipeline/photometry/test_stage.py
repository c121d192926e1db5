import shutil
from functools import partial

import lsdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline.acquire.request import Request
from pipeline.acquire.sources import acquire
from pipeline.core.errors import InputError
from pipeline.core.ledger import Done, Ledger
from pipeline.core.published import NotReadyError, published_path, require_published
from pipeline.core.records import read_records, records_path
from pipeline.settings.acquire import AcquireSettings
from pipeline.settings.load import load_settings
from pipeline.settings.simulate import SurveySettings
from pipeline.simulate.merge import write_hats
from pipeline.stages import run_stage
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag
from tests.pipeline.acquire.folder_server import FolderServer
from tests.pipeline.acquire.tap_server import TapServer

ingest = partial(run_stage, "ingest")
run = partial(run_stage, "photometry")
simulate = partial(run_stage, "simulate")


STARS = 120

OF_GAIA = {
    "gaia_ra_deg": "ra", "gaia_dec_deg": "dec", "ref_epoch_yr": "ref_epoch",
    "pm_ra_masyr": "pmra", "pm_dec_masyr": "pmdec",
}  # fmt: skip

# LSDB compiles its alignment of partitions once a process.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("lsdb")]


@pytest.fixture(scope="module")
def survey(tmp_path_factory, client):
    """A simulated survey of three fields, ingested into several shards."""
    out = tmp_path_factory.mktemp("survey") / "demo"
    values = {
        "n_stars": STARS,
        "seed": 8,
        "out": out,
    }
    values["survey"] = SurveySettings(field_stars=40, hats=False)
    simulate(load_settings(simulate=values), client)
    ingest(
        load_settings(out / "pairspec.toml", ["ingest.shard_rows=128", "ingest.chunk_rows=64"]),
        client,
    )
    return out


@pytest.fixture(scope="module")
def finished(survey, client):
    settings = load_settings(survey / "pairspec.toml")
    return settings, run(settings, client)


INGESTED = (
    "observations.json", "store.jsonl", "ingest.jsonl", "duplicates.jsonl",
    "lamost_catalogue.jsonl", "observations.jsonl",
)  # fmt: skip


def elsewhere(survey, tmp_path, **inputs):
    """Settings of a run on the same observations below another root."""
    root = tmp_path / "run"
    (root / "ledger").mkdir(parents=True)
    ingested = survey / "run"
    # With the records of the units and their files: a dataset counts only with them.
    names = ["manifest.parquet", "spectra.zarr", "catalogue.parquet"]
    names += [f"tables/{table}" for table in ("headers", "duplicates.parquet", "observations")]
    names += [f"ledger/{name}" for name in INGESTED]
    for name in [name for name in names if (ingested / name).exists()]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(ingested / name)
    return load_settings(survey / "pairspec.toml", root=root, inputs=inputs)


def record_anew(root, step, files):
    """Let the record of the first unit of a step vouch for other files of the same names."""
    path = records_path(root, step)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    held = read_records(path).records[0]
    Ledger(root, step, held["digest"]).write(0, Done(held["counts"], files))


def read(settings):
    return pq.read_table(settings.root / PHOTOMETRY.location)


def truth_of(survey, table):
    truth = pq.read_table(survey / "truth" / "observations.parquet").to_pandas()
    return truth.set_index("obsid")["source_id"].loc[table["obsid"].to_numpy()].to_numpy()


def test_every_match_is_right_and_has_its_columns(survey, finished):
    settings, report = finished
    table = read(settings)
    assert table.schema.equals(PHOTOMETRY.schema)
    assert table.schema.field("source_id").type == pa.int64()
    assert table.num_rows == report.counts["spectra"] > STARS
    right = table["source_id"].to_numpy() == truth_of(survey, table)
    assert right.mean() >= 0.995
    assert "0 of" in report.notes[0]
    named = pq.read_table(survey / "catalogues" / "tmass_best_neighbour.parquet").to_pydict()
    named = dict(zip(named["source_id"], named["original_ext_source_id"], strict=True))
    expected = [named.get(source) for source in table["source_id"].to_pylist()]
    assert table["tmass_designation"].to_pylist() == expected
    gaia = pq.read_table(survey / "catalogues" / "gaia_source.parquet").to_pandas()
    gaia = gaia.set_index("source_id").loc[table["source_id"].to_numpy()[right]]
    for name, own in OF_GAIA.items():
        np.testing.assert_array_equal(table[name].to_numpy()[right], gaia[own].to_numpy())


def test_a_spectrum_without_photometry_is_kept_with_flags(survey, tmp_path, client):
    gaia = pq.read_table(survey / "catalogues" / "gaia_source.parquet")
    gone = gaia["source_id"][3].as_py()
    pq.write_table(gaia.filter(pc.field("source_id") != gone), tmp_path / "gaia.parquet")
    settings = elsewhere(survey, tmp_path, gaia=str(tmp_path / "gaia.parquet"))
    report = run(settings, client)
    table = read(settings)
    lost = truth_of(survey, table) == gone
    assert lost.sum() == report.counts["without Gaia"] > 0
    assert table.num_rows == len(lost)
    rows = table.filter(pa.array(lost))
    flags = rows["flags"].to_numpy()
    for flag in set(PhotometryFlag) - {PhotometryFlag.BLENDED}:
        assert (flags & flag.value > 0).all(), flag
    for name in ("source_id", "g_mag", "m_g", "g_ks_0", "distance_source", "tmass_designation"):
        assert rows[name].null_count == rows.num_rows
    assert set(rows["n_candidates"].to_pylist()) == {0}


def test_a_second_run_does_nothing(finished, client):
    settings, report = finished
    before = {p: p.stat().st_mtime_ns for p in settings.root.rglob("*") if p.is_file()}
    assert run(settings, client).counts == report.counts
    assert before == {p: p.stat().st_mtime_ns for p in settings.root.rglob("*") if p.is_file()}


def test_a_run_with_other_settings_that_was_killed_leaves_the_first_one_as_it_was(
    survey, tmp_path, client, monkeypatch
):
    settings = elsewhere(survey, tmp_path)
    report = run(settings, client)
    before = published_path(settings.root, "photometry").read_bytes()

    def killed(*args):
        raise KeyboardInterrupt

    other = settings.photometry.model_copy(update={"radius_arcsec": 2.0})
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.photometry.stage._match_tmass", killed)
        with pytest.raises(KeyboardInterrupt):
            run(settings.model_copy(update={"photometry": other}), client)
    assert not published_path(settings.root, "photometry").exists()
    assert run(settings, client).counts == report.counts
    assert published_path(settings.root, "photometry").read_bytes() == before


def test_how_it_is_computed_makes_no_other_photometry(
    survey, finished, tmp_path, client, digest_tree
):
    settings = elsewhere(survey, tmp_path)
    how = settings.photometry.model_copy(update={"memory_limit": "1GB", "partition_rows": 50})
    run(settings.model_copy(update={"photometry": how}), client)
    roots = [settings.root, finished[0].root]
    written = [digest_tree(root / PHOTOMETRY.location) for root in roots]
    assert written[0] == written[1]
    digests = [require_published(root, "photometry", "photometry").digest for root in roots]
    assert digests[0] == digests[1]


def test_hats_catalogues_and_other_tasks_give_the_same_files(
    survey, finished, tmp_path, client, digest_tree
):
    catalogues = survey / "catalogues"
    for name in ("gaia_source", "tmass"):
        write_hats(catalogues / f"{name}.parquet", tmp_path / name, name)
    settings = elsewhere(
        survey, tmp_path, gaia=str(tmp_path / "gaia_source"), tmass=str(tmp_path / "tmass")
    )
    pieces = settings.tables.model_copy(update={"unit_spectra": 1})
    run(settings.model_copy(update={"tables": pieces}), client)
    assert len(read_records(records_path(settings.root, "photometry")).records) > 1
    written = [digest_tree(one.root / PHOTOMETRY.location) for one in (settings, finished[0])]
    assert len(written[0]) > 1
    assert written[0] == written[1]
    assert not (settings.root / "catalogues").exists()


def test_sources_joined_by_a_tap_service_give_the_same_table(survey, finished, tmp_path, client):
    tables = {
        "gaiadr3.gaia_source": pq.read_table(survey / "catalogues" / "gaia_source.parquet"),
        "tmass.psc": pq.read_table(survey / "catalogues" / "tmass.parquet"),
    }
    elsewhere(survey, tmp_path)
    with TapServer(tables) as server:
        own = AcquireSettings(
            rate_per_s=1000, gaia_tap_url=server.url, tmass_tap_url=server.url,
            tmass_table="tmass.psc", upload_rows=50, sync_rows=20,
        )  # fmt: skip
        for name in ("gaia", "tmass"):
            done = acquire(name, Request(tmp_path, own, tap=True))
            assert done.n_missing == 0, done.lines
    assert len(server.uploads) > 4
    inputs = load_settings(tmp_path / "pairspec.toml").inputs
    assert inputs.gaia.endswith("gaia.parquet") and inputs.tmass.endswith("tmass.parquet")
    run(settings := elsewhere(survey, tmp_path / "b", gaia=inputs.gaia, tmass=inputs.tmass), client)
    assert read(settings).equals(read(finished[0]))


def write_all_sky(source, folder, name):
    """Write a catalogue as HATS, amid sources all over the sky, Gaia with a column nobody reads."""
    own = pd.read_parquet(source)
    rng, n = np.random.default_rng(2), 12_000
    others = pd.DataFrame(
        {
            "ra": rng.uniform(0, 360, n),
            "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
            **{
                c: own[c].iloc[rng.integers(0, len(own), n)].to_numpy()
                for c in own.columns
                if c not in ("ra", "dec")
            },
        }
    )
    if "source_id" in own:
        others["source_id"] = np.arange(n) + 7 * 10**17
    whole = pd.concat([own, others[own.columns]], ignore_index=True)
    if "source_id" in own:
        whole["unused"] = [rng.bytes(4000) for _ in range(len(whole))]
    catalogue = lsdb.from_dataframe(
        whole,
        catalog_name=name,
        ra_column="ra",
        dec_column="dec",
        partition_rows=4000,
        margin_threshold=None,
    )
    catalogue.write_catalog(folder / name, catalog_name=name, progress_bar=False)
    return sum(path.stat().st_size for path in (folder / name).rglob("*.parquet"))


def test_catalogues_by_url_give_the_same_table_and_only_part_of_them_is_transferred(
    survey, tmp_path, client, record_property
):
    catalogues, served = survey / "catalogues", tmp_path / "served"
    names = {"gaia": "gaia_source", "tmass": "tmass"}
    sizes = {
        key: write_all_sky(catalogues / f"{name}.parquet", served, name)
        for key, name in names.items()
    }
    run(
        folder := elsewhere(
            survey, tmp_path / "a", **{key: str(served / name) for key, name in names.items()}
        ),
        client,
    )
    with FolderServer(served) as server:
        by_url = {key: f"{server.url}/{name}" for key, name in names.items()}
        run(url := elsewhere(survey, tmp_path / "b", **by_url), client)
        sent = dict(server.sent)
        # And the copies of the parts that these observations touch.
        addresses = {f"{key}_url": address for key, address in by_url.items()}
        request = Request(tmp_path / "b", AcquireSettings(rate_per_s=1000, **addresses))
        for key in names:
            assert acquire(key, request).n_missing == 0
    copies = load_settings(tmp_path / "b" / "pairspec.toml").inputs
    parts = {key: getattr(copies, key) for key in names}
    run(copied := elsewhere(survey, tmp_path / "c", **parts), client)
    assert read(url).equals(read(folder))
    assert read(copied).equals(read(folder))
    for key, name in names.items():
        files = list((served / name).rglob("Npix=*.parquet"))
        touched = [path for path in sent if path.startswith(name) and "Npix=" in path]
        n_sent = sum(n for path, n in sent.items() if path.startswith(name))
        n_copied = sum(n for path, n in server.sent.items() if path.startswith(name)) - n_sent
        record_property(f"{key}_bytes", f"{n_sent} and {n_copied} of {sizes[key]}")
        print(key, f"{n_sent} by URL, {n_copied} for the copy, of {sizes[key]} bytes")
        assert 0 < len(touched) <= len(files) / 2
        # fsspec reads at least the last megabyte of a file.
        assert key == "tmass" or n_sent < sizes[key] / 3
        assert key == "tmass" or n_copied < sizes[key] / 3


def test_other_laws_and_distances_change_what_they_should(survey, finished, tmp_path, client):
    old = read(finished[0]).to_pandas()
    ids = pq.read_table(survey / "catalogues" / "gaia_source.parquet")["source_id"]
    given = pa.table(
        {
            "source_id": ids.slice(0, 100),
            "r_med_geo": np.full(100, 250.0),
            "r_lo_geo": np.full(100, 240.0),
            "r_hi_geo": np.full(100, 262.0),
            "r_med_photogeo": np.full(100, 999.0),
        }
    )
    pq.write_table(given, tmp_path / "distances.parquet")
    settings = elsewhere(survey, tmp_path, bailer_jones=str(tmp_path / "distances.parquet"))
    own = settings.photometry.model_copy(update={"extinction": "cardelli"})
    settings = settings.model_copy(update={"photometry": own})
    run(settings, client)
    new = read(settings).to_pandas()
    known = np.isin(new["source_id"], given["source_id"].to_numpy())
    assert (new["distance_source"][known] == "bailer_jones_geometric").all()
    assert (new["distance_pc"][known] == 250).all()
    assert (new["distance_err_pc"][known] == 11).all()
    pd.testing.assert_series_equal(new["distance_pc"][~known], old["distance_pc"][~known])
    assert (new["a_ks"] / old["a_ks"]).dropna().to_numpy() == pytest.approx(0.366 / 0.306, rel=1e-5)


def test_ids_of_the_declared_release_can_be_used(survey, finished, tmp_path, client):
    settings = finished[0]
    own = settings.photometry.model_copy(update={"match": "declared_id"})
    for release in (None, "DR2"):
        inputs = settings.inputs.model_copy(update={"gaia_release": release})
        wrong = settings.model_copy(update={"photometry": own, "inputs": inputs})
        with pytest.raises(InputError, match=r'needs inputs.gaia_release = "DR3"'):
            run(wrong, client)
    other = elsewhere(survey, tmp_path)
    run(other.model_copy(update={"photometry": own}), client)
    assert read(other).equals(read(settings))


def test_a_wrong_declared_id_is_counted_but_does_not_win(survey, finished, tmp_path, client):
    settings = elsewhere(survey, tmp_path)
    folder = settings.root / OBSERVATIONS.location
    ingested = folder.resolve()
    folder.unlink()
    shutil.copytree(ingested, folder)
    table = pq.read_table(folder / "part-000000.parquet")
    ids = table["gaia_source_id"].to_pylist()
    ids[:2] = [ids[0] + 1, ids[1] + 1]
    index = table.schema.get_field_index("gaia_source_id")
    table = table.set_column(index, table.schema.field(index), pa.array(ids, pa.int64()))
    pq.write_table(table, folder / "part-000000.parquet")
    record_anew(settings.root, "observations", sorted(folder.glob("*.parquet")))
    report = run(settings, client)
    assert report.notes[0].startswith("2 of ")
    assert read(settings).equals(read(finished[0]))


def test_what_is_missing_is_said(survey, finished, tmp_path, client):
    settings, _ = finished
    with pytest.raises(NotReadyError, match="pairspec ingest"):
        run(settings.model_copy(update={"root": tmp_path}), client)

    def with_gaia(path):
        inputs = settings.inputs.model_copy(update={"gaia": path})
        return settings.model_copy(update={"inputs": inputs})

    with pytest.raises(InputError, match="set inputs.gaia"):
        run(with_gaia(None), client)
    with pytest.raises(InputError, match="inputs.gaia: no source catalogue at"):
        run(with_gaia(str(tmp_path / "none")), client)
    pq.write_table(pa.table({"source_id": [1], "ra": [1.0]}), tmp_path / "poor.parquet")
    with pytest.raises(InputError, match="no column dec, phot_g_mean_mag, e_bv; it has ra"):
        run(with_gaia(str(tmp_path / "poor.parquet")), client)
