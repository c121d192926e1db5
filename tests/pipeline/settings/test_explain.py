"""What is said of a wrong setting: where it was given, and what it should be."""

import pytest

from pipeline.settings.load import SettingsError, load_settings


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("[ingest]\nshard_rows = 1024\nchunk_rows = 512\n")
    return path


def complaint(config, *overrides, **values):
    with pytest.raises(SettingsError) as error:
        load_settings(config, overrides, **values)
    return str(error.value)


def test_a_wrong_set_is_not_blamed_on_the_file(config):
    assert complaint(config, "infer.scop=all").endswith("'infer.scope'? (from --set)")
    assert complaint(None, "infer.scope=some").endswith("got 'some' (from --set)")


def test_a_wrong_key_of_the_file_names_the_file(config):
    config.write_text("[infer]\nscop = 1\n")
    assert complaint(config, "infer.scope=all").endswith(f"(from {config})")


def test_a_wrong_variable_is_named(config, monkeypatch):
    monkeypatch.setenv("PAIRSPEC_CLUSTER__WORKERS", "many")
    assert complaint(config) == (
        "setting 'cluster.workers': should be a whole number, got 'many' "
        "(from PAIRSPEC_CLUSTER__WORKERS)"
    )


def test_a_wrong_option_is_named(config):
    text = complaint(config, simulate={"n_stars": -1})
    assert text.endswith("got -1 (from the options of the command)")


def test_the_source_that_wins_is_named(config, monkeypatch):
    config.write_text("[cluster]\nworkers = 2\n")
    monkeypatch.setenv("PAIRSPEC_CLUSTER__WORKERS", "3")
    assert complaint(config, "cluster.workers=x").endswith("(from --set)")


def test_of_values_that_do_not_fit_together_all_sources_are_named(config):
    text = complaint(config, "ingest.chunk_rows=500")
    assert "shard_rows (1024) must be a multiple of chunk_rows (500)" in text
    assert text.endswith(f"(from --set and {config})")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("infer.models=m2", "'infer.models': should be a list, e.g. ['m2'], got 'm2'"),
        ("cluster.workers=two", "'cluster.workers': should be a whole number, got 'two'"),
        ("cluster.workers=1.5", "'cluster.workers': should be a whole number, got 1.5"),
        ("ingest.frozen=9", "'ingest.frozen': should be true or false, got 9"),
        ("inputs.gaia=5", "'inputs.gaia': should be a path, got 5"),
        ('network.channels=["a"]', "'network.channels': should be a whole number, got 'a'"),
        ("cluster=2", "'cluster': is a section: set one of its keys, got 2"),
        ("infer.scope=some", "'infer.scope': should be 'sample' or 'all', got 'some'"),
    ],
)
def test_it_is_said_in_plain_words(override, words):
    assert complaint(None, override) == f"setting {words} (from --set)"


def test_the_example_of_a_list_is_read():
    assert [path.name for path in load_settings(None, ["infer.models=['m2']"]).infer.models] == [
        "m2"
    ]


def test_a_list_in_the_environment_that_is_no_json_is_named(monkeypatch):
    monkeypatch.setenv("PAIRSPEC_INFER__MODELS", "m2")
    text = complaint(None)
    assert text.startswith("PAIRSPEC_INFER__MODELS in the environment: a list is written as JSON")
    monkeypatch.setenv("PAIRSPEC_INFER__MODELS", '["m2"]')
    assert load_settings().infer.models[0].name == "m2"
