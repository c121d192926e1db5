"""From labels and store to the training parts, on files that were ingested."""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.atomic import write_parquet
from pipeline.core.errors import InputError, MismatchError
from pipeline.core.published import NotReadyError, Published, publish
from pipeline.core.root import Root
from pipeline.network.blocks import Stacked, map_block
from pipeline.network.checkpoint import load_model
from pipeline.network.domain import read_stars
from pipeline.network.label_block import label_block_path, write_label_block
from pipeline.network.parts import survey_parts
from pipeline.settings.load import Settings
from pipeline.settings.training import TrainingSettings
from pipeline.spectra.prepare import network_input
from pipeline.stages import run_stage
from pipeline.store.store import open_store
from schemas.observations import OBSERVATIONS
from schemas.sample import LABELS
from tests.networks import ONE_BLOCK

ingest = partial(run_stage, "ingest")
run = partial(run_stage, "train")


TRAINING = TrainingSettings(max_epochs=2, batch_size=8, device="cpu", threads=1)


@pytest.fixture(name="labelled")
def labelled_survey(tmp_path, write_spectrum, client):
    """48 spectra in three shards; every fourth is a binary, every sixth is excluded."""
    for i in range(48):
        write_spectrum(tmp_path / "files" / f"s{i:03d}.fits", obsid=100 + i, seed=i, n=3909)
    settings = Settings(
        root=tmp_path / "root",
        inputs={"spectra": tmp_path / "files"},
        ingest={"shard_rows": 16, "chunk_rows": 8},
        network=ONE_BLOCK,
        training=TRAINING,
    )
    ingest(settings, client)
    root = Root(settings.root)
    for shard in range(3):
        seen = pq.read_table(root.part(OBSERVATIONS, shard)).to_pandas()
        n = len(seen)
        number = seen["row"].to_numpy()
        label = np.where(number % 4 == 0, "binary", "single")
        label = np.where(number % 6 == 5, "excluded", label)
        split = np.where(
            number % 16 < 8, "training", np.where(number % 16 < 12, "validation", "test")
        )
        columns = {name: np.full(n, np.nan, np.float32) for name in LABELS.names} | {
            "shard": seen["shard"], "row": number, "obsid": seen["obsid"],
            "source_id": number + 2**60, "label": label, "split": split,
            "weight": np.where(split == "training", np.where(label == "binary", 3.0, 1.0), 0.0),
            "p_label_binary": np.where(label == "binary", 0.75, 0.125),
        }  # fmt: skip
        arrays = [pa.array(columns[f.name], type=f.type) for f in LABELS.schema]
        write_parquet(root.part(LABELS, shard), pa.Table.from_arrays(arrays, schema=LABELS.schema))
    publish(root.path, "labels", Published("0123", {"spectra": 48}))
    return settings


def test_the_block_is_what_the_network_is_shown_later(labelled):
    root, spectra = Root(labelled.root), labelled.spectra
    done = write_label_block(1, root, "d", spectra, 8)
    block = map_block(label_block_path(root, "d", 1))
    assert done.counts["examples"] == len(block["flux"]) == 13 and block["flux"].dtype == np.float16
    seen = pq.read_table(root.part(OBSERVATIONS, 1)).to_pandas().set_index("row")
    store = open_store(root.store)
    for i, row in enumerate(block["row"]):
        stored = [store[name][row : row + 1].to_numpy() for name in
                  ("flux", "ivar", "log10_first", "n_pixel")]  # fmt: skip
        velocity = np.array([seen.loc[row, "rv_kms"]], np.float64)
        expected = network_input(*stored, velocity, spectra).flux_BL[0]
        # One float16 step: a matrix product of another size may round otherwise.
        np.testing.assert_allclose(block["flux"][i].astype(float), expected, atol=1e-3)
        assert block["label"][i] == (row % 4 == 0)
        assert block["star"][i] == row + 2**60
    assert done.counts == {"examples": 13, "masked": 0}
    assert set(block["row"]) == {r for r in range(16, 32) if r % 6 != 5}


