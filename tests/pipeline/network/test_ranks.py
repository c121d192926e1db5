"""Several ranks in real processes: the same training as one rank, whatever happens to them."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from cluster.connect import connect
from cluster.gang import GangOptions, RankError, run_gang
from cluster.rank import Rank
from cluster.settings import ClusterSettings
from pipeline.network import trainer
from pipeline.network.loader import Labelled
from pipeline.network.model import build_model
from pipeline.network.state import state_files
from pipeline.settings.network import NetworkSettings
from pipeline.settings.training import TrainingSettings

NETWORK = NetworkSettings(
    preset="small",
    stem_channels=4, stem_kernel=7, channels=(8, 8), blocks=(1, 1), strides=(2, 1), hidden=(8,),
    dropout=0.0,
)  # fmt: skip
SETTINGS = TrainingSettings(
    learning_rate=1e-3, batch_size=64, max_epochs=2, patience=2, oversample=False, device="cpu",
    threads=1,
)  # fmt: skip
KILLED = SETTINGS.model_copy(update={"max_epochs": 3, "patience": 3})
DROPOUT = NETWORK.model_copy(update={"dropout": 0.3})


def toy(n, seed):
    rng = np.random.default_rng(seed)
    label_B = (rng.random(n) < 0.4).astype(np.int8)
    flux_BL = 1 + 0.1 * rng.standard_normal((n, 96))
    flux_BL[label_B == 1, 40:50] -= 0.15
    return Labelled(flux_BL.astype(np.float16), label_B)


def train_toy(rank: Rank, folder: Path, settings: TrainingSettings, network: NetworkSettings):
    """Train; return the loss of each step on this rank, the weights and the epochs' records."""
    losses, real = [], trainer.cross_entropy

    def recorded(logit_B, label_B):
        loss = real(logit_B, label_B)
        if loss.requires_grad:
            losses.append(loss.item())
        return loss

    trainer.cross_entropy = recorded
    try:
        model = build_model(network, 96, 1)
        parts = toy(1600, 1), toy(81, 2)
        result = trainer.train(model, settings, *parts, folder, rank=rank.number, world=rank.world)
    finally:
        trainer.cross_entropy = real
    weights = {name: t.numpy() for name, t in result.model.state_dict().items()}
    return losses, weights, result.history


def train_killed(rank: Rank, folder: Path, settings: TrainingSettings, network: NetworkSettings):
    """The same, but once, in mid-epoch, rank 1 kills itself with the signal nobody can catch."""
    if rank.number == 1 and not (folder / "killed").exists():
        real, steps = trainer.augmented, []

        def dying(*args):
            steps.append(1)
            if len(steps) == 35:  # in the middle of the 25 steps of the second epoch
                (folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args)

        trainer.augmented = dying
    return train_toy(rank, folder, settings, network)


def train_on_nan(rank: Rank, folder: Path):
    """Only rank 1 meets the spectrum that is not finite, yet all ranks raise together."""
    training = toy(64, 1)
    training.flux_BL[5, 5] = np.nan
    model = build_model(NETWORK.model_copy(update={"norm": "group"}), 96, 1)
    trainer.train(model, SETTINGS, training, toy(80, 2), folder, rank=rank.number, world=rank.world)


@pytest.fixture(name="pair", scope="module")
def two_workers():
    with connect(ClusterSettings(workers=2, memory_limit="2GiB")) as client:
        yield client


def gang(client, function, *args, ranks=2):
    notes = []
    options = GangOptions(ranks=ranks, backend="cpu", rejoin_s=60)
    return run_gang(client, function, *args, options=options, notify=notes.append), notes


@pytest.mark.parametrize("norm", ["batch", "group"])
def test_two_ranks_learn_as_one_with_the_same_global_batch(pair, tmp_path, norm):
    """Without shifts: each rank draws its own."""
    network = NETWORK.model_copy(update={"norm": norm})
    still = SETTINGS.model_copy(update={"shift_pixels": 0})
    (first, second), _ = gang(pair, train_toy, tmp_path / "two", still, network)
    alone = train_toy(Rank(0, 1, ""), tmp_path / "one", still, network)
    assert len(alone[0]) == len(first[0]) == len(second[0]) == 50
    both = (np.array(first[0]) + np.array(second[0])) / 2
    np.testing.assert_allclose(both, alone[0], rtol=0, atol=1e-5)
    assert np.mean(alone[0][-10:]) < 0.9 * np.mean(alone[0][:10])
    for name, weight in alone[1].items():
        np.testing.assert_array_equal(first[1][name], second[1][name])
        np.testing.assert_allclose(first[1][name], weight, rtol=0, atol=2e-3, err_msg=name)
    aucs = [[r["validation_auc"] for r in run[2]] for run in (first, alone)]
    np.testing.assert_allclose(*aucs, atol=2e-3)


def test_ranks_with_statistics_of_their_own_stay_together(pair, tmp_path):
    apart = SETTINGS.model_copy(update={"synchronise_norms": False})
    (first, second), _ = gang(pair, train_toy, tmp_path / "apart", apart, NETWORK)
    for name, weight in first[1].items():
        np.testing.assert_array_equal(weight, second[1][name], err_msg=name)
    aucs = [[r["validation_auc"] for r in run[2]] for run in (first, second)]
    assert aucs[0] == aucs[1] and aucs[0][-1] > 0.9
    (together, _), _ = gang(pair, train_toy, tmp_path / "together", SETTINGS, NETWORK)
    assert not np.array_equal(first[0], together[0])  # it is another function of the batch


def test_a_worker_killed_in_mid_epoch_changes_no_bit_of_the_result(pair, tmp_path):
    (tmp_path / "killed").mkdir()
    (undisturbed, _), _ = gang(pair, train_toy, tmp_path / "whole", KILLED, DROPOUT)
    (resumed, _), notes = gang(pair, train_killed, tmp_path / "killed", KILLED, DROPOUT)
    assert (tmp_path / "killed" / "killed").exists()
    assert len(notes) == 2 and "was killed by signal 9" in notes[1]
    losses = [[r["train_loss"] for r in run[2]] for run in (resumed, undisturbed)]
    assert len(losses[0]) == 3 and losses[0] == losses[1]
    for name, weight in undisturbed[1].items():
        assert resumed[1][name].tobytes() == weight.tobytes(), name
    assert len(state_files(tmp_path / "killed")) == 2


def test_a_loss_that_is_no_number_ends_all_ranks_together(pair, tmp_path):
    with pytest.raises(
        RankError, match=r"rank 0 of 2 .*ArithmeticError: epoch 1, step 1"
    ) as caught:
        gang(pair, train_on_nan, tmp_path)
    assert isinstance(caught.value.__cause__, ArithmeticError)


def test_one_rank_goes_on_where_two_stopped(pair, tmp_path):
    torch.set_num_threads(1)
    options = SETTINGS.model_copy(update={"max_epochs": 2})
    gang(pair, train_toy, tmp_path, options, NETWORK)
    state_files(tmp_path)[0].unlink()
    fewer = options.model_copy(update={"ranks": 1})
    losses, _, history = train_toy(Rank(0, 1, ""), tmp_path, fewer, NETWORK)
    assert len(history) == 2 and len(losses) == 25  # one epoch by two ranks, one by one
