import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.network.checkpoint import CheckpointError
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.settings import NetworkSettings, TrainingSettings
from pipeline.network.trainer import STATE, DivergedError, evaluate, learning_rate, train

NETWORK = NetworkSettings(
    stem_channels=4, stem_kernel=7, channels=(8,), blocks=(1,), strides=(2,), hidden=8, dropout=0.3
)
SETTINGS = TrainingSettings(
    learning_rate=2e-2, batch_size=16, max_epochs=4, patience=4, schedule="cosine", device="cpu"
)


def toy(n, seed):
    """Binaries have a second line; too faint for a glance, clear to a network."""
    rng = np.random.default_rng(seed)
    label_B = (rng.random(n) < 0.3).astype(np.int8)
    pixel_L = np.arange(96)
    center_B1 = rng.uniform(25, 70, (n, 1))
    flux_BL = 1 - 0.5 * np.exp(-(((pixel_L - center_B1) / 3) ** 2))
    flux_BL -= 0.3 * label_B[:, None] * np.exp(-(((pixel_L - center_B1 - 10) / 3) ** 2))
    return Labelled((flux_BL + rng.normal(0, 0.05, (n, 96))).astype(np.float16), label_B)


TRAINING, VALIDATION = toy(400, 1), toy(150, 2)


def run(folder, settings=SETTINGS, network=NETWORK, **ranks):
    model = build_model(network, 96, settings.seed)
    return train(model, settings, TRAINING, VALIDATION, folder, **ranks)


def weights(result):
    return {name: t.numpy().tobytes() for name, t in result.model.state_dict().items()}


@pytest.fixture(name="whole", scope="module")
def whole_run(tmp_path_factory):
    torch.set_num_threads(1)
    return run(tmp_path_factory.mktemp("whole"))


def test_it_learns_and_logs(whole, tmp_path):
    untrained = evaluate(build_model(NETWORK, 96, SETTINGS.seed), VALIDATION, 64)
    assert whole.best["validation_auc"] > max(0.9, untrained[1])
    assert [r["epoch"] for r in whole.history] == [1, 2, 3, 4]
    loss, auc = evaluate(whole.model, VALIDATION, 64)
    assert auc == whole.best["validation_auc"] == max(r["validation_auc"] for r in whole.history)
    assert loss == pytest.approx(whole.best["validation_loss"])
    again = run(tmp_path)
    assert weights(again) == weights(whole)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == again.history
    assert all(line["spectra_per_s"] > 0 for line in lines)


def test_resume_after_an_epoch(whole, tmp_path, monkeypatch):
    class StopError(Exception):
        pass

    real = Labelled.fetch
    calls = []

    def stops(self, rows):
        calls.append(rows)
        if len(calls) > 80:
            raise StopError
        return real(self, rows)

    monkeypatch.setattr(Labelled, "fetch", stops)
    with pytest.raises(StopError):
        run(tmp_path)
    monkeypatch.undo()
    done = len((tmp_path / "log.jsonl").read_text().splitlines())
    assert 1 <= done < 4
    resumed = run(tmp_path)
    assert weights(resumed) == weights(whole)
    assert len(resumed.history) == 4


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
sys.path.insert(0, {here!r})
from test_trainer import Labelled, run
torch.set_num_threads(1)
real, calls = Labelled.fetch, []
def fetch(self, rows):
    calls.append(1)
    if len(calls) == 90:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, rows)
Labelled.fetch = fetch
run(Path({folder!r}))
"""


def test_resume_after_a_kill_in_mid_epoch(whole, tmp_path):
    here = Path(__file__).parent
    code = KILLED.format(here=str(here), folder=str(tmp_path))
    root = here.parents[2]
    killed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    done = len((tmp_path / "log.jsonl").read_text().splitlines())
    assert 1 <= done < 4
    assert weights(run(tmp_path)) == weights(whole)


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = run(tmp_path)
    written = (tmp_path / STATE).stat().st_mtime_ns
    again = run(tmp_path)
    assert (tmp_path / STATE).stat().st_mtime_ns == written
    assert weights(again) == weights(first)
    assert again.history == first.history


def test_early_stopping_keeps_the_best(tmp_path):
    changed = {"max_epochs": 30, "patience": 2, "learning_rate": 0.03, "schedule": "constant"}
    result = run(tmp_path, SETTINGS.model_copy(update=changed))
    aucs = [r["validation_auc"] for r in result.history]
    assert len(aucs) < 30
    assert len(aucs) - 1 - int(np.argmax(aucs)) == 2
    assert evaluate(result.model, VALIDATION, 64)[1] == max(aucs)


def test_the_state_of_another_run_is_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(CheckpointError, match="other training"):
        run(tmp_path, SETTINGS.model_copy(update={"learning_rate": 1e-3}))
    with pytest.raises(CheckpointError, match="other network"):
        run(tmp_path, network=NETWORK.model_copy(update={"hidden": 9}))
    model = build_model(NETWORK, 96)
    with pytest.raises(CheckpointError, match="other data"):
        train(model, SETTINGS, toy(400, 9), VALIDATION, tmp_path)
    (tmp_path / STATE).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="delete it"):
        run(tmp_path)


def test_a_loss_that_is_no_number_is_reported(tmp_path):
    flux_BL = TRAINING.flux_BL.copy()
    flux_BL[7, 7] = np.nan
    bad = Labelled(flux_BL, TRAINING.label_B)
    with pytest.raises(DivergedError, match=r"epoch 1, step \d+: loss nan.*lower learning_rate"):
        train(build_model(NETWORK, 96), SETTINGS, bad, VALIDATION, tmp_path)
    assert not (tmp_path / STATE).exists()


def test_one_class_is_refused_before_training(tmp_path):
    single = Labelled(VALIDATION.flux_BL, np.zeros(len(VALIDATION), np.int8))
    with pytest.raises(ValueError, match="validation part"):
        train(build_model(NETWORK, 96), SETTINGS, TRAINING, single, tmp_path)


def test_two_ranks_stay_the_same(tmp_path):
    """Two threads stand for two ranks: after averaging both hold the same network."""
    network = NETWORK.model_copy(update={"dropout": 0.0})
    settings = SETTINGS.model_copy(update={"max_epochs": 2})
    barrier, given, results = threading.Barrier(2, timeout=60), [None, None], [None, None]
    models = [build_model(network, 96, settings.seed) for _ in range(2)]

    def worker(rank):
        def reduce(tensor):
            given[rank] = tensor.clone()
            barrier.wait()
            tensor.copy_((given[0] + given[1]) / 2)
            barrier.wait()

        folder = tmp_path / str(rank)
        results[rank] = train(models[rank], settings, TRAINING, VALIDATION, folder, rank, 2, reduce)

    threads = [threading.Thread(target=worker, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert weights(results[0]) == weights(results[1])
    assert (tmp_path / "0" / STATE).exists()
    assert not (tmp_path / "1" / STATE).exists()
    aucs = [[r["validation_auc"] for r in result.history] for result in results]
    assert aucs[0] == aucs[1]
    assert weights(results[0]) != weights(run(tmp_path / "alone", settings, network))


def test_schedule():
    cosine = TrainingSettings(learning_rate=2.0, schedule="cosine", warmup_share=0.1)
    rates = [learning_rate(cosine, step, 100) for step in range(100)]
    assert rates[0] < 0.2 and np.argmax(rates) in (9, 10) and max(rates) > 1.9
    assert all(np.diff(rates)[10:] < 0) and 0 < rates[-1] < 0.01
    constant = TrainingSettings(learning_rate=2.0)
    assert {learning_rate(constant, step, 100) for step in range(100)} == {2.0}