def test_labels_without_their_observation_are_refused(labelled):
    root = Root(labelled.root)
    part = root.part(OBSERVATIONS, 0)
    write_parquet(part, pq.read_table(part).slice(0, 10))
    with pytest.raises(MismatchError, match="5 labelled spectra of shard 0.*pairspec label"):
        write_label_block(0, root, "d", labelled.spectra, 8)


def test_training_from_labels(labelled, client):
    report = run(labelled, client)
    assert report.counts == {"examples": 40, "masked": 0, "ranks": 1, "epochs": 2}
    _, card = load_model(labelled.root / "model")
    assert "20 spectra with labels" in card.data
    assert card.training_range == {"snr_g": (50.0, 50.0)}  # the files have no other parameter
    seen = read_stars(labelled.root / "model", card.training_stars_sha256)
    expected = [r + 2**60 for r in range(48) if r % 16 < 8 and r % 6 != 5]
    assert seen.tolist() == expected and card.training_stars == 20
    assert (labelled.root / "reports" / "training.png").stat().st_size > 5000
    made = sorted((labelled.root / "training_cache").rglob("*.safetensors"))
    times = [path.stat().st_mtime_ns for path in made]
    assert len(made) == 3
    assert run(labelled, client) == report
    assert [path.stat().st_mtime_ns for path in made] == times


def test_what_is_missing_is_named_with_its_command(labelled, client):
    def told(**training):
        changed = TRAINING.model_copy(update=training)
        return labelled.model_copy(update={"training": changed})

    with pytest.raises(NotReadyError, match="pairspec composites"):
        run(told(composite_share=0.5), client)
    (labelled.root / "ledger" / "labels.json").unlink()
    with pytest.raises(NotReadyError, match=r"pairspec label.*training\.source=simulated"):
        run(labelled, client)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        run(told(tensorboard=True), client)


def composites(folder, part, n, rng):
    from safetensors.numpy import save_file

    (folder / part).mkdir(parents=True)
    flux = (1 + 0.02 * rng.standard_normal((n, 3534))).astype(np.float16)
    label = (np.arange(n) % 2).astype(np.int8)
    save_file({"flux": flux, "label": label}, folder / part / "block-000000.safetensors")


def test_composites_are_mixed_in_by_their_share(labelled, client, tmp_path):
    rng = np.random.default_rng(0)
    for part, n in (("training", 30), ("validation", 8), ("test", 8)):
        composites(labelled.root / "composites" / "abcd", part, n, rng)
    publish(labelled.root, "composites", Published("abcd", {"training": 30}))
    files = [sorted((labelled.root / "composites" / "abcd" / p).iterdir())
             for p in ("training", "validation", "test")]  # fmt: skip
    root = Root(labelled.root)
    for shard in range(3):
        write_label_block(shard, root, "d", labelled.spectra, 8)
    blocks = [label_block_path(root, "d", i) for i in range(3)]
    parts = survey_parts(blocks, files, 0.25, oversample=True)
    n = len(parts.training) - 30
    assert parts.weight_B[n:].sum() / parts.weight_B.sum() == pytest.approx(0.25)
    pairs = parts.training.label_B[n:] == 1
    assert parts.weight_B[n:][pairs].sum() == pytest.approx(parts.weight_B[n:][~pairs].sum())
    got, _ = parts.training.fetch(np.array([n + 3]))
    np.testing.assert_array_equal(got[0], map_block(files[0][0])["flux"][3])
    half = labelled.model_copy(
        update={"training": TRAINING.model_copy(update={"composite_share": 0.5})}
    )
    run(half, client)
    assert "30 composites" in load_model(labelled.root / "model")[1].data
    only = labelled.model_copy(
        update={"training": TRAINING.model_copy(update={"composite_share": 1.0, "pair_fit": "off"})}
    )
    run(only, client)
    assert load_model(labelled.root / "model")[1].data == (
        "30 composites of the survey's single stars"
    )
    files[2][0].unlink()
    other = only.model_copy(update={"training": only.training.model_copy(update={"seed": 9})})
    with pytest.raises(InputError, match=r"no composites of the test part.*test_couples"):
        run(other, client)


