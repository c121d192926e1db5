import shutil
from functools import partial

import numpy as np
import pytest
from distributed import Client, LocalCluster

from pipeline.core.errors import InputError
from pipeline.core.root import Root
from pipeline.network import job as job_module
from pipeline.network.checkpoint import load_model
from pipeline.network.job import Sources, TrainingJob, read_block, write_block
from pipeline.network.loader import Labelled
from pipeline.network.novelty import read_novelty
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.load import Settings
from pipeline.settings.training import TrainingSettings
from pipeline.stages import run_stage
from tests.networks import ONE_BLOCK

run = partial(run_stage, "train")


TRAINING = TrainingSettings(
    source="simulated", n_examples=300, max_epochs=2, batch_size=32, device="cpu", threads=1
)


@pytest.fixture(name="client", scope="module")
def inline_client():
    cluster = LocalCluster(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    )
    with cluster, Client(cluster) as client:
        yield client


def settings(root, **training):
    return Settings(root=root, network=ONE_BLOCK, training=TRAINING.model_copy(update=training))


def test_from_nothing_to_a_model_and_again(tmp_path, client, monkeypatch):
    report = run(settings(tmp_path), client)
    assert report.counts == {"examples": 300, "ranks": 1, "epochs": 2}
    _, card = load_model(tmp_path / "model")
    assert card.model_id in report.notes[0]
    assert card.network == ONE_BLOCK
    assert set(card.metrics) == {
        "epoch", "train_loss", "validation_loss", "validation_auc", "test_auc",
    }  # fmt: skip
    assert "240 simulated" in card.data
    flux_BL = np.ones((2, card.n_pixel), np.float32)
    assert read_novelty(tmp_path / "model", card.novelty_sha256).unlike(flux_BL).all()
    assert Predictor(tmp_path / "model", card.sha256, InferSettings()).predict(flux_BL)[1].all()

    def forbidden(*args):
        raise AssertionError("simulated again")

    monkeypatch.setattr(job_module, "example_block", forbidden)
    assert run(settings(tmp_path), client) == report
    # Other training settings use the same spectra, and do not disturb the finished training.
    other = run(settings(tmp_path, learning_rate=1e-3), client)
    assert other.outputs[1] != report.outputs[1]
    assert load_model(tmp_path / "model")[1].training.learning_rate == 1e-3


def test_a_teacher_counts_by_its_weights(tmp_path, client):
    run(settings(tmp_path / "first"), client)
    model, copy = tmp_path / "first" / "model", tmp_path / "copy"
    shutil.copytree(model, copy)
    report = run(settings(tmp_path / "second", teacher=model), client)
    card = load_model(tmp_path / "second" / "model")[1]
    assert card.teacher_id == load_model(model)[1].model_id != card.model_id
    assert run(settings(tmp_path / "second", teacher=copy), client) == report
    less = run(settings(tmp_path / "second", teacher=copy, teacher_weight=0.1), client)
    assert less.outputs[1] != report.outputs[1]
    with pytest.raises(InputError, match="training.teacher: .*copy the folder"):
        run(settings(tmp_path / "first", teacher=model), client)


def test_a_block_comes_back_as_it_was_written(tmp_path):
    s = settings(tmp_path)
    job = TrainingJob(Root(tmp_path), s.simulate, s.spectra, s.network, s.training)
    done = write_block(3, job)
    assert done.outputs == (job.block(3),)
    block = read_block(job.block(3))
    assert done.counts == {"examples": len(block)}
    assert block.star_B.min() >= 3 * 256
    assert block.spectra.digest() == read_block(job.block(3)).spectra.digest()


def test_other_simulations_have_other_blocks(tmp_path):
    s = settings(tmp_path)
    job = TrainingJob(Root(tmp_path), s.simulate, s.spectra, s.network, s.training)
    sharper = s.spectra.model_copy(update={"sigma_angstrom": 50.0})
    assert job.block(0) != TrainingJob(
        *(job.root, s.simulate, sharper, s.network, s.training)
    ).block(0)
    quicker = s.training.model_copy(update={"threads": 2})
    same = TrainingJob(job.root, s.simulate, s.spectra, s.network, quicker)
    assert (same.block(0), same.folder) == (job.block(0), job.folder)


def test_a_test_part_of_one_class_costs_no_network(tmp_path, client, monkeypatch):
    """The network is kept; only its test AUC is not known."""
    parts = Sources.parts

    def one_class(self, training):
        found = parts(self, training)
        keep = found.test.label_B == 1
        return found._replace(test=Labelled(found.test.flux_BL[keep], found.test.label_B[keep]))

    monkeypatch.setattr(Sources, "parts", one_class)
    report = run(settings(tmp_path), client)
    assert "test AUC" not in report.notes[0]
    assert any("no test AUC: the test part needs" in note for note in report.notes)
    assert "test_auc" not in load_model(tmp_path / "model")[1].metrics
