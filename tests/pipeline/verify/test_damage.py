"""Finished files that are damaged afterwards never give another p_b without a word.

Each kind of damage is done to the root as it was before a stage that reads the file: `verify` names
it, the stage refuses in one line and writes nothing, and the named command brings all back.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from tests.finished import tree_digests

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("finished"),
]


def delete(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip(where):
    """Change one bit; `where` is a share of the file, or bytes before its end."""

    def change(path):
        content = bytearray(path.read_bytes())
        content[int(where * len(content)) if where < 1 else -where] ^= 4
        path.write_bytes(content)

    return change


def edit(old, new):
    """Change a text into another of the same length."""

    def change(path):
        text = path.read_text()
        assert old in text and len(old) == len(new)
        path.write_text(text.replace(old, new, 1))

    return change


@dataclass(frozen=True)
class Kind:
    file: str
    damage: object
    reader: str
    maker: str
    deep: bool = False


REPOSITORY = Path(__file__).resolve().parents[3]
PART = "part-000000.parquet"
PIECE = "part-000000-000001.parquet"
"""The part of a unit of two shards."""
KINDS = {
    # The store: data, index of a shard, arrays of a row, description.
    "shard deleted": Kind("spectra.zarr/flux/c/0/0", delete, "infer", "ingest"),
    "shard cut": Kind("spectra.zarr/ivar/c/1/0", cut, "infer", "ingest"),
    "shard of a training": Kind("spectra.zarr/flux/c/0/0", delete, "train", "ingest"),
    "data of a shard": Kind("spectra.zarr/flux/c/0/0", flip(0.5), "infer", "ingest", deep=True),
    "data, composites": Kind(
        "spectra.zarr/flux/c/0/0", flip(0.5), "composites", "ingest", deep=True
    ),
    "data, training": Kind("spectra.zarr/flux/c/0/0", flip(0.5), "train", "ingest", deep=True),
    "index of a shard": Kind("spectra.zarr/flux/c/0/0", flip(20), "infer", "ingest", deep=True),
    "row array": Kind("spectra.zarr/log10_first/c/0", flip(0.6), "infer", "ingest", deep=True),
    "type": Kind("spectra.zarr/flux/zarr.json", edit("float32", "float16"), "infer", "ingest"),
    "codec": Kind("spectra.zarr/ivar/zarr.json", edit("crc32c", "crc32d"), "infer", "ingest"),
    "group": Kind("spectra.zarr/zarr.json", edit("256", "128"), "infer", "ingest"),
    # Tables.
    "part cut": Kind(f"tables/observations/{PART}", cut, "infer", "ingest"),
    "part deleted": Kind(f"tables/observations/{PART}", delete, "infer", "ingest"),
    "page": Kind(f"tables/observations/{PART}", flip(0.3), "infer", "ingest", deep=True),
    "footer": Kind(f"tables/observations/{PART}", flip(3000), "infer", "ingest", deep=True),
    "magic": Kind(f"tables/photometry/{PART}", flip(1), "infer", "photometry", deep=True),
    "sample": Kind(f"tables/sample/{PIECE}", flip(0.3), "label", "select", deep=True),
    "labels": Kind(f"tables/labels/{PART}", flip(0.3), "train", "label", deep=True),
    "pool": Kind("tables/composite_pool.parquet", flip(0.3), "train", "composites", deep=True),
    "predictions": Kind(f"predictions/{PART}", flip(0.2), "catalogue", "infer", deep=True),
    "judged": Kind(f"predictions/{PART}", flip(0.2), "evaluate", "infer", deep=True),
    "observed": Kind(f"tables/observations/{PART}", flip(0.3), "catalogue", "ingest", deep=True),
    "spectra": Kind(f"catalogue/spectra/{PART}", flip(0.3), "report", "catalogue", deep=True),
    "manifest": Kind("manifest.parquet", flip(0.1), "infer", "ingest", deep=True),
    "manifest's footer": Kind("manifest.parquet", flip(30), "label", "ingest", deep=True),
    "manifest cut": Kind("manifest.parquet", cut, "label", "ingest"),
    "manifest deleted": Kind("manifest.parquet", delete, "infer", "ingest"),
    "evaluation": Kind("reports/evaluation.json", edit('"auc"', '"cua"'), "report", "evaluate"),
    # The network.
    "weights": Kind("model/model.safetensors", flip(0.5), "infer", "train", deep=True),
    "weights cut": Kind("model/model.safetensors", cut, "evaluate", "train"),
    "card": Kind("model/model.json", edit('"rest"', '"none"'), "infer", "train"),
    # The ledger.
    "record": Kind("ledger/ingest.jsonl", edit('"unit": 0', '"unit": 9'), "infer", "ingest"),
    "record cut": Kind("ledger/ingest.jsonl", cut, "infer", "ingest"),
    "records deleted": Kind("ledger/observations.jsonl", delete, "infer", "ingest"),
    "dataset": Kind(
        "ledger/observations.json", edit('"valid": 1', '"valid": 2'), "infer", "ingest"
    ),
    "source": Kind("ledger/sample.json", edit('"spectra": 1', '"spectra": 2'), "train", "select"),
    "model": Kind("ledger/model.json", edit('"epochs": 1', '"epochs": 2'), "infer", "train"),
}


def look(root, *options):
    answer = CliRunner().invoke(app, ["verify", "--root", str(root), *options])
    return answer.exit_code, [line for line in answer.stdout.splitlines() if line]


@pytest.fixture(scope="module")
def begun(finished, tmp_path_factory):
    """Copies of the roots from before the stages that read; every test mends what it damaged."""
    folder = tmp_path_factory.mktemp("begun")

    def root_before(stage):
        root = folder / stage
        if not root.exists():
            shutil.copytree(finished.before(stage), root)
        return root

    return root_before


def without_lock(root):
    return {name: digest for name, digest in tree_digests(root).items() if name != ".lock"}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_damaged_is_named_and_refused(finished, begun, name):
    kind = KINDS[name]
    root = begun(kind.reader)
    path = root / kind.file
    whole = path.read_bytes()
    kind.damage(path)
    try:
        before = without_lock(root)
        code, lines = look(root, *(["--deep"] if kind.deep else []))
        assert code == 1
        assert len(lines) == 2, lines
        assert lines[0].startswith(str(path)) and f"run `pairspec {kind.maker} --root" in lines[0]
        if kind.deep:
            assert look(root)[0] == 0
        answer = finished.server.run(kind.reader, finished.config, root)
        assert answer["status"] == 1, answer
        assert str(path) in answer["error"] and f"run `pairspec {kind.maker}" in answer["error"]
        assert "\n" not in answer["error"]
        after = without_lock(root)
        # What was finished before a damaged chunk was met may be new, and nothing else.
        before.pop(f"ledger/{kind.reader}.jsonl", None)
        assert {name: after.get(name) for name in before} == before
        assert [n for n in after if n.endswith(".partial")] == []
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["shard deleted", "data of a shard", "weights", "dataset"])
def test_the_command_ends_in_one_line(finished, begun, name):
    """Also where a worker meets the damage."""
    kind = KINDS[name]
    root = begun(kind.reader)
    whole = (root / kind.file).read_bytes()
    kind.damage(root / kind.file)
    command = [sys.executable, "-m", "pipeline", kind.reader, "--config", str(finished.config)]
    command += ["--root", str(root), "--set", "cluster.workers=1"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    finally:
        (root / kind.file).write_bytes(whole)
    assert done.returncode == 1 and done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if " shards" not in line]
    said = [f"{kind.reader}: looking at the inputs", f"{kind.reader}: starting workers (local)"]
    assert lines[:-1] == said[: len(lines) - 1], lines
    assert lines[-1].startswith(f"pairspec: {root / kind.file} "), lines


CURED = (
    "shard deleted", "index of a shard", "type", "footer", "predictions", "manifest", "weights cut",
    "record", "dataset",
)  # fmt: skip


@pytest.mark.parametrize("name", CURED)
def test_the_named_command_brings_everything_back(finished, tmp_path, name):
    kind, root = KINDS[name], tmp_path / "run"
    shutil.copytree(finished.before(kind.reader), root)
    kind.damage(root / kind.file)
    (root / kind.file).unlink(missing_ok=True)
    assert finished.server.run(kind.maker, finished.config, root)["status"] == 0
    assert look(root, "--deep")[0] == 0
    assert finished.server.run(kind.reader, finished.config, root)["status"] == 0
    expected = tree_digests(finished.root)
    made = {n: d for n, d in without_lock(root).items() if not n.startswith("training/")}
    assert [n for n, digest in made.items() if digest != expected.get(n)] == []


@pytest.mark.parametrize("file", [f"predictions/{PART}", "ledger/infer.jsonl"])
def test_a_stage_makes_its_own_output_again(finished, begun, tmp_path, file):
    root = tmp_path / "run"
    shutil.copytree(finished.before("evaluate"), root)
    whole = without_lock(root)
    cut(root / file)
    assert finished.server.run("infer", finished.config, root)["status"] == 0
    assert without_lock(root) == whole


@pytest.fixture(scope="module")
def other_network(finished, tmp_path_factory):
    """A network of another training on the same labels."""
    root = tmp_path_factory.mktemp("other") / "run"
    shutil.copytree(finished.before("train"), root)
    answer = finished.server.run("train", finished.config, root, "training.seed=7")
    assert answer["status"] == 0, answer
    return root / "model"


@pytest.mark.parametrize("exchanged", ["model.safetensors", "model.json", "model.*"])
def test_a_network_of_another_training_is_refused(finished, other_network, tmp_path, exchanged):
    """Also where weights and card fit each other: the run did not train them."""
    root = tmp_path / "run"
    shutil.copytree(finished.before("evaluate"), root)
    files = list(other_network.glob(exchanged))
    for file in files:
        shutil.copy(file, root / "model" / file.name)
    code, lines = look(root, "--deep")
    assert code == 1 and len(lines) == 1 + len(files)
    assert all("run `pairspec train --root" in line for line in lines[:-1])
    for stage in ("infer", "evaluate"):
        answer = finished.server.run(stage, finished.config, root)
        assert answer["status"] == 1 and "run `pairspec train --root" in answer["error"]
        assert "\n" not in answer["error"]


def test_a_network_that_the_user_names_is_taken(finished, other_network, tmp_path):
    root = tmp_path / "run"
    shutil.copytree(finished.before("infer"), root)
    named = f"infer.models=['{other_network}']"
    assert finished.server.run("infer", finished.config, root, named)["status"] == 0


def test_a_block_of_examples_is_looked_at_before_training_goes_on(finished, tmp_path):
    root = tmp_path / "run"
    shutil.copytree(finished.before("train"), root)
    last = finished.operations["train"]
    assert finished.server.run("train", finished.config, root, kill_at=last - 12)["status"] == -9
    (block,) = (root / "training_cache").glob("*/shard-000001.safetensors")
    flip(0.7)(block)
    code, lines = look(root, "--deep")
    assert code == 1 and lines[0].startswith(f"{block} is damaged")
    answer = finished.server.run("train", finished.config, root)
    assert answer["status"] == 1 and f"{block} is damaged" in answer["error"]
    block.unlink()
    assert finished.server.run("train", finished.config, root)["status"] == 0
    made, expected = tree_digests(root / "model"), tree_digests(finished.root / "model")
    assert made == expected


def test_the_finished_survey_is_whole_and_every_file_is_looked_at(finished):
    code, lines = look(finished.root, "--deep")
    assert code == 0 and len(lines) == 1
    before = tree_digests(finished.root)
    assert look(finished.root)[0] == 0
    assert tree_digests(finished.root) == before
