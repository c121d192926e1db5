"""Settings, terms and times in the report."""

import json
from pathlib import Path

from pipeline.core.pace import RECORDS
from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from pipeline.report.gallery import PICTURES
from pipeline.report.licences import licences
from pipeline.report.provenance import settings_by_stage, times, versions
from pipeline.settings.changed import changed_settings
from pipeline.settings.load import load_settings
from pipeline.validation.registry import VALIDATIONS


def test_settings_are_those_of_each_stage_when_it_ran(tmp_path):
    root = Root(tmp_path)
    both = {"sample.snr_g_min": 30.0}
    publish(tmp_path, "sample", Published("a", {}, settings=both))
    publish(tmp_path, "labels", Published("b", {}, settings=both | {"labels.seed": 2}))
    # The same dataset again, under settings that do not concern it.
    publish(tmp_path, "sample", Published("a", {}, settings={"labels.seed": 3}))
    makers = {"sample": "select", "labels": "label", "catalogue": "catalogue"}
    assert settings_by_stage(root, makers) == [
        {"name": "labels.seed", "value": "2", "stages": "label"},
        {"name": "sample.snr_g_min", "value": "30.0", "stages": "all"},
    ]


def test_terms_are_those_of_the_data_that_are_used():
    def used(*given):
        settings = changed_settings(load_settings(None, given))
        rows = [{"name": name, "value": json.dumps(value)} for name, value in settings.items()]
        return [one.data for one in licences(rows)]

    assert used() == []
    both = ["inputs.spectra='a'", "inputs.catalogue='b'", "inputs.gaia='c'"]
    assert used(*both) == ["LAMOST spectra and catalogue", "Gaia"]
    assert "SFD dust map" in used(*both, "photometry.reddening=map")
    assert used(*both, "inputs.truth='t'") == ["Simulated survey"]


def test_times_stand_in_the_order_of_the_stages_and_need_no_record(tmp_path):
    for stage in ("train", "ingest"):
        path = tmp_path / RECORDS / f"{stage}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"seconds": 1.5, "cpu_seconds": 2, "memory_bytes": 3}')
    rows = times(Root(tmp_path), ["ingest", "select", "train"])
    assert [row["stage"] for row in rows] == ["ingest", "train"]
    assert rows[0]["seconds"] == 1.5 and rows[0]["steps"] == []


def test_citation_and_package_have_one_version():
    text = (Path(__file__).parents[3] / "CITATION.cff").read_text()
    assert f"\nversion: {versions()['pairspec']}\n" in text


def test_every_validation_has_its_figure_in_the_report():
    assert {p.validation for p in PICTURES} - {""} == {one.name for one in VALIDATIONS}
