"""The summary of a run beside the tables that it is made from."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.core.records import read_records, records_path
from pipeline.core.root import Root
from pipeline.evaluation.intervals import Estimate
from pipeline.evaluation.truth import TruthComparison
from pipeline.network.card import read_card
from pipeline.report.summary import as_json, as_lines
from schemas.catalogue import SPECTRA, STARS


@pytest.mark.xdist_group("finished")
@pytest.mark.timeout(300)
def test_the_summary_counts_the_tables(finished):
    root = Root(finished.root)
    summary = json.loads((root.reports / "summary.json").read_text())
    stars, spectra = pq.read_table(root.table(STARS)), pq.read_table(root.table(SPECTRA))
    p_b = stars["p_b"].to_numpy(zero_copy_only=False).astype(float)
    assert summary["stars"] == stars.num_rows > 0
    assert summary["spectra"] == spectra.num_rows >= stars.num_rows
    assert summary["stars_above"] == {t: int((p_b > float(t)).sum()) for t in ("0.5", "0.8")}
    assert summary["model"]["id"] == read_card(root.model).model_id
    evaluation = json.loads((root.reports / "evaluation.json").read_text())
    assert summary["evaluation"] == evaluation
    assert 0 < summary["truth"]["stars"] <= stars.num_rows
    assert set(summary["truth"]["purity"]) == {"0.5", "0.8"}


def test_a_number_that_is_not_known_is_null_in_the_file_and_a_dash_in_the_text():
    known, unknown = Estimate(0.75, 0.7, 0.8), Estimate(np.nan, np.nan, np.nan)
    comparison = TruthComparison(
        auc=known,
        auc_by_teff={"3800-4500 K": unknown},
        completeness={0.5: known},
        purity={0.5: unknown},
        n_spectra=1200,
        n_stars=1000,
    )
    written = json.loads(json.dumps(as_json(comparison), allow_nan=False))
    assert written["auc"] == {"value": 0.75, "low": 0.7, "high": 0.8}
    assert written["auc_by_teff"]["3800-4500 K"]["value"] is None
    text = "\n".join(as_lines(comparison))
    assert "1,200 spectra of 1,000 dwarfs" in text
    assert "p_b > 0.5: completeness 0.750 [0.700, 0.800], purity -" in text


@pytest.mark.xdist_group("finished")
@pytest.mark.timeout(300)
def test_the_page_shows_the_run_and_its_files_stand_in_the_ledger(finished):
    root = Root(finished.root)
    page = (root.reports / "report.html").read_text()
    card = read_card(root.model)
    stars = pq.read_table(root.table(STARS))
    for text in (card.sha256, f"{stars.num_rows:,}", "Simulated survey", "mass_ratio (", "0.949",
                 "1.5 &lt; g_ks_0 &lt; 2.6", str(finished.config.parent)):  # fmt: skip
        assert text in page
    assert "http" not in page.replace('http-equiv="Content', "")
    [record], _ = read_records(records_path(root.path, "report"))
    named = {name for name in record["outputs"] if name.startswith("reports/")}
    figures = {f"reports/figures/{path.name}" for path in (root.reports / "figures").iterdir()}
    assert named == {"reports/report.html", "reports/summary.json"} | figures
    for name in ("fig04-mass-ratio", "fig06-velocities", "planets", "roc", "reliability", "ridge"):
        assert {f"reports/figures/{name}.{kind}" for kind in ("png", "pdf")} <= figures
        assert f'id="{name}"' in page
