import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.network import trainer
from pipeline.network.augment import augmented
from pipeline.network.card import CheckpointError
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.scoring import evaluate
from pipeline.network.state import newest_state, state_files
from pipeline.network.trainer import train
from pipeline.settings.network import NetworkSettings
from pipeline.settings.training import TrainingSettings

NETWORK = NetworkSettings(
    preset="small",
    stem_channels=4,
    stem_kernel=7,
    channels=(8,),
    blocks=(1,),
    strides=(2,),
    hidden=(8,),
    dropout=0.3,
)
SETTINGS = TrainingSettings(
    learning_rate=2e-2, batch_size=16, max_epochs=4, patience=4, schedule="cosine", device="cpu"
)


def toy(n, seed):
    """Binaries have a second, fainter line."""
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
    untrained = evaluate(build_model(NETWORK, 96, SETTINGS.seed), VALIDATION)
    assert whole.best["validation_auc"] > max(0.9, untrained[1])
    assert [r["epoch"] for r in whole.history] == [1, 2, 3, 4]
    loss, auc = evaluate(whole.model, VALIDATION)
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

    calls = []

    def stops(flux_BL, *how):
        calls.append(1)
        if len(calls) > 80:
            raise StopError
        return augmented(flux_BL, *how)

    monkeypatch.setattr(trainer, "augmented", stops)
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
from test_trainer import run, trainer
torch.set_num_threads(1)
real, calls = trainer.augmented, []
def stops(*args):
    calls.append(1)
    if len(calls) == 90:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args)
trainer.augmented = stops
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
    written = [(path, path.stat().st_mtime_ns) for path in state_files(tmp_path)]
    again = run(tmp_path)
    assert [(path, path.stat().st_mtime_ns) for path in state_files(tmp_path)] == written
    assert [path.name for path, _ in written] == [
        "state-000004.safetensors", "state-000003.safetensors",
    ]  # fmt: skip
    assert weights(again) == weights(first)
    assert again.history == first.history


@pytest.mark.parametrize("epochs", [0, 3])
def test_stopped_between_the_last_state_and_the_log(tmp_path, epochs):
    run(tmp_path)
    log = tmp_path / "log.jsonl"
    content = log.read_bytes()
    log.unlink()
    if epochs:
        log.write_bytes(b"".join(content.splitlines(keepends=True)[:epochs]))
    run(tmp_path)
    assert log.read_bytes() == content


def test_early_stopping_keeps_the_best(tmp_path):
    changed = {"max_epochs": 30, "patience": 2, "learning_rate": 0.03, "schedule": "constant"}
    result = run(tmp_path, SETTINGS.model_copy(update=changed))
    aucs = [r["validation_auc"] for r in result.history]
    assert len(aucs) < 30
    assert len(aucs) - 1 - int(np.argmax(aucs)) == 2
    assert evaluate(result.model, VALIDATION)[1] == max(aucs)


def test_the_state_of_another_run_is_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(CheckpointError, match="other training"):
        run(tmp_path, SETTINGS.model_copy(update={"learning_rate": 1e-3}))
    with pytest.raises(CheckpointError, match="other network"):
        run(tmp_path, network=NETWORK.model_copy(update={"hidden": (9,)}))
    model = build_model(NETWORK, 96)
    with pytest.raises(CheckpointError, match="other data"):
        train(model, SETTINGS, toy(400, 9), VALIDATION, tmp_path)


def test_a_truncated_state_is_refused_and_the_one_before_used(whole, tmp_path):
    run(tmp_path)
    newest, before = state_files(tmp_path)
    content = newest.read_bytes()
    newest.write_bytes(content[:-1000])
    again = run(tmp_path)
    assert len(again.notes) == 1
    assert "state-000004" in again.notes[0] and "damaged" in again.notes[0]
    assert "the state before it was used" in again.notes[0]
    assert weights(again) == weights(whole)
    assert newest_state(tmp_path)[0] == newest  # trained and written again
    # A flipped bit leaves the length as it is.
    flipped = bytearray(newest.read_bytes())
    flipped[-1000] ^= 1
    newest.write_bytes(flipped)
    assert "digest" in run(tmp_path).notes[0]
    for path in (newest, before):
        path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="to train from the start"):
        run(tmp_path)


def test_a_loss_that_is_no_number_is_reported(tmp_path):
    flux_BL = TRAINING.flux_BL.copy()
    flux_BL[7, 7] = np.nan
    bad = Labelled(flux_BL, TRAINING.label_B)
    with pytest.raises(ArithmeticError, match=r"epoch 1, step \d+: loss nan.*lower learning_rate"):
        train(build_model(NETWORK, 96), SETTINGS, bad, VALIDATION, tmp_path)
    assert not state_files(tmp_path)


def test_one_class_is_refused_before_training(tmp_path):
    single = Labelled(VALIDATION.flux_BL, np.zeros(len(VALIDATION), np.int8))
    with pytest.raises(ValueError, match="validation part"):
        train(build_model(NETWORK, 96), SETTINGS, TRAINING, single, tmp_path)


def test_bfloat16_and_adamw_train_too(tmp_path):
    """Where the hardware has no bfloat16, float32 is what is trained in."""
    changed = {"precision": "bfloat16", "optimizer": "adamw", "weight_decay": 0.01}
    result = run(tmp_path, SETTINGS.model_copy(update=changed))
    assert result.best["validation_auc"] > 0.85


def test_weight_decay_shrinks_kernels_alone(tmp_path):
    settings = SETTINGS.model_copy(
        update={"optimizer": "adamw", "learning_rate": 1e-4, "weight_decay": 1000.0}
        | {"schedule": "constant", "max_epochs": 1}
    )
    before = dict(build_model(NETWORK, 96, settings.seed).named_parameters())
    for name, after in run(tmp_path, settings).model.named_parameters():
        # Steps of 1e-4 move nothing far; a decay of 10 % a step leaves little after 40.
        if after.ndim > 1:
            assert after.norm() < 0.2 * before[name].norm(), name
        else:
            assert (after - before[name]).abs().max() < 0.01, name


def test_group_norm_trains_too(tmp_path):
    result = run(tmp_path, network=NETWORK.model_copy(update={"norm": "group"}))
    assert result.best["validation_auc"] > 0.85
