"""Every stage looks at all that it is given first: nothing is started or written before."""

import shutil

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.core.published import Published, publish
from pipeline.settings.load import load_settings
from pipeline.simulate.merge import write_hats
from pipeline.stages import STAGES, check_stage
from pipeline.store.manifest import freeze
from tests.dust import write_sfd
from tests.given import (
    DISTANCES,
    GAIA,
    KINDS,
    LABELS,
    NEIGHBOURS,
    STELLAR,
    TMASS,
    TRUTH,
    save_network,
    spoil,
)
from tests.pipeline.tables.kinds import write_table


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Good inputs: settings by name."""
    folder = tmp_path_factory.mktemp("good")
    tables = {
        "inputs.gaia": GAIA, "inputs.tmass": TMASS, "inputs.tmass_best_neighbour": NEIGHBOURS,
        "inputs.bailer_jones": DISTANCES, "inputs.catalogue": STELLAR, "inputs.labels": LABELS,
    }  # fmt: skip
    paths = {name: folder / f"{name}.csv" for name in tables}
    for name, table in tables.items():
        pacsv.write_csv(table, paths[name])
    (folder / "truth").mkdir()
    pq.write_table(TRUTH, folder / "truth" / "observations.parquet")
    (folder / "spectra" / "plan").mkdir(parents=True)
    (folder / "spectra" / "plan" / "spec-1.fits").write_bytes(b"any content: it is read later")
    return paths | {
        "inputs.spectra": folder / "spectra",
        "inputs.truth": folder / "truth",
        "photometry.dust_folder": write_sfd(folder / "sfd"),
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root on which every stage seems to have run, with a small untrained network."""
    path = tmp_path_factory.mktemp("run") / "run"
    freeze(path / "manifest.parquet", lambda: [("spec-1.fits", 1)], 256)
    for stage in STAGES:
        publish(path, stage.makes, Published("test", {}))
    return save_network(path / "model").parent


@pytest.fixture
def refused(root, digest_tree):
    """Run a stage by its command; return why it was refused, before anything was done."""

    def run(stage, settings, *overrides, root=root):
        before = digest_tree(root)
        pairs = [*(f"{name}={value}" for name, value in settings.items()), *overrides]
        words = [word for pair in pairs for word in ("--set", pair)]
        answer = CliRunner().invoke(app, [stage, "--root", str(root), *words])
        assert answer.exit_code == 1, answer.output
        first, *why = answer.stderr.splitlines()
        assert first == f"{stage}: looking at the inputs"
        assert digest_tree(root) == before
        assert answer.stdout == ""
        assert len(why) == 1, why  # no line about workers
        assert why[0].startswith("pairspec: ")
        return why[0]

    return run


TABLES = {
    "inputs.gaia": ("photometry", GAIA),
    "inputs.tmass": ("photometry", TMASS),
    "inputs.tmass_best_neighbour": ("photometry", NEIGHBOURS),
    "inputs.bailer_jones": ("photometry", DISTANCES),
    "inputs.catalogue": ("photometry", STELLAR),
    "inputs.labels": ("label", LABELS),
}
"""Tables that may be of any kind, and the stage that looks at them."""


def says(why, setting, path, kind):
    """The message names setting and path, and says what is wrong."""
    assert why.startswith(f"pairspec: {setting}: "), why
    assert str(path) in why
    assert any(words in why for words in KINDS[kind].split("|")), why


