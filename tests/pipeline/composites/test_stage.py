"""Composites of the public LAMOST dwarfs, through the stage."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load

from pipeline.composites import block as composite_block
from pipeline.composites.block import composite_files
from pipeline.composites.pairing import PairingError
from pipeline.core.atomic import write_parquet
from pipeline.core.published import NotReadyError, Published, publish
from pipeline.core.root import Root
from pipeline.labels.split import PARTS
from pipeline.network.job import read_block
from pipeline.network.metrics import auc
from pipeline.settings.load import load_settings
from pipeline.settings.spectra import SpectraSettings
from pipeline.stages import run_stage
from schemas.composites import COMPOSITE_POOL
from schemas.sample import LABELS
from tests.ledger import drop_record

run = partial(run_stage, "composites")
ingest = partial(run_stage, "ingest")


pytestmark = pytest.mark.xdist_group("composites")


def settings_for(real_data, root, *overrides):
    return load_settings(
        None,
        [
            "ingest.shard_rows=512",
            "ingest.chunk_rows=128",
            "sample.teff_max_k=7200",
            "labels.training_fraction=0.5",
            "labels.validation_fraction=0.25",
            "composites.training_couples=300",
            "composites.validation_couples=60",
            "composites.test_couples=60",
            "composites.block_couples=100",
            "composites.snr_min=25",
            *overrides,
        ],
        root=root,
        inputs={
            "spectra": real_data / "spectra",
            "catalogue": real_data / "tables" / "dr10_stellar_subset.csv",
        },
    )


@pytest.fixture(scope="module")
def root(real_data, client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("composites")
    ingest(settings_for(real_data, folder), client)
    return folder


@pytest.fixture(scope="module")
def report(real_data, root, client):
    return run(settings_for(real_data, root), client)


@pytest.fixture(scope="module")
def parts(report, root):
    def joined(part):
        blocks = [load(path.read_bytes()) for path in composite_files(Root(root), part)]
        return {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}

    return {part: joined(part) for part in PARTS}


@pytest.fixture(scope="module")
def everything(parts):
    return {k: np.concatenate([parts[p][k] for p in PARTS]) for k in parts["test"]}


def test_every_part_has_what_was_asked_for(report, parts):
    assert [report.counts[part] for part in PARTS] == [600, 120, 120]
    assert [len(parts[part]["label"]) for part in PARTS] == [600, 120, 120]
    assert "no labels" in report.notes[0]
    for part in parts.values():
        assert part["label"].mean() == 0.5


def test_stars_never_cross_from_one_part_to_another(parts, root):
    stars = [set(p["star"]) | set(p["star2"]) for p in parts.values()]
    assert not stars[0] & stars[1] and not stars[0] & stars[2] and not stars[1] & stars[2]
    pool = pq.read_table(root / COMPOSITE_POOL.location).to_pandas()
    for part, members in zip(parts, stars, strict=True):
        assert members <= set(pool["star"][pool["split"] == part])
    assert (pool.groupby("star")["split"].nunique() == 1).all()
    assert len(set(pool["star"])) > 400


def test_everything_but_the_second_star_is_the_same_in_both_classes(everything):
    label = everything["label"]
    for name in ("snr_g", "mass1_msun", "teff_k", "feh", "bad_fraction", "star"):
        assert auc(everything[name].astype(float), label) == 0.5, name
    twins, pairs = everything["flux"][label == 0], everything["flux"][label == 1]
    # Masked pixels are exactly 1; a good pixel is so by chance, one in some hundreds.
    masked = np.round(everything["bad_fraction"][label == 0] * twins.shape[1]).astype(int)
    shared = ((twins == 1) & (pairs == 1)).sum(axis=1)
    assert (shared >= masked).all() and (shared - masked).max() < 10
    assert everything["bad_fraction"].max() <= SpectraSettings().max_bad_fraction


def test_noise_does_not_tell_the_class(everything):
    """Size and shape of what varies from pixel to pixel, in four stretches of the spectrum."""
    flux, label = everything["flux"].astype(np.float32), everything["label"]
    for stretch in np.split(np.arange(3200), 4):
        detail = np.diff(flux[:, stretch], 4, axis=1)
        size = np.median(np.abs(detail), axis=1)
        tail = np.abs(detail).max(axis=1) / size
        for value in (size, tail):
            # Standard error of the AUC of 420 against 420 without a difference: 0.020.
            assert auc(value, label) == pytest.approx(0.5, abs=0.06)


def test_the_noise_is_that_of_the_s_n(everything):
    """Scatter of the fourth difference over what white noise of that S/N would give."""
    flux = everything["flux"][:, 300:1300].astype(np.float32)
    size = 1.4826 * np.median(np.abs(np.diff(flux, 4, axis=1)), axis=1)
    slope, _ = np.polyfit(np.log(1 / everything["snr_g"]), np.log(size), 1)
    assert slope == pytest.approx(0.8, abs=0.25)  # lines and interpolation take a part
    assert everything["snr_g"].min() >= 25 and everything["snr_g"].max() <= 100


def test_the_truth_is_in_range(everything):
    label, q = everything["label"], everything["mass_ratio"]
    assert (q[label == 0] >= 0.985).all() and (q[label == 0] <= 1).all()
    assert (q[label == 1] >= 0.71).all() and (q[label == 1] <= 0.93).all()
    assert np.isnan(everything["q"][label == 0]).all()
    np.testing.assert_array_equal(everything["q"][label == 1], q[label == 1])
    assert (everything["star"] != everything["star2"]).all()


def test_the_trainer_reads_them(root, report):
    examples = read_block(composite_files(Root(root), "training")[0])
    assert len(examples) == 200
    assert examples.spectra.flux_BL.dtype == np.float16
    assert examples.spectra.label_B.dtype == np.int8 and examples.star_B.dtype == np.int64


def test_a_second_run_does_nothing_and_a_lost_block_comes_back_the_same(
    real_data, root, report, client, monkeypatch
):
    made = []
    original = composite_block.composite_block
    monkeypatch.setattr(
        composite_block, "composite_block", lambda *args: made.append(args[:2]) or original(*args)
    )
    settings = settings_for(real_data, root)
    assert run(settings, client) == report
    assert made == []
    path = composite_files(Root(root), "training")[1]
    before = path.read_bytes()
    path.unlink()
    drop_record(root, "composites", 1)
    assert run(settings, client) == report
    assert made == [("training", 1)]
    assert path.read_bytes() == before


def test_another_seed_makes_others_elsewhere(real_data, root, report, client):
    small = ("composites.validation_couples=0", "composites.test_couples=0")
    first = composite_files(Root(root), "test")[0]
    other = run(
        settings_for(
            real_data, root, "composites.seed=2", "composites.training_couples=50", *small
        ),
        client,
    )
    assert other.counts["training"] == 100 and other.counts["test"] == 0
    assert first.exists() and str(first.parents[1]) not in str(other.outputs[0])
    run(settings_for(real_data, root), client)
    assert composite_files(Root(root), "test")[0] == first


def test_a_block_reads_its_own_shards_and_all_shards_take_turns(
    real_data, root, report, client, tmp_path
):
    """Shards of 128 rows, one per block: memory does not grow with the survey."""
    settings = settings_for(
        real_data, tmp_path, "ingest.shard_rows=128", "composites.block_shards=3",
        "composites.training_couples=80", "composites.block_couples=10",
        "composites.validation_couples=0", "composites.test_couples=0",
        "labels.training_fraction=0.98", "labels.validation_fraction=0.01",
    )  # fmt: skip
    ingest(settings, client)
    run(settings, client)
    pool = pq.read_table(tmp_path / COMPOSITE_POOL.location).to_pandas()
    shards_of = pool.groupby("star")["shard"].agg(set)
    used: list[set[int]] = []
    for path in composite_files(Root(tmp_path), "training"):
        block = load(path.read_bytes())
        stars = set(block["star"]) | set(block["star2"])
        assert len(stars) > 10
        used.append(set.union(*(shards_of[star] for star in stars)))
    everywhere = set(pool["shard"])
    assert len(everywhere) > 3 and set.union(*used) == everywhere
    # A star seen twice may lie in a shard more.
    assert all(len(shards) < len(everywhere) for shards in used)
    assert len({frozenset(shards) for shards in used}) > 1


def test_labels_decide_where_there_are_labels(real_data, root, report, client, tmp_path):
    """Only stars labelled as single, each in the part that its label names."""
    for name in ("manifest.parquet", "spectra.zarr", "tables"):
        (tmp_path / name).symlink_to(root / name)
    # With the records of the files: a dataset counts only with them.
    (tmp_path / "ledger").mkdir()
    steps = ("ingest", "store", "duplicates", "observations")
    for name in ("observations.json", *(f"{step}.jsonl" for step in steps)):
        (tmp_path / "ledger" / name).symlink_to(root / "ledger" / name)
    (tmp_path / "tables").unlink()
    (tmp_path / "tables").mkdir()
    for name in ("headers", "duplicates.parquet", "observations"):
        (tmp_path / "tables" / name).symlink_to(root / "tables" / name)
    pool = pq.read_table(root / COMPOSITE_POOL.location).to_pandas()
    n = len(pool)
    label = np.where(np.arange(n) % 5 == 0, "binary", "single")
    columns = {
        "shard": pool["shard"], "row": pool["row"], "source_id": 10**18 + pool["row"],
        "label": label, "split": np.where(np.arange(n) % 2, "training", "test"),
    }  # fmt: skip
    table = pa.Table.from_arrays(
        [
            pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(n, f.type)
            for f in LABELS.schema
        ],
        schema=LABELS.schema,
    )
    write_parquet(Root(tmp_path).part(LABELS, 0), table)
    publish(tmp_path, "labels", Published("made", {"spectra": n}))
    settings = settings_for(
        real_data, tmp_path, "composites.training_couples=40", "composites.test_couples=40",
        "composites.validation_couples=0",
    )  # fmt: skip
    made = run(settings, client)
    assert made.counts["spectra of the pool"] == int((label == "single").sum())
    assert not any("no labels" in note for note in made.notes)
    again = pq.read_table(tmp_path / COMPOSITE_POOL.location).to_pandas()
    assert set(again["star"]) == set(columns["source_id"][label == "single"])
    expected = dict(zip(columns["source_id"], columns["split"], strict=True))
    assert [expected[star] for star in again["star"]] == list(again["split"])


def test_without_stars_or_before_ingest_it_says_so(real_data, root, report, client, tmp_path):
    with pytest.raises(NotReadyError, match="pairspec ingest"):
        run(settings_for(real_data, tmp_path), client)
    nobody = settings_for(real_data, root, "composites.pool_snr_min=900")
    with pytest.raises(PairingError, match=r"block 0 of the training part.*pool_snr_min"):
        run(nobody, client)
    run(settings_for(real_data, root), client)


def test_new_stars_are_for_training_alone(real_data, root, report):
    """Validation keeps its bytes, so what is learned is judged on real stars."""
    settings = settings_for(real_data, root)
    population, spectra = settings.simulate.population, settings.spectra
    plain, varied = (
        composite_block.CompositeJob(Root(root), "none", composites, population, spectra)
        for composites in (
            settings.composites, settings.composites.model_copy(update={"vary": True})
        )
    )  # fmt: skip
    block = composite_block.composite_block
    held = [block("validation", 0, 10, job) for job in (plain, varied)]
    np.testing.assert_array_equal(held[0].flux_BL, held[1].flux_BL)
    taught = [block("training", 0, 20, job) for job in (plain, varied)]
    assert len(taught[1]) == 40
    assert not np.isin(taught[1].truth["teff_k"], taught[0].truth["teff_k"]).any()
    again = block("training", 0, 20, varied)
    np.testing.assert_array_equal(again.flux_BL, taught[1].flux_BL)
