from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.network import ensemble as ensemble_module
from pipeline.network.card import CheckpointError
from pipeline.network.checkpoint import save_model
from pipeline.network.ensemble import (
    Ensemble,
    Member,
    get_ensemble,
    plan_ensemble,
)
from pipeline.network.model import build_model
from pipeline.network.predictor import Predictor
from pipeline.settings.infer import InferSettings
from pipeline.settings.spectra import SpectraSettings

SETTINGS = InferSettings(device="cpu")


@pytest.fixture
def folders(tmp_path, model, card):
    """Three networks: the second one always 1 higher in the logit, the third 5 higher."""
    made = []
    for i, offset in enumerate((0, 1, 4)):
        model.head[-1].bias.data += offset
        made.append(save_model(tmp_path / f"model{i}", model, card))
    return made


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


def test_the_order_of_the_members_does_not_matter(folders):
    plans = [plan_ensemble(order) for order in (folders, folders[::-1])]
    assert plans[0] == plans[1]
    ids = {plan_ensemble(folders[:n]).model_id for n in (1, 2, 3)}
    assert len(ids) == 3
    assert {len(i) for i in ids} == {12}


def test_members_must_be_different_networks(folders):
    with pytest.raises(InputError, match="model1.* hold the same network"):
        plan_ensemble([folders[0], folders[1], folders[1]])


def test_members_must_take_the_same_spectra(tmp_path, folders, model, card, tiny):
    model.head[-1].bias.data += 1
    other = card.model_copy(update={"spectra": SpectraSettings(frame="observed")})
    save_model(tmp_path / "observed", model, other)
    with pytest.raises(InputError, match=r"\(frame: (rest and observed|observed and rest)\)"):
        plan_ensemble([folders[0], tmp_path / "observed"])
    longer = build_model(tiny, model.n_pixel + 1)
    save_model(tmp_path / "longer", longer, card.model_copy(update={"n_pixel": model.n_pixel + 1}))
    with pytest.raises(InputError, match="n_pixel: "):
        plan_ensemble([folders[0], tmp_path / "longer"])
    with pytest.raises(CheckpointError, match="no model in"):
        plan_ensemble([folders[0], tmp_path / "nowhere"])


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
