import json
from pathlib import Path

import pytest

from pipeline.settings.load import Settings, SettingsError, load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "pairspec.toml"
    path.write_text('root = "out"\n[inputs]\nspectra = "files"\n[cluster]\nworkers = 3\n')
    return path


def test_paths_of_the_file_are_relative_to_it(config: Path):
    settings = load_settings(config)
    assert settings.root == config.parent / "out"
    assert settings.inputs.spectra == config.parent / "files"


def paths_of(schema, definitions, place=()):
    """Where the JSON schema of the settings has paths, and whether there are several."""
    if "$ref" in schema:
        yield from paths_of(definitions[schema["$ref"].rpartition("/")[2]], definitions, place)
    for option in schema.get("anyOf", ()):
        yield from paths_of(option, definitions, place)
    for name, field in schema.get("properties", {}).items():
        yield from paths_of(field, definitions, (*place, name))
    several = schema.get("type") == "array"
    if (schema.get("items", {}) if several else schema).get("format") == "path":
        yield place, several


SCHEMA = Settings.model_json_schema()
PATHS = dict(paths_of(SCHEMA, SCHEMA["$defs"]))


def test_every_path_of_the_file_is_relative_to_it(tmp_path, monkeypatch):
    known = {"root", "inputs.gaia", "photometry.dust_folder", "infer.models", "training.teacher",
             "simulate.out", "cluster.log_folder"}  # fmt: skip
    assert known <= {".".join(place) for place in PATHS}
    places = PATHS | {("cluster", "train", place[-1]): s for place, s in PATHS.items()
                      if place[0] == "cluster"}  # fmt: skip
    content: dict = {}
    for place, several in places.items():
        section = content
        for part in place[:-1]:
            section = section.setdefault(part, {})
        section[place[-1]] = ["a/b", "/c"] if several else "a/b"
    path = tmp_path / "its" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    settings = load_settings(Path("its/settings.json"))
    read = settings.model_dump()
    for place, several in places.items():
        value = read
        for part in place:
            value = value[part]
        inside = str(path.parent / "a/b")
        assert [*map(str, value)] == [inside, "/c"] if several else str(value) == inside, place
    other = load_settings(path, ["infer.models=['net']", "inputs.tmass=s3://a/b"])
    assert (other.infer.models, other.inputs.tmass) == ((Path("net").absolute(),), "s3://a/b")
    path.write_text(json.dumps({"inputs": {"gaia": "https://a/b", "tmass": "/c"}}))
    inputs = load_settings(path).inputs
    assert (inputs.gaia, inputs.tmass) == ("https://a/b", "/c")


def test_command_line_beats_environment_beats_file_beats_default(config, monkeypatch):
    assert load_settings(config).cluster.workers == 3
    monkeypatch.setenv("PAIRSPEC_CLUSTER__WORKERS", "4")
    assert load_settings(config).cluster.workers == 4
    assert load_settings(config, ["cluster.workers=5"]).cluster.workers == 5
    assert load_settings(config).cluster.kind == "local"


def test_named_values_merge_into_the_sections_of_the_file(config):
    settings = load_settings(config, inputs={"catalogue": Path("c.csv")})
    assert settings.inputs.catalogue == Path("c.csv")
    assert settings.inputs.spectra == config.parent / "files"


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("cluster.worker=2", "'cluster.workers'"),
        ("clustr.workers=2", "'cluster'"),
        ("spectra.sigma=2", "'spectra.sigma_angstrom'"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_name(override, hint):
    with pytest.raises(SettingsError, match=f"unknown setting .*did you mean {hint}"):
        load_settings(None, [override])


@pytest.mark.parametrize(
    "override",
    ["spectra.sigma_angstrom=-1", "cluster.kind=cloud", "ingest.chunk_rows=1000", "nonsense"],
)
def test_a_bad_value_is_refused_and_named(override):
    with pytest.raises(SettingsError, match=override.split(".")[0]):
        load_settings(None, [override])


def test_a_file_that_is_not_toml_or_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings(tmp_path / "none.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text("root = \n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings(bad)


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().cluster.workers = 7  # type: ignore[misc]
