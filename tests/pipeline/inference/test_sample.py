from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.core.atomic import write_parquet
from pipeline.core.errors import InputError, MismatchError
from pipeline.core.published import NotReadyError, Published, publish, require_published
from pipeline.core.root import Root
from pipeline.settings.load import load_settings
from pipeline.settings.spectra import SpectraSettings
from pipeline.stages import run_stage
from schemas.catalogue import PREDICTIONS, SPECTRA, STARS
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import UNCOUNTED
from schemas.sample import SAMPLE

catalogue = partial(run_stage, "catalogue")
infer = partial(run_stage, "infer")
ingest = partial(run_stage, "ingest")


LARGE_ID = 2**62 + 1
"""A source id that a float64 cannot hold."""


def with_scope(settings, scope, **infer_settings):
    changed = settings.infer.model_copy(update={"scope": scope, **infer_settings})
    return settings.model_copy(update={"infer": changed})


def counted(root, shard):
    table = pq.read_table(root.part(OBSERVATIONS, shard))
    return [r for r in table.to_pylist() if not r["quality"] & UNCOUNTED]


def write_tables(settings, in_sample, digest="one", source_ids=None):
    """Write photometry of all counted spectra, and a sample of those that pass."""
    root = Root(settings.root)
    n_shards = len(list(root.table(OBSERVATIONS).glob("*.parquet")))
    for shard in range(n_shards):
        rows = counted(root, shard)
        ids = [None if r["row"] % 5 == 0 else LARGE_ID + r["row"] for r in rows]
        if source_ids:
            ids = [source_ids(r) for r in rows]
        for table, kept in (
            (PHOTOMETRY, list(zip(rows, ids, strict=True))),
            (SAMPLE, [(r, i) for r, i in zip(rows, ids, strict=True) if in_sample(r)]),
        ):
            filled = [
                {"shard": shard, "row": r["row"], "obsid": r["obsid"], "source_id": i}
                for r, i in kept
            ]
            write_parquet(root.part(table, shard), pa.Table.from_pylist(filled, table.schema))
    publish(root.path, "photometry", Published(digest, {}))
    publish(root.path, "sample", Published(digest, {}))


@pytest.fixture
def ingested(settings, client, save_untrained):
    ingest(settings, client)
    save_untrained(settings.root / "model")
    return settings


def predictions(settings):
    return {r["row"]: r for r in pq.read_table(settings.root / PREDICTIONS.location).to_pylist()}


def test_only_the_sample_gets_a_p_b(ingested, client):
    infer(ingested, client)
    everything = predictions(ingested)
    rows = sorted(everything)
    wanted = set(rows[1::3])
    write_tables(ingested, lambda r: r["row"] in wanted)
    report = infer(with_scope(ingested, "sample"), client)
    found = predictions(ingested)
    assert report.counts["spectra"] == len(wanted)
    assert set(found) == wanted
    for row, prediction in found.items():
        assert prediction["source_id"] == (None if row % 5 == 0 else LARGE_ID + row)
        assert prediction["p_b"] == pytest.approx(everything[row]["p_b"], abs=1e-5)
    catalogue(with_scope(ingested, "sample"), client)
    assert pq.read_table(ingested.root / SPECTRA.location).num_rows == len(wanted)


def test_an_empty_sample_has_empty_parts(ingested, client):
    write_tables(ingested, lambda r: False)
    report = infer(with_scope(ingested, "sample"), client)
    assert report.counts == {"spectra": 0, "without p_b": 0}
    assert predictions(ingested) == {}


def test_without_a_sample_the_message_names_both_ways(ingested, client):
    with pytest.raises(NotReadyError, match=r"run `pairspec select .* or give --all"):
        infer(with_scope(ingested, "sample"), client)


def test_another_sample_or_photometry_means_other_predictions(ingested, client):
    write_tables(ingested, lambda r: r["row"] < 10)
    infer(with_scope(ingested, "sample"), client)
    first = set(predictions(ingested))
    write_tables(ingested, lambda r: r["row"] < 14, digest="two")
    infer(with_scope(ingested, "sample"), client)
    assert first < set(predictions(ingested))


