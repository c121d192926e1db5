from functools import partial

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.catalogue.query import save, show
from pipeline.core.errors import InputError
from pipeline.core.published import NotReadyError, read_published
from pipeline.lamost.reader import read_spectrum
from pipeline.settings.load import load_settings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.prepare import network_input
from pipeline.stages import run_stage
from schemas.catalogue import PREDICTIONS, SPECTRA, STARS
from schemas.quality import QualityFlag

catalogue = partial(run_stage, "catalogue")
infer = partial(run_stage, "infer")
ingest = partial(run_stage, "ingest")


def table(settings, which):
    return pq.read_table(settings.root / which.location).to_pylist()


def test_p_b_is_that_of_the_plain_path(finished, survey):
    settings, model = finished
    observations = pq.read_table(settings.root / "tables/observations").to_pylist()
    paths = {row["row"]: row for row in observations}
    predictions = table(settings, PREDICTIONS)
    assert len(predictions) == 18  # 22 files, 3 refused, 1 superseded
    seen = set()
    for prediction in predictions:
        row = paths[prediction["row"]]
        spectrum = read_spectrum(survey / row["path"])
        ready = network_input(
            spectrum.flux[None],
            spectrum.ivar[None],
            np.log10(spectrum.wave[:1].astype(float)),
            np.array([spectrum.flux.size]),
            np.array([row["rv_kms"]]),
            SpectraSettings(),
        )
        if row["obsid"] == 301:
            assert prediction["p_b"] is None
            assert prediction["quality"] & QualityFlag.TOO_MANY_BAD_PIXELS
            assert prediction["bad_fraction"] > 0.06
            continue
        with torch.inference_mode():
            expected = torch.sigmoid(model(torch.from_numpy(ready.flux_BL))).item()
        assert prediction["p_b"] == pytest.approx(expected, abs=1e-5)
        assert prediction["logit_spread"] is prediction["source_id"] is None
        assert prediction["mode"] == "cpu float32 fused"
        seen.add(prediction["p_b"])
    assert len(seen) > 10


def test_the_highest_p_b_of_a_star_s_spectra_counts(finished):
    settings, _ = finished
    spectra = table(settings, SPECTRA)
    stars = {row["star_id"]: row for row in table(settings, STARS)}
    assert len(stars) == 17
    assert sorted(s["_healpix_29"] for s in stars.values()) == [
        s["_healpix_29"] for s in stars.values()
    ]
    by_star = {}
    for spectrum in spectra:
        by_star.setdefault(spectrum["star_id"], []).append(spectrum)
    assert set(by_star) == set(stars)
    assert sum(star["n_spectra_all"] for star in stars.values()) == 18
    pair = next(rows for rows in by_star.values() if len(rows) == 2)
    assert {row["obsid"] for row in pair} == {101, 300}
    for star_id, rows in by_star.items():
        star = stars[star_id]
        scores = {row["p_b"]: row for row in rows if row["p_b"] is not None}
        assert star["n_spectra"] == len(scores)
        if scores:
            best = scores[max(scores)]
            assert star["p_b"] == best["p_b"]
            assert star["obsid_max"] == best["obsid"]
            assert star["row_max"] == best["row"]
            assert star["p_b_mean"] == pytest.approx(np.mean(list(scores)), rel=1e-6)
        else:
            assert star["p_b"] is star["obsid_max"] is None


def test_a_second_run_of_both_writes_nothing(finished, client):
    settings, _ = finished
    stamps = {p: p.stat().st_mtime_ns for p in settings.root.rglob("*") if p.is_file()}
    infer(settings, client)
    catalogue(settings, client)
    assert {p: p.stat().st_mtime_ns for p in settings.root.rglob("*") if p.is_file()} == stamps


def test_another_model_means_other_predictions(finished, client, save_untrained):
    settings, _ = finished
    before = table(settings, PREDICTIONS)
    save_untrained(settings.root / "model", seed=2)
    infer(settings, client)
    catalogue(settings, client)
    after = table(settings, PREDICTIONS)
    assert {r["model_id"] for r in before} != {r["model_id"] for r in after}
    assert {r["model_id"] for r in table(settings, SPECTRA)} == {r["model_id"] for r in after}


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_worker_without_a_gpu_does_not_cost_the_predictions(finished, client):
    settings, _ = finished
    before = read_published(settings.root, "predictions")
    own = settings.infer.model_copy(update={"device": "cuda"})
    with pytest.raises(ValueError, match="torch sees no GPU"):
        infer(settings.model_copy(update={"infer": own}), client)
    assert read_published(settings.root, "predictions") == before is not None


def test_a_shard_of_refused_files_alone_has_an_empty_part(
    tmp_path, client, write_spectrum, save_untrained
):
    survey = tmp_path / "survey"
    for i in range(4):
        (survey / "a").mkdir(parents=True, exist_ok=True)
        (survey / "a" / f"{i}.fits").write_bytes(b"")
        write_spectrum(survey / "b" / f"{i}.fits", obsid=i)
    settings = load_settings(
        None,
        ["ingest.shard_rows=4", "ingest.chunk_rows=4", "infer.scope=all"],
        root=tmp_path / "run",
        inputs={"spectra": survey},
    )
    ingest(settings, client)
    save_untrained(settings.root / "model")
    report = infer(settings, client)
    assert report.counts["spectra"] == 4
    assert pq.read_table(settings.root / "predictions/part-000000.parquet").num_rows == 0


def test_written_files_document_their_columns(finished):
    settings, _ = finished
    for which in (PREDICTIONS, SPECTRA, STARS):
        part = next((settings.root / which.location).rglob("*.parquet"))
        schema = pq.read_schema(part)
        assert all(f.equals(which.schema.field(f.name), check_metadata=True) for f in schema)
        assert schema.names == which.names
        assert schema.metadata.items() >= which.schema.metadata.items()


def test_stages_out_of_order_say_what_to_run_first(settings, client):
    with pytest.raises(NotReadyError, match="run `pairspec ingest"):
        infer(settings, client)
    ingest(settings, client)
    with pytest.raises(InputError, match="no model in"):
        infer(settings, client)
    with pytest.raises(NotReadyError, match="run `pairspec infer"):
        catalogue(settings, client)


def test_a_damaged_model_is_refused(finished, client, save_untrained):
    settings, _ = finished
    save_untrained(settings.root / "model", seed=3)
    weights = settings.root / "model" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match="was damaged or replaced alone"):
        infer(settings, client)


def test_queries_see_every_table(finished, tmp_path):
    settings, _ = finished
    assert "17" in show(settings.root, "SELECT count(*), max(p_b) FROM stars")
    joined = "SELECT count(*) FROM spectra JOIN observations USING (row) JOIN stars USING (star_id)"
    assert "18" in show(settings.root, joined)
    out = tmp_path / "stars.csv"
    assert "17 rows" in save(settings.root, "FROM stars", out)
    assert len(out.read_text().splitlines()) == 18
    with pytest.raises(ValueError, match=r"must end in \.csv or \.parquet"):
        save(settings.root, "FROM stars", tmp_path / "stars.txt")
    with pytest.raises(FileNotFoundError, match="run `pairspec ingest` first"):
        show(tmp_path / "nothing", "SELECT 1")
