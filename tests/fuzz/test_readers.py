"""20,000 broken files, the same ones every time; ``make fuzz`` reads a million of them."""

import pytest

from pipeline.lamost.catalogue import read_catalogue
from pipeline.lamost.errors import SpectrumError
from pipeline.lamost.multi_epoch import read_multi_epoch
from pipeline.lamost.reader import read_spectrum
from scripts.fuzz.campaign import make_input, run
from scripts.fuzz.corpus import CATALOGUES, MULTI_EPOCH, SPECTRA

SEED = 20_000
PARTS, PART_INPUTS = 8, 2_500


@pytest.mark.parametrize("part", range(PARTS))
def test_only_the_readers_own_errors_leave_them(part, tmp_path):
    outcome = run(SEED, part * PART_INPUTS, (part + 1) * PART_INPUTS, tmp_path / "input")
    assert outcome.failures == []
    assert outcome.n_inputs == PART_INPUTS
    # The mutations must neither spare the files nor break all of them at the first byte.
    answers = outcome.answers
    assert 0.1 < answers["spectrum read"] / PART_INPUTS < 0.6
    refused = {name for name in answers if name.startswith("spectrum ")} - {"spectrum read"}
    assert len(refused) >= 8
    assert answers["catalogue read"] > 0
    assert answers["catalogue refused"] > 0


def test_the_corpus_is_sound_before_it_is_broken(tmp_path):
    path = tmp_path / "input"
    reasons = []
    for content in SPECTRA:
        path.write_bytes(content)
        try:
            assert read_spectrum(path).header.planid == "F5902"
            reasons.append("read")
        except SpectrumError as error:
            reasons.append(str(error.reason))
    assert reasons == ["read"] * 6 + ["packed", "medium_resolution"]
    for content in CATALOGUES:
        path.write_bytes(content)
        assert set(read_catalogue(path)["teff_k"].to_pylist()) == {5777.5}
    for content in MULTI_EPOCH:
        path.write_bytes(content)
        assert read_multi_epoch(path).num_rows == 2


def test_a_failure_is_told_with_its_number(tmp_path, monkeypatch):
    def fail(path):
        raise KeyError("BITPIX")

    monkeypatch.setattr("scripts.fuzz.campaign.read_catalogue", fail)
    outcome = run(SEED, 15, 18, tmp_path / "input")
    assert outcome.answers["catalogue failure"] == 1
    (failure,) = outcome.failures
    assert failure.startswith(f"seed {SEED}, input 16: Traceback")
    assert "KeyError: 'BITPIX'" in failure
    assert make_input(SEED, 16) == make_input(SEED, 16)


def test_slow_and_large_answers_are_failures(tmp_path, monkeypatch):
    monkeypatch.setattr("scripts.fuzz.campaign.MAX_SECONDS", 0.0)
    monkeypatch.setattr("scripts.fuzz.campaign.MAX_MEGABYTES", -1)
    outcome = run(SEED, 2, 4, tmp_path / "input")
    assert [failure.split(": ")[0] for failure in outcome.failures] == [
        f"seed {SEED}, input 2",
        f"seed {SEED}, input 3",
        f"seed {SEED}, inputs 2 to 4",
    ]
