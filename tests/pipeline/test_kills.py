"""Every stage, killed at its file operations: what comes after is what would have been without.

A sample of the moments in the ordinary run; all of them by ``make test-kills``.
"""

import shutil

import pytest

from pipeline.stages import STAGES
from tests.finished import tree_digests

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("finished"),
]

OTHER = {
    "ingest": "inputs.catalogue='{folder}/half.csv.gz'",
    "photometry": "photometry.extinction='cardelli'",
    "select": "sample.snr_g_min=40",
    "label": "labels.seed=2",
    "composites": "composites.training_couples=10",
    "train": "training.seed=7",
    "infer": "infer.scope='all'",
    "evaluate": "evaluate.binary_fraction=0.3",
    "catalogue": "catalogue.star_radius_arcsec=1.0",
    "report": "inputs.truth='{folder}/truth'",
    "validate": "validation.thresholds=[0.5, 0.8]",
}
"""A setting of each stage that gives another output."""

NAMES = [stage.name for stage in STAGES[1:]]


def moments(request, n):
    """All file operations of a stage, or three of them: near the start, half-way, the last."""
    if request.config.getoption("--every-kill"):
        return range(1, n + 1)
    return sorted({max(1, n // 8), max(1, n // 2), n})


@pytest.fixture(scope="module")
def other(finished):
    """The setting of each stage, and the inputs that it names."""
    import gzip

    whole = finished.config.parent / "catalogues" / "dr10_sim_LRS_stellar.csv.gz"
    lines = gzip.decompress(whole.read_bytes()).splitlines(keepends=True)
    half = b"".join(lines[: len(lines) // 2])
    (finished.folder / "half.csv.gz").write_bytes(gzip.compress(half))
    truth = finished.folder / "truth"
    shutil.copytree(finished.config.parent / "truth", truth, dirs_exist_ok=True)
    return {name: text.format(folder=finished.folder) for name, text in OTHER.items()}


def ends_as_if_nothing_had_happened(finished, root, stage, expected):
    """Run the stage twice: the files are those of a straight run, and the second does nothing."""
    assert finished.server.run(stage, finished.config, root)["status"] == 0
    there = tree_digests(root)
    # The log of a training says how long it took.
    results = [name for name in expected if not name.startswith("training/")]
    different = [name for name in results if there.get(name) != expected[name]]
    assert different == []
    assert [name for name in there if name.endswith(".partial")] == []
    again = finished.server.run(stage, finished.config, root)
    assert again["status"] == 0 and again["idle"] and again["operations"] == 0
    assert tree_digests(root) == there


@pytest.fixture(scope="module")
def straight(finished, tmp_path_factory):
    """Digests of the root after a stage, from the snapshots before the next one."""
    after = dict(zip(NAMES, [*map(finished.before, NAMES[1:]), finished.root], strict=True))
    return {name: tree_digests(path) for name, path in after.items()}


@pytest.mark.parametrize("stage", NAMES)
def test_killed_and_run_again(finished, straight, tmp_path, request, stage):
    for moment in moments(request, finished.operations[stage]):
        root = tmp_path / str(moment)
        if stage != "ingest":
            shutil.copytree(finished.before(stage), root)
        killed = finished.server.run(stage, finished.config, root, kill_at=moment)
        assert killed["status"] == -9, killed
        ends_as_if_nothing_had_happened(finished, root, stage, straight[stage])
        shutil.rmtree(root)


@pytest.mark.parametrize("stage", NAMES)
def test_other_settings_killed_half_way_then_the_first_again(
    finished, straight, other, tmp_path, request, stage
):
    def begin(name):
        root = tmp_path / name
        source = NAMES.index(stage) + 1
        shutil.copytree(
            finished.root if source == len(NAMES) else finished.before(NAMES[source]), root
        )
        return root

    root = begin("whole")
    whole = finished.server.run(stage, finished.config, root, other[stage])
    assert whole["status"] == 0 and not whole["idle"], whole
    changed = tree_digests(root)
    assert any(changed.get(name) != digest for name, digest in straight[stage].items())
    ends_as_if_nothing_had_happened(finished, root, stage, straight[stage])
    every = moments(request, whole["operations"])
    for moment in every if request.config.getoption("--every-kill") else every[:2]:
        root = begin(str(moment))
        killed = finished.server.run(stage, finished.config, root, other[stage], kill_at=moment)
        assert killed["status"] == -9, killed
        ends_as_if_nothing_had_happened(finished, root, stage, straight[stage])
        shutil.rmtree(root)


def test_a_survey_that_was_killed_is_finished(finished, tmp_path, request):
    """The simulation refuses other settings, so it is killed with its own."""
    expected = tree_digests(finished.config.parent)
    expected = {k: v for k, v in expected.items() if not k.startswith("run/")}
    out = tmp_path / "survey"
    small = (*finished.small[:-1], f"simulate.out='{out}'")
    for moment in (200, 1200):
        killed = finished.server.run("simulate", finished.empty, out, *small, kill_at=moment)
        assert killed["status"] == -9, killed
    assert finished.server.run("simulate", finished.empty, out, *small)["status"] == 0
    assert tree_digests(out) == expected
    assert finished.server.run("simulate", finished.empty, out, *small)["idle"]
