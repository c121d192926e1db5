from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.labels.ridge import RidgeError
from pipeline.settings.load import load_settings
from pipeline.stages import run_stage
from schemas.photometry import PHOTOMETRY
from schemas.quality import PhotometryFlag
from schemas.sample import LABELS, RIDGE, SAMPLE

label = partial(run_stage, "label")
select = partial(run_stage, "select")


def settings_of(root, *overrides, **values):
    return load_settings(None, overrides, root=root.path, **values)


@pytest.fixture
def selected(population_root, client):
    select(settings_of(population_root), client)
    return population_root


def read_labels(root):
    return pq.read_table(root.table(LABELS)).to_pandas()


def test_stars_share_label_and_part_and_only_the_training_sample_has_one(selected, client):
    report = label(settings_of(selected), client)
    labels = read_labels(selected)
    sample = pq.read_table(selected.table(SAMPLE)).to_pandas()
    assert labels["row"].tolist() == sample["row"][sample["training"]].tolist()
    for name in ("label", "split", "feh", "delta_m_g"):
        assert (labels.groupby("source_id")[name].nunique() == 1).all(), name
    assert (labels["source_id"].duplicated()).any()
    median = sample[sample["training"]].groupby("source_id")["feh"].median()
    np.testing.assert_allclose(labels["feh"], median[labels["source_id"]], rtol=1e-6)
    np.testing.assert_allclose(labels["delta_m_g"], labels["m_g"] - labels["ridge_m_g"], atol=2e-6)
    assert report.counts["single"] == (labels["label"] == "single").sum() > 500
    assert report.counts["binary"] == (labels["label"] == "binary").sum() > 50
    assert (selected.path / "reports" / "ridge.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert pq.read_table(selected.table(RIDGE))["n_stars"].to_numpy().min() >= 200
    training = labels[labels["split"] == "training"]
    pairs = training["label"] == "binary"
    assert training["weight"][pairs].sum() / training["weight"].sum() == pytest.approx(0.5)
    assert not labels["weight"][labels["split"] != "training"].any()


def test_a_probability_of_the_label_follows_from_the_errors(population_root, client):
    for path in sorted(population_root.table(PHOTOMETRY).rglob("*.parquet")):
        table = pq.read_table(path)
        errors = {"g": 0.003, "bp": 0.004, "rp": 0.004, "ks": 0.02}
        values = {f"{band}_mag_err": error for band, error in errors.items()}
        values |= {"bp_mag": 12.0, "rp_mag": 11.0, "e_bv": 0.05, "distance_pc": 200.0}
        values |= {"distance_err_pc": 2.0}
        for name, value in values.items():
            place = table.schema.get_field_index(name)
            column = pa.array(np.full(table.num_rows, value), table.schema.field(name).type)
            table = table.set_column(place, table.schema.field(name), column)
        pq.write_table(table, path)
    select(settings_of(population_root), client)
    label(settings_of(population_root), client)
    labels = read_labels(population_root)
    known = labels["delta_m_g_err"].notna()
    sigma = pq.read_table(population_root.table(RIDGE))["sigma_mag"].to_numpy()
    error = labels["delta_m_g_err"][known]
    assert known.mean() > 0.95 and sigma.min() < error.median() < sigma.max() + 0.02
    p, kind = labels["p_label_binary"], labels["label"]
    assert (p.isna() == (kind == "excluded")).all()
    assert p[kind == "single"].max() <= 0.5 <= p[kind == "binary"].min()
    deep = (kind == "binary") & labels["delta_m_g"].between(-0.45, -0.4)
    assert p[deep].min() > 0.9
    edge = known & labels["delta_m_g"].between(-0.27, -0.23)
    assert p[edge].between(0.2, 0.8).all() and edge.sum() >= 5


def test_blends_by_chance_are_kept_but_have_no_label_unless_asked(selected, client):
    label(settings_of(selected), client)
    sample = pq.read_table(selected.table(SAMPLE)).to_pandas()
    blended = set(sample["source_id"][(sample["flags"] & int(PhotometryFlag.BLENDED)) != 0])
    assert len(blended) >= 5
    labels = read_labels(selected)
    assert set(labels["label"][labels["source_id"].isin(blended)]) == {"excluded"}
    label(settings_of(selected, "labels.exclude_blended=false"), client)
    labels = read_labels(selected)
    assert "single" in set(labels["label"][labels["source_id"].isin(blended)])


def test_a_second_run_writes_nothing_and_a_seed_changes_the_split_alone(
    selected, client, digest_tree
):
    label(settings_of(selected), client)
    first, labels = digest_tree(selected.path), read_labels(selected)
    state = {p: p.stat().st_mtime_ns for p in selected.path.rglob("*") if p.is_file()}
    label(settings_of(selected), client)
    assert state == {p: p.stat().st_mtime_ns for p in selected.path.rglob("*") if p.is_file()}
    label(settings_of(selected, "labels.seed=2"), client)
    other = read_labels(selected)
    assert (other["label"] == labels["label"]).all()
    assert 0.5 < (other["split"] == labels["split"]).mean() < 0.8
    label(settings_of(selected), client)
    assert digest_tree(selected.path) == first


def test_the_users_labels_replace_those_of_the_ridge(selected, client, tmp_path):
    sample = pq.read_table(selected.table(SAMPLE)).to_pandas()
    chosen = sorted(set(sample["source_id"]))[:100]
    lines = [f"{star},{'binary' if k % 5 == 0 else 'single'}" for k, star in enumerate(chosen)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["source_id,label", *lines, "5,single"]) + "\n")
    settings = settings_of(selected, inputs={"labels": path})
    report = label(settings, client)
    labels = read_labels(selected)
    assert set(labels["source_id"]) == set(chosen)
    by_star = labels.groupby("source_id")["label"].first()
    assert by_star.tolist() == ["binary" if k % 5 == 0 else "single" for k in range(100)]
    assert any("not in the sample: 1 row of that table" in note for note in report.notes)
    path.write_text(path.read_text().replace("binary", "excluded"))
    label(settings, client)
    labels = read_labels(selected)
    assert set(labels["label"]) == {"single", "excluded"}
    certain = labels["label"] == "single"
    assert (labels["p_label_binary"][certain] == 0).all()
    assert labels["p_label_binary"][~certain].isna().all()