def test_soft_labels_teach_their_probability_and_are_judged_by_the_label(
    labelled, client, tmp_path
):
    rng = np.random.default_rng(0)
    for part in ("training", "validation", "test"):
        composites(tmp_path / "composites", part, 8, rng)
    files = [[tmp_path / "composites" / p / "block-000000.safetensors"]
             for p in ("training", "validation", "test")]  # fmt: skip
    root = Root(labelled.root)
    for shard in range(3):
        write_label_block(shard, root, "d", labelled.spectra, 8)
    blocks = [label_block_path(root, "d", i) for i in range(3)]
    hard = survey_parts(blocks, files, 0.25, oversample=True)
    soft = survey_parts(blocks, files, 0.25, oversample=True, soft=True)
    rows, n = slice(None), len(soft.training) - 8
    wanted = np.where(hard.training.label_B == 1, 0.75, 0.125)
    wanted[n:] = hard.training.label_B[n:]
    np.testing.assert_array_equal(soft.training.fetch(rows)[1].numpy(), wanted)
    np.testing.assert_array_equal(hard.training.fetch(rows)[1].numpy(), hard.training.label_B)
    np.testing.assert_array_equal(soft.weight_B, hard.weight_B)
    assert soft.validation.target_B is None and soft.test.target_B is None
    told = TRAINING.model_copy(update={"labels": "soft"})
    run(labelled, client)
    taught = load_model(labelled.root / "model")[1]
    run(labelled.model_copy(update={"training": told}), client)
    other = load_model(labelled.root / "model")[1]
    assert other.model_id != taught.model_id
    assert other.data_digest == taught.data_digest


def test_blocks_of_an_older_version_still_teach_their_labels(labelled):
    from safetensors.numpy import save_file

    root, blocks = Root(labelled.root), []
    for shard in range(3):
        write_label_block(shard, root, "d", labelled.spectra, 8)
        path = label_block_path(root, "d", shard)
        save_file({k: np.array(v) for k, v in map_block(path).items() if k != "target"}, path)
        blocks.append(path)
    assert survey_parts(blocks, ((), (), ()), 0, oversample=True).training.target_B is None
    with pytest.raises(InputError, match="no probabilities.*pairspec label"):
        survey_parts(blocks, ((), (), ()), 0, oversample=True, soft=True)


def test_damaged_blocks_are_named(tmp_path):
    composites(tmp_path, "training", 4, np.random.default_rng(0))
    path = tmp_path / "training" / "block-000000.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    with pytest.raises(InputError, match="block-000000.safetensors is cut off"):
        map_block(path)
    path.write_bytes(content[:30])
    with pytest.raises(InputError, match="is damaged"):
        map_block(path)


def test_stacked_rows_come_from_the_right_array():
    rng = np.random.default_rng(1)
    arrays = [rng.random((n, 5)).astype(np.float16) for n in (3, 1, 6)]
    whole, stacked = np.concatenate(arrays), Stacked(arrays)
    rows = np.array([9, 0, 3, 3, 2, 4])
    np.testing.assert_array_equal(stacked[rows], whole[rows])
    np.testing.assert_array_equal(stacked.take(rows)[1:4], whole[rows][1:4])
    np.testing.assert_array_equal(Stacked([stacked, arrays[1]])[np.array([10, 9])], whole[[3, 9]])
    with pytest.raises(ValueError, match="cannot be stacked"):
        Stacked([arrays[0], arrays[1].astype(np.float32)])


def test_float16_keeps_what_bfloat16_loses():
    """Rounding against the noise of a very good spectrum (S/N 200): measured, not guessed."""
    import torch

    rng = np.random.default_rng(0)
    flux = (1 - 0.6 * rng.random((200, 3534)) ** 6).astype(np.float32)
    error = {
        name: float((torch.from_numpy(flux).to(name).float() - torch.from_numpy(flux)).std())
        for name in (torch.float16, torch.bfloat16)
    }
    assert error[torch.float16] < 0.05 * 0.005
    assert error[torch.bfloat16] > 0.15 * 0.005
