import subprocess
import sys

import pytest

from pipeline.core.errors import InputError
from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from pipeline.network.card import CheckpointError
from pipeline.network.checkpoint import save_model
from pipeline.network.members import plan_ensemble, predicting_networks
from pipeline.network.model import build_model
from pipeline.settings.spectra import SpectraSettings


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


@pytest.mark.parametrize("stage", ["evaluation", "validation", "catalogue", "report"])
def test_stages_that_read_cards_alone_do_without_pytorch(stage):
    code = f"import pipeline.{stage}.stage, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_networks_that_gave_p_b_are_remembered(tmp_path):
    root, own, other = Root(tmp_path / "run"), tmp_path / "run" / "model", tmp_path / "other"
    assert predicting_networks(root) == (own,)
    publish(root.path, "predictions", Published("a", {}))
    assert predicting_networks(root) == (own,)
    named = {"infer.models": [str(other)]}
    publish(root.path, "predictions", Published("b", {}, settings=named))
    assert predicting_networks(root) == (other,)
    assert predicting_networks(root, [own]) == (own,)
