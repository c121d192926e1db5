from functools import partial

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import MismatchError
from pipeline.core.parquet import read_shards
from pipeline.core.published import NotReadyError, read_published
from pipeline.selection.cuts import make_cuts
from pipeline.settings.load import load_settings
from pipeline.settings.sample import SampleSettings
from pipeline.stages import run_stage
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.sample import CUT_FLOW, CUTS, SAMPLE
from tests.ledger import drop_record
from tests.pipeline.conftest import SHARD

run = partial(run_stage, "select")


def settings_of(root, *overrides, **values):
    return load_settings(None, overrides, root=root.path, **values)


def judged(root):
    """Every counted spectrum, judged by plain pandas in double precision."""
    observed = pq.read_table(root.table(OBSERVATIONS)).to_pandas()
    photometry = pq.read_table(root.table(PHOTOMETRY)).to_pandas(integer_object_nulls=True)
    both = observed.drop(columns=["shard", "obsid"]).merge(photometry, on="row", how="inner")
    both["parallax_mas"] = both["parallax_mas"] - both["zero_point_mas"]
    keep = pd.Series(data=True, index=both.index)
    passed = {}
    for cut in make_cuts(SampleSettings()):
        value = both[cut.column].astype(float)
        low, high = (x if x is not None else s * np.inf for x, s in ((cut.low, -1), (cut.high, 1)))
        good = (value > low) & (value < high) & ~value.isin([-9999, -999, 99]) & np.isfinite(value)
        keep &= good
        passed[str(cut.flag.name).lower()] = keep.copy()
    return both, passed


def test_the_sample_is_what_plain_pandas_finds(population_root, client):
    report = run(settings_of(population_root), client)
    both, passed = judged(population_root)
    sample = pq.read_table(population_root.table(SAMPLE))
    assert sample["row"].to_pylist() == both["row"][passed["snr_g"]].tolist()
    training = sample["row"].to_numpy()[sample["training"].to_numpy(zero_copy_only=False)]
    assert training.tolist() == both["row"][passed["m_g"]].tolist()
    expected = both["source_id"][passed["snr_g"]].astype("int64").tolist()
    assert sample["source_id"].to_pylist() == expected
    assert min(expected) > 2**53
    flow = pq.read_table(population_root.table(CUT_FLOW)).to_pylist()
    assert flow[0]["spectra"] == len(both) == 1599
    for row in flow[1:]:
        assert row["spectra"] == passed[row["cut"]].sum()
        assert row["stars"] == both["source_id"][passed[row["cut"]]].nunique()
    assert flow[1]["missing_spectra"] == 10
    assert flow[3]["missing_spectra"] == 10
    assert report.counts["application sample"] == passed["snr_g"].sum()
    assert any("3800 < teff_k < 6500" in line for line in report.lines())


def test_every_counted_spectrum_has_a_row_that_says_why(population_root, client):
    run(settings_of(population_root), client)
    cuts = pq.read_table(population_root.table(CUTS))
    both, passed = judged(population_root)
    assert cuts["row"].to_pylist() == both["row"].tolist()
    assert (cuts["failed"].to_numpy() == 0).tolist() == passed["m_g"].tolist()
    assert cuts["source_id"].null_count == 10
    missing, failed = cuts["missing"].to_numpy(), cuts["failed"].to_numpy()
    assert ((missing & ~failed) == 0).all()


def test_a_second_run_writes_nothing_and_another_cut_all(population_root, client, digest_tree):
    run(settings_of(population_root), client)
    state = {p: p.stat().st_mtime_ns for p in population_root.path.rglob("*") if p.is_file()}
    first = digest_tree(population_root.path)
    run(settings_of(population_root), client)
    assert state == {
        p: p.stat().st_mtime_ns for p in population_root.path.rglob("*") if p.is_file()
    }
    fewer = run(settings_of(population_root, "sample.snr_g_min=60"), client)
    assert fewer.counts["application sample"] < 1000
    run(settings_of(population_root), client)
    assert digest_tree(population_root.path) == first


def test_a_lost_part_is_made_again_alone(population_root, client, digest_tree):
    settings = settings_of(population_root, f"tables.unit_spectra={SHARD}")
    run(settings, client)
    first = digest_tree(population_root.path)
    drop_record(population_root.path, "select", 1)
    lost, other = (population_root.span(SAMPLE, range(n, n + 1)) for n in (1, 0))
    lost.unlink()
    kept = other.stat().st_mtime_ns
    run(settings, client)
    assert digest_tree(population_root.path) == first
    assert other.stat().st_mtime_ns == kept


def test_other_units_are_the_same_sample_in_other_files(population_root, client, digest_tree):
    run(settings_of(population_root), client)
    first = digest_tree(population_root.path)
    tables = [pq.read_table(population_root.table(t)) for t in (SAMPLE, CUTS, CUT_FLOW)]
    sample = read_published(population_root.path, "sample")
    run(settings_of(population_root, f"tables.unit_spectra={2 * SHARD - 1}"), client)
    names = [path.name for path in sorted(population_root.table(SAMPLE).iterdir())]
    assert names == ["part-000000-000001.parquet", "part-000002-000003.parquet"]
    for table, before in zip((SAMPLE, CUTS, CUT_FLOW), tables, strict=True):
        assert pq.read_table(population_root.table(table)).equals(before)
    # What was made from the sample is not out of date.
    assert read_published(population_root.path, "sample").digest == sample.digest
    run(settings_of(population_root), client)
    assert digest_tree(population_root.path) == first


def test_photometry_of_other_spectra_is_refused(population_root, client):
    path = population_root.part(PHOTOMETRY, 1)
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(MismatchError, match="run `pairspec photometry"):
        run(settings_of(population_root, "cluster.retries=0"), client)


def test_a_shard_without_a_counted_spectrum_has_its_parts(build_root, client):
    n = 600
    observed = pd.DataFrame(
        {"teff_k": 5500.0, "logg": 4.5, "feh": 0.0, "snr_g": 50.0, "quality": [0] * 500 + [1] * 100}
    )
    photometry = pd.DataFrame(
        {"source_id": np.arange(n) + 1, "g_ks_0": 2.0, "m_g": 6.0, "parallax_mas": 5.0, "flags": 0}
    )
    root = build_root(observed, photometry)
    assert run(settings_of(root), client).counts["application sample"] == 500
    assert read_shards(root, SAMPLE, range(1, 2)).num_rows == 0


def test_the_papers_counts_stand_beside_real_dr10_only(population_root, client, tmp_path):
    real = run(settings_of(population_root), client)
    assert any("1,258,912" in line for line in real.table)
    simulated = run(settings_of(population_root, inputs={"truth": tmp_path}), client)
    assert not any("1,258,912" in line for line in simulated.table)
    assert "simulated" in simulated.notes[0]
    path = population_root.part(OBSERVATIONS, 0)
    other = pq.read_table(path)
    release = ["DR12"] * other.num_rows
    index = other.schema.get_field_index("data_release")
    pq.write_table(other.set_column(index, other.schema.field(index), [release]), path)
    drop_record(population_root.path, "select", 0)
    mixed = run(settings_of(population_root), client)
    assert not any("1,258,912" in line for line in mixed.table)
    assert "1,100 of 1,599 spectra are of DR10" in mixed.notes[0]


def test_without_photometry_the_command_to_run_is_named(population_root, client):
    (population_root.path / "ledger" / "photometry.json").unlink()
    with pytest.raises(NotReadyError, match="run `pairspec photometry"):
        run(settings_of(population_root), client)