def test_a_star_stays_in_its_part_when_the_sample_grows(selected, client):
    fewer = ("sample.snr_g_min=60",)
    select(settings_of(selected, *fewer), client)
    label(settings_of(selected, *fewer), client)
    before = read_labels(selected).groupby("source_id")["split"].first()
    select(settings_of(selected), client)
    label(settings_of(selected), client)
    after = read_labels(selected).groupby("source_id")["split"].first()
    assert len(after) > 1.5 * len(before) > 400
    assert (after[before.index] == before).all()


def test_few_stars_give_a_rough_ridge_with_a_warning_and_fewer_an_error(selected, client, tmp_path):
    few = ("sample.snr_g_min=160",)
    select(settings_of(selected, *few), client)
    report = label(settings_of(selected, *few), client)
    assert any("its labels are rough" in note for note in report.notes)
    none = ("sample.snr_g_min=195",)
    select(settings_of(selected, *none), client)
    with pytest.raises(RidgeError, match=r"inputs\.labels"):
        label(settings_of(selected, *none), client)
    star = pq.read_table(selected.table(SAMPLE))["source_id"][0].as_py()
    path = tmp_path / "mine.csv"
    path.write_text(f"source_id,label\n{star},single\n")
    report = label(settings_of(selected, *none, inputs={"labels": path}), client)
    assert any("no distance from it" in note for note in report.notes)
    assert read_labels(selected)["delta_m_g"].isna().all()
    assert not selected.table(RIDGE).exists()
