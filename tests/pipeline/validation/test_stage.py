"""`pairspec validate` on the finished survey, with tables that are missing or bad."""

import shutil

import pyarrow.parquet as pq
import pytest

import pairspec
from pipeline.core.errors import InputError
from pipeline.core.figures import new_figure
from pipeline.network.members import plan_ensemble
from pipeline.settings.load import load_settings
from pipeline.settings.validation import ValidationSettings
from pipeline.stages import find_stage, run_stage
from pipeline.validation.cells import with_cells
from pipeline.validation.injection import read_injections
from pipeline.validation.measure import Measure, count_interval
from pipeline.validation.registry import VALIDATIONS, chosen
from pipeline.validation.result import Result, write_result
from schemas.completeness import COMPLETENESS
from schemas.validation import VALIDATION

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("finished")]
COUNT = Measure("stars", count_interval(3), 3)
KINDS = {"figure.png", "figure.pdf", "table.parquet", "table.json"}


@pytest.fixture(scope="module")
def validated(finished, client, tmp_path_factory):
    """All validations on a copy of the root, one of them without its table, another's bad."""
    root = tmp_path_factory.mktemp("validated") / "run"
    shutil.copytree(finished.root, root)
    bad = root.parent / "hosts.csv"
    bad.write_text("planet,ra,dec\nx,1,2\n")
    more = ["validation.names=[]", f"inputs.planets='{bad}'"]

    def run(*overrides):
        settings = load_settings(finished.config, [*more, *overrides], root=root)
        return run_stage("validate", settings, client)

    with pytest.raises(InputError, match=r"planets: .*hosts.csv has no column hostname"):
        run()
    bad.write_text("hostname,ra,dec\nx,1,2\n")
    return root, run, run()


def test_each_has_its_figure_and_table_and_none_stops_the_others(validated):
    root, run, report = validated
    names = {path.name for path in (root / "validation").iterdir() if path.is_dir()}
    assert names == {one.name for one in VALIDATIONS} - {"compare"}
    for name in names:
        assert {file.name for file in (root / "validation" / name).iterdir()} >= KINDS, name
    assert report.counts["done"] == len(names) and report.counts["skipped"] == 1
    assert "compare: skipped, set inputs.compare to feed it" in report.notes
    assert any("0.949" in line for line in report.table)
    table = pq.read_table(root / VALIDATION.location)
    assert set(table["validation"].to_pylist()) == names
    assert table.num_rows == report.counts["numbers"]
    again = run()
    assert again.idle and again.counts == report.counts


def test_the_steps_of_the_ledger_are_those_of_the_list_of_stages():
    own = tuple(f"validate_{one.name}" for one in VALIDATIONS)
    assert find_stage("validate").interim == ("injection_pool", "injections", *own)


def test_injected_stars_were_not_seen_in_training_and_count_once_per_cell(validated):
    root, *_ = validated
    table = pq.read_table(root / COMPLETENESS.location).to_pandas()
    assert set(table["kind"]) >= {"pair", "single"} and (table["n_found"] <= table["n_stars"]).all()
    (folder,) = (root / "injections").iterdir()
    injected = read_injections(tuple(folder.glob("part-*.parquet")))
    seen = plan_ensemble([root / "model"]).training_stars()
    assert not injected["star"].isin(seen).any() and not injected["star2"].isin(seen).any()
    assert injected["snr_g"].between(20, 200).all() and injected["p_b"].between(0, 1).all()
    pairs = injected[injected["kind"] == "pair"]
    assert (pairs["star"] != pairs["star2"]).all() and pairs["q"].between(0.1, 1).all()
    cells = with_cells(injected, ValidationSettings())
    assert not cells.duplicated(["kind", "q_bin", "snr_bin", "star"]).any()
    at_half = table[(table["p_b_min"] == 0.5)]
    assert at_half["n_stars"].sum() == len(cells)
    assert at_half["n_found"].sum() == (cells["p_b"] > 0.5).sum()


def test_the_selection_function_is_the_same_in_sql_and_in_python(validated):
    root, *_ = validated
    run = pairspec.open(root)
    cell = run.sql("FROM completeness WHERE kind = 'pair' AND p_b_min = 0.5 LIMIT 1").iloc[0]
    inside = [float(cell[n]) for n in ("q_low", "snr_low", "teff_low_k", "feh_low")]
    found = run.sql("SELECT completeness($1, $2, $3, $4) AS c", inside)["c"][0]
    assert found == cell["share"] == run.selection.completeness(*inside).share


def test_the_median_distance_agrees_with_the_truth(validated):
    root, *_ = validated
    rows = pq.read_table(root / VALIDATION.location).to_pylist()
    (median,) = [row for row in rows if row["quantity"].startswith("median distance")]
    assert median["value_low"] <= median["truth"] <= median["value_high"]


def test_a_skipped_one_leaves_nothing_of_an_earlier_one(tmp_path):
    figure, _ = new_figure()
    folder = tmp_path / "x"
    write_result("x", Result((COUNT,), figure), folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert before.keys() == KINDS
    write_result("x", Result((COUNT,), figure), folder)
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}
    done = write_result("x", Result(skipped="no stars"), folder)
    assert done.notes == ("x: skipped, no stars",) and not folder.exists()


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean velocities"):
        chosen(["velocity"])
