"""A report on the p_b of networks from elsewhere."""

import json
import shutil

import pytest
import torch

from pipeline.core.root import Root
from pipeline.network.checkpoint import load_model, save_model
from pipeline.network.members import plan_ensemble
from pipeline.report.networks import card_lines, in_words

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("finished")]


@pytest.fixture(scope="module")
def others(finished, tmp_path_factory):
    """Two networks that are not the run's own."""
    model, card = load_model(finished.root / "model")
    folders = []
    for number in (1, 2):
        with torch.no_grad():
            model.head[-1].bias += 1.0
        folder = tmp_path_factory.mktemp("other") / f"model{number}"
        blank = dict.fromkeys(("novelty_sha256", "pair_fit_sha256", "training_stars_sha256"), "")
        folders.append(
            save_model(folder, model, card.model_copy(update=blank | {"data": f"of {number}"}))
        )
    return folders


@pytest.fixture(scope="module")
def root(finished, others, tmp_path_factory):
    """A run that has the p_b of both, and no network of its own."""
    root = tmp_path_factory.mktemp("root") / "run"
    shutil.copytree(finished.before("train"), root)
    for stage in ("infer", "catalogue"):
        answer = finished.server.run(stage, finished.config, root, named(others))
        assert answer["status"] == 0, answer
    return root


def named(folders):
    return f"infer.models={[str(folder) for folder in folders]}"


def test_the_networks_that_gave_p_b_are_shown(finished, others, root):
    # Not named again: the run remembers them.
    answer = finished.server.run("report", finished.config, root)
    assert answer["status"] == 0, answer
    assert finished.server.run("report", finished.config, root, named(others))["idle"]
    plan = plan_ensemble(others)
    summary = json.loads((Root(root).reports / "summary.json").read_text())
    assert summary["model"]["id"] == plan.model_id
    members = {member["id"]: member["data"] for member in summary["model"]["members"]}
    assert members == dict(
        zip([m.sha256[:12] for m in plan.members], members.values(), strict=True)
    )
    assert set(members.values()) == {"of 1", "of 2"}
    page = (Root(root).reports / "report.html").read_text()
    assert all(member.sha256 in page for member in plan.members)
    assert 'id="training"' not in page and 'id="network"' not in page


def test_other_networks_than_those_that_gave_p_b_are_refused(finished, others, root):
    answer = finished.server.run("report", finished.config, root, named(others[:1]))
    assert answer["status"] != 0
    assert f"is by model {plan_ensemble(others).model_id}" in answer["error"]


def test_equal_words_are_said_once(others):
    cards = [load_model(folder)[1] for folder in others]
    assert in_words([*cards, cards[0]]) == "of 1; of 2"
    assert card_lines(cards[0])["data"] == "of 1"
