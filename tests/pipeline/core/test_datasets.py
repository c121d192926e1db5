"""What a stage asks before and while it works."""

from collections import Counter

import pytest

from pipeline.core import datasets
from pipeline.settings.load import load_settings
from pipeline.stages import check_stage, run_stage


@pytest.mark.xdist_group("finished")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("stage", ["infer", "evaluate", "catalogue"])
def test_the_files_of_a_dataset_are_compared_once(finished, client, monkeypatch, stage):
    compared = Counter()

    def counted(root, records, command):
        compared[command] += 1
        whole(root, records, command)

    whole = datasets.require_sound
    monkeypatch.setattr(datasets, "require_sound", counted)
    settings = load_settings(finished.config)
    report = run_stage(stage, settings, client, check_stage(stage, settings))
    assert report.idle
    assert compared and set(compared.values()) == {1}