@pytest.mark.parametrize("table", [PHOTOMETRY, SAMPLE])
def test_tables_of_other_observations_are_refused(ingested, client, table):
    write_tables(ingested, lambda r: True)
    root = Root(ingested.root)
    part = pq.read_table(root.part(table, 1))
    wrong = part.slice(1) if table is PHOTOMETRY else pa.concat_tables([part, part.slice(0, 1)])
    if table is SAMPLE:
        wrong = wrong.set_column(1, "row", pa.array(np.arange(900, 900 + len(wrong))))
    write_parquet(root.part(table, 1), wrong.cast(table.schema))
    command = "photometry" if table is PHOTOMETRY else "select"
    with pytest.raises(MismatchError, match=f"shard 1 .* run `pairspec {command}` again"):
        infer(with_scope(ingested, "sample"), client)


def test_an_ensemble_averages_logits_and_keeps_the_spread(
    ingested, client, tmp_path, save_untrained
):
    folders = [tmp_path / "a", tmp_path / "b"]
    alone = []
    for seed, folder in enumerate(folders):
        save_untrained(folder, seed=seed + 5)
        infer(with_scope(ingested, "all", models=(folder,)), client)
        alone.append(predictions(ingested))
    report = infer(with_scope(ingested, "all", models=tuple(folders)), client)
    assert "of 2 network(s)" in report.notes[0]
    together = predictions(ingested)
    assert together.keys() == alone[0].keys()
    for row, prediction in together.items():
        logits = [a[row]["logit"] for a in alone]
        if None in logits:
            assert prediction["p_b"] is prediction["logit_spread"] is None
            continue
        assert prediction["logit"] == pytest.approx(np.mean(logits), abs=1e-5)
        assert prediction["logit_spread"] == pytest.approx(np.std(logits, ddof=1), abs=1e-5)
        assert prediction["p_b"] == pytest.approx(1 / (1 + np.exp(-np.mean(logits))), abs=1e-5)
    ids = {p["model_id"] for group in (*alone, together) for p in group.values()}
    assert len(ids) == 3


def test_members_of_other_preprocessing_are_refused(ingested, client, tmp_path, save_untrained):
    save_untrained(tmp_path / "observed", seed=4, spectra=SpectraSettings(frame="observed"))
    models = (ingested.root / "model", tmp_path / "observed")
    with pytest.raises(InputError, match="take different spectra"):
        infer(with_scope(ingested, "all", models=models), client)


def test_the_mode_is_recorded_and_counted(ingested, client):
    report = infer(with_scope(ingested, "all", precision="bfloat16", fuse=False), client)
    modes = {p["mode"] for p in predictions(ingested).values()}
    assert len(modes) == 1
    assert modes <= {"cpu float32 eager", "cpu bfloat16 eager"}
    counts = require_published(ingested.root, "predictions", "infer").counts
    assert counts[f"mode: {modes.pop()}"] == report.counts["spectra"] == 18


def test_stars_take_the_source_of_the_photometry(ingested, client):
    declared = {r["row"]: r["gaia_source_id"] for r in _observations(ingested)}
    assert set(declared.values()) == {None}
    # Exposures 101 and 300 are one star, of which the photometry has matched one spectrum only.
    write_tables(
        ingested,
        lambda r: True,
        source_ids=lambda r: {101: None, 300: LARGE_ID}.get(r["obsid"], r["obsid"]),
    )
    infer(with_scope(ingested, "sample"), client)
    catalogue(with_scope(ingested, "sample"), client)
    spectra = pq.read_table(ingested.root / SPECTRA.location).to_pylist()
    by_obsid = {r["obsid"]: r for r in spectra}
    assert by_obsid[101]["star_id"] == by_obsid[300]["star_id"] == f"Gaia {LARGE_ID}"
    assert by_obsid[101]["source_id"] == LARGE_ID
    assert by_obsid[104]["star_id"] == "Gaia 104"
    stars = {r["star_id"]: r for r in pq.read_table(ingested.root / STARS.location).to_pylist()}
    assert stars[f"Gaia {LARGE_ID}"]["n_spectra_all"] == 2
    found = predictions(ingested)
    assert found[by_obsid[101]["row"]]["source_id"] is None


def _observations(settings):
    return pq.read_table(settings.root / OBSERVATIONS.location).to_pylist()


def test_the_command_passes_its_options_on(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        "pipeline.cli.console.run_command", lambda *a, **kw: seen.update(kw, stage=a[0])
    )
    arguments = ["infer", "--all", "--model", "a", "--model", "b", "--root", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert seen["stage"] == "infer"
    settings = load_settings(None, [], infer=seen["infer"])
    assert settings.infer.scope == "all"
    assert settings.infer.models == (Path("a").absolute(), Path("b").absolute())
    assert CliRunner().invoke(app, ["infer"]).exit_code == 0
    assert load_settings(None, [], infer=seen["infer"]).infer.scope == "sample"