@pytest.mark.parametrize("reddening", ["gaia_column", "lamost_column", "map"])
def test_good_inputs_pass(root, given, reddening):
    values = [f"{name}={value}" for name, value in given.items()]
    values += [f"photometry.reddening={reddening}", "training.composite_share=0"]
    settings = load_settings(None, values, root=root)
    for stage in STAGES:
        check_stage(stage.name, settings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("setting", TABLES)
def test_a_table_of_a_wrong_kind(refused, given, tmp_path, setting, kind):
    stage, table = TABLES[setting]
    wrong = spoil(kind, tmp_path, table)
    reddening = "lamost_column" if setting == "inputs.catalogue" else "gaia_column"
    why = refused(stage, given | {setting: wrong}, f"photometry.reddening={reddening}")
    says(why, setting, wrong, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_ingest_refuses_a_catalogue_of_a_wrong_kind(refused, given, tmp_path, kind):
    wrong = spoil(kind, tmp_path, pa.table({"obsid": [1], "ra": [1.0], "teff": [1.0]}))
    says(refused("ingest", given | {"inputs.catalogue": wrong}), "inputs.catalogue", wrong, kind)


@pytest.mark.parametrize("name", ["obsid", "teff"])
def test_ingest_refuses_a_catalogue_with_a_column_of_another_type(refused, given, tmp_path, name):
    wrong = tmp_path / "catalogue.csv"
    pacsv.write_csv(pa.table({"obsid": ["1"], "teff": ["5000"]} | {name: ["G2V"]}), wrong)
    why = refused("ingest", given | {"inputs.catalogue": wrong})
    assert f"inputs.catalogue: {wrong}: " in why
    assert "cannot be read as" in why


@pytest.mark.parametrize("kind", ["votable", "parquet"])
def test_ingest_refuses_a_catalogue_that_was_converted(refused, given, tmp_path, kind):
    wrong = write_table(STELLAR, tmp_path, "vot" if kind == "votable" else kind)
    why = refused("ingest", given | {"inputs.catalogue": wrong})
    assert f"inputs.catalogue: {wrong} is " in why
    assert "is CSV or FITS" in why


def test_a_frozen_ingest_needs_its_manifest(refused, given, tmp_path):
    (tmp_path / "new").mkdir()
    why = refused("ingest", given, "ingest.frozen=true", root=tmp_path / "new")
    assert "no manifest" in why


@pytest.mark.parametrize("kind", ["missing", "zip", "image", "text", "folder"])
def test_ingest_refuses_a_folder_of_spectra_that_is_none(refused, given, tmp_path, kind):
    wrong = spoil(kind, tmp_path, GAIA)
    says(refused("ingest", given | {"inputs.spectra": wrong}), "inputs.spectra", wrong, kind)


@pytest.mark.parametrize("stage", ["evaluate", "report"])
@pytest.mark.parametrize("kind", ["missing", "zip", "image", "text", "folder"])
def test_a_truth_that_is_none(refused, given, tmp_path, stage, kind):
    wrong = spoil(kind, tmp_path, TRUTH)
    says(refused(stage, given | {"inputs.truth": wrong}), "inputs.truth", wrong, kind)


@pytest.mark.parametrize("stage", ["evaluate", "report"])
@pytest.mark.parametrize("kind", ["columns", "text", "csv"])
def test_a_truth_with_another_table(refused, given, tmp_path, stage, kind):
    table = tmp_path / "observations.parquet"
    if kind == "columns":
        pq.write_table(TRUTH.drop_columns("q"), table)
    elif kind == "text":
        table.write_text("hello\n")
    else:
        pacsv.write_csv(TRUTH, table)
    why = refused(stage, given | {"inputs.truth": tmp_path})
    assert f"inputs.truth: {table} " in why
    assert ("has no column q" if kind == "columns" else "is not Parquet") in why


@pytest.fixture(scope="module")
def hats(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hats")
    pq.write_table(GAIA, folder / "gaia.parquet")
    write_hats(folder / "gaia.parquet", folder / "gaia", "gaia")
    return folder / "gaia"


@pytest.mark.parametrize("fault", ["columns", "properties", "partition", "parent", "url"])
def test_a_hats_catalogue_that_cannot_be_used(refused, given, hats, tmp_path, fault):
    wrong = tmp_path / "given" / "gaia"
    shutil.copytree(hats, wrong)
    overrides = []
    if fault == "columns":
        overrides, words = ["photometry.reddening_column=ebv"], "has no column ebv"
    elif fault == "properties":
        for file in wrong.rglob("*.properties"):
            file.write_text("hello\n")
        words = "cannot be opened as a HATS catalogue"
    elif fault == "partition":
        next(wrong.rglob("Npix=*.parquet")).unlink()
        words = "partitions are not there"
    elif fault == "parent":
        wrong, words = wrong.parent, "name one of them"
    else:
        wrong, words = "http://127.0.0.1:9/gaia", "cannot be opened as a HATS catalogue"
    why = refused("photometry", given | {"inputs.gaia": wrong}, *overrides)
    assert why.startswith(f"pairspec: inputs.gaia: {wrong} ")
    assert words in why


@pytest.mark.parametrize("fault", ["second", "ids"])
def test_every_file_of_a_folder_is_looked_at(refused, given, tmp_path, fault):
    folder = tmp_path / "chunks"
    folder.mkdir()
    pq.write_table(GAIA, folder / "1.parquet")
    bad = GAIA.drop_columns("dec")
    if fault == "ids":
        place = GAIA.column_names.index("source_id")
        bad = GAIA.set_column(place, "source_id", GAIA["source_id"].cast(pa.float64(), safe=False))
    pq.write_table(bad, folder / "2.parquet")
    why = refused("photometry", given | {"inputs.gaia": folder})
    assert why.startswith("pairspec: inputs.gaia: ")
    assert str(folder / "2.parquet") in why
    assert ("has no column dec" if fault == "second" else "source_id") in why


@pytest.mark.parametrize("fault", ["missing", "file", "text", "no image", "half"])
def test_a_dust_map_that_cannot_be_read(refused, given, tmp_path, fault):
    folder = tmp_path / "sfd"
    if fault == "file":
        folder.write_text("map\n")
    elif fault != "missing":
        write_sfd(folder)
        south = folder / "SFD_dust_4096_sgp.fits"
        south.unlink()
        if fault == "text":
            south.write_text("map\n")
        elif fault == "no image":
            fits.PrimaryHDU().writeto(south)
    why = refused(
        "photometry", given | {"photometry.dust_folder": folder}, "photometry.reddening=map"
    )
    assert f"no SFD map that can be read in {folder} (photometry.dust_folder)" in why
    assert "pairspec acquire dust" in why


def test_reddening_needs_its_column(refused, given):
    why = refused("photometry", given, "photometry.reddening_column=ebv")
    assert "inputs.gaia: " in why
    assert "set photometry.reddening to map" in why
    why = refused(
        "photometry", given, "photometry.reddening=lamost_column", "photometry.reddening_column=ebv"
    )
    assert f"inputs.catalogue: {given['inputs.catalogue']} has no column ebv" in why


@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        (stage, fault)
        for stage in ("infer", "evaluate")
        for fault in ("missing", "file", "empty", "card")
    ]
    + [("infer", "weights")],
)
def test_a_network_that_cannot_be_read(refused, given, tmp_path, stage, fault):
    folder = tmp_path / "model"
    if fault == "file":
        folder.write_text("a network\n")
    elif fault == "empty":
        folder.mkdir()
    elif fault != "missing":
        save_network(folder)
    if fault == "card":
        (folder / "model.json").write_text("{}")
    elif fault == "weights":
        (folder / "model.safetensors").unlink()
    why = refused(stage, given, f"infer.models=['{folder}']")
    assert why.startswith("pairspec: infer.models: ")
    assert str(folder) in why


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage.needs], ids=lambda s: s.name)
def test_a_stage_needs_what_others_make(refused, given, tmp_path, stage):
    new = tmp_path / "new"
    why = refused(stage.name, given, root=new)
    assert f"{new} has no complete {stage.needs[0]}; run `pairspec " in why
    assert not new.exists()


def test_training_needs_what_it_is_to_be_trained_on(refused, given, root, tmp_path):
    assert "run `pairspec label" in refused("train", given, root=tmp_path)
    why = refused("train", given, "training.composite_share=0.5")
    assert f"{root / 'composites'} holds no blocks; run `pairspec composites` again" in why
