from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.network import ensemble as ensemble_module
from pipeline.network.card import CheckpointError
from pipeline.network.ensemble import Ensemble, get_ensemble
from pipeline.network.members import Member, plan_ensemble
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings

SETTINGS = InferSettings(device="cpu")


def test_one_network_is_an_ensemble_of_one(folders, flux_BL):
    plan = plan_ensemble(folders[:1])
    logit_B, p_b_B = Predictor(folders[0], None, SETTINGS).predict(flux_BL)
    answer = Ensemble(plan.members, SETTINGS).predict(flux_BL)
    np.testing.assert_array_equal(answer.logit_B, logit_B)
    np.testing.assert_array_equal(answer.p_b_B, p_b_B)
    assert np.isnan(answer.spread_B).all()
    assert plan.model_id == plan.members[0].sha256[:12]


def test_logits_are_averaged_and_their_spread_is_kept(folders, flux_BL):
    plan = plan_ensemble(folders)
    answer = Ensemble(plan.members, SETTINGS).predict(flux_BL)
    first_B, _ = Predictor(folders[0], None, SETTINGS).predict(flux_BL)
    np.testing.assert_allclose(answer.logit_B, first_B + 2, atol=1e-5)
    np.testing.assert_allclose(answer.p_b_B, 1 / (1 + np.exp(-(first_B + 2.0))), atol=1e-6)
    np.testing.assert_allclose(answer.spread_B, np.std([0, 1, 5], ddof=1), atol=1e-5)


def test_a_process_reads_each_network_once(folders, monkeypatch):
    monkeypatch.setattr(ensemble_module, "_loaded", None)
    reads = []

    def counted(*args):
        reads.append(args)
        return Predictor(*args)

    monkeypatch.setattr(ensemble_module, "Predictor", counted)
    members = plan_ensemble(folders[:2]).members
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: get_ensemble(members, SETTINGS), range(8)))
    assert len(reads) == 2
    assert all(ensemble is found[0] for ensemble in found)
    assert get_ensemble(members[:1], SETTINGS) is not found[0]
    damaged = (Member(members[0].path, members[1].sha256),)
    with pytest.raises(CheckpointError, match="is wanted"):
        get_ensemble(damaged, InferSettings(device="cpu", batch_size=3))
