import pytest
from typer.testing import CliRunner

from cluster.settings import QUEUES
from pipeline.cli.app import app
from pipeline.core.errors import InputError
from pipeline.core.published import Published, publish
from pipeline.jobs.checks import check, check_walltime, stages_named
from pipeline.settings.load import SettingsError
from pipeline.stages import STAGES


def test_stages_come_in_the_order_of_the_data():
    assert [s.name for s in stages_named(["infer", "ingest"])] == ["ingest", "infer"]
    assert stages_named(["all"]) == list(STAGES[1:])
    assert stages_named(["simulate", "all"]) == list(STAGES)


@pytest.mark.parametrize(
    ("names", "message"),
    [(["infre"], "no stage 'infre'; did you mean 'infer'"), ([], "name the stages")],
)
def test_a_stage_that_does_not_exist_is_refused(names, message):
    with pytest.raises(InputError, match=message):
        stages_named(names)


def refusal(settings, *names, queued=()):
    with pytest.raises(InputError, match="^nothing was submitted: ") as error:
        check(stages_named(names), settings, queued)
    return str(error.value)


def test_a_chain_that_can_run_passes(on_slurm):
    check(stages_named(["all"]), on_slurm())


def test_a_driver_without_a_queue_is_refused(on_slurm):
    assert "cluster.driver.kind = 'local' is no queue: set it to one of slurm, pbs" in refusal(
        on_slurm("cluster.kind=local"), "ingest"
    )


@pytest.mark.parametrize("kind", ["pbs", "lsf", "sge", "oar", "moab"])
def test_a_queue_whose_jobs_wait_for_each_other_takes_a_chain(on_slurm, kind):
    check(stages_named(["ingest", "photometry"]), on_slurm(f"cluster.kind={kind}"))


def test_htcondor_takes_one_stage_at_a_time(on_slurm):
    settings = on_slurm("cluster.kind=htcondor")
    check(stages_named(["ingest"]), settings)
    for names, queued in ((("ingest", "photometry"), ()), (("photometry",), ("ingest",))):
        assert "htcondor lets no job wait" in refusal(settings, *names, queued=queued)


def test_a_chain_goes_to_one_queue(on_slurm):
    mixed = on_slurm("cluster.driver.kind=pbs", "cluster.ingest.kind=allocation",
                     "cluster.ingest.workers=1")  # fmt: skip
    assert "waits for one of another (pbs, slurm)" in refusal(mixed, "ingest", "photometry")


def test_an_allocation_says_how_many_workers_it_has(on_slurm):
    settings = on_slurm("cluster.kind=allocation")
    assert "cluster.ingest.workers = 0" in refusal(settings, "ingest")
    check(stages_named(["ingest"]), on_slurm("cluster.ingest.kind=allocation", "cluster.workers=1"))


def test_what_a_stage_needs_is_made_submitted_or_queued(on_slurm, tmp_path):
    settings = on_slurm()
    message = refusal(settings, "infer", "select")
    assert "infer needs observations: submit 'ingest' with it" in message
    assert "select needs photometry: submit 'photometry' with it" in message
    check(stages_named(["infer"]), settings, ["ingest"])
    publish(tmp_path / "run", "observations", Published("o", {}))
    check(stages_named(["infer"]), settings)


def test_folders_that_are_not_there_are_refused(on_slurm, tmp_path):
    shared = on_slurm(f"cluster.infer.shared_folder={tmp_path / 'nowhere'}")
    message = refusal(shared, "ingest", "infer")
    assert f"{tmp_path / 'nowhere'}: make it, or change cluster.infer.shared_folder" in message
    logs = on_slurm(f"cluster.log_folder={tmp_path / 'logs'}")
    assert "cluster.driver.log_folder" in refusal(logs, "ingest")
    (tmp_path / "logs").mkdir()
    check(stages_named(["ingest"]), logs)


@pytest.mark.parametrize("kind", [kind for kind in QUEUES if kind != "slurm"])
def test_a_root_with_a_space_is_refused_before_the_queue_parts_it(on_slurm, tmp_path, kind):
    root = tmp_path / "my survey"
    given = (f"cluster.kind={kind}", "cluster.ingest.kind=local")
    settings = on_slurm(*given).model_copy(update={"root": root})
    message = f"part {root / 'logs' / 'jobs'} at its spaces: change cluster.log_folder"
    assert message in refusal(settings, "ingest")
    elsewhere = on_slurm(*given, f"cluster.driver.log_folder={tmp_path}")
    check(stages_named(["ingest"]), elsewhere.model_copy(update={"root": root}))


def test_a_space_that_only_the_workers_cannot_bear_is_refused_too(on_slurm, tmp_path):
    update = {"root": tmp_path / "my survey"}
    local = on_slurm("cluster.ingest.kind=local").model_copy(update=update)
    check(stages_named(["ingest"]), local)
    assert "change cluster.log_folder" in refusal(on_slurm().model_copy(update=update), "ingest")
    (tmp_path / "my keys").mkdir()
    shared = on_slurm(f"cluster.ingest.shared_folder={tmp_path / 'my keys'}")
    assert "change cluster.ingest.shared_folder" in refusal(shared, "ingest")


@pytest.mark.parametrize(
    ("scratch", "message"),
    [("scratch", "has to be an absolute path"), ("/no/such/disk", "no folder /no/such/disk")],
)
def test_a_scratch_that_is_missing_is_refused(on_slurm, scratch, message):
    settings = on_slurm(f"cluster.ingest.scratch={scratch}")
    assert message in refusal(settings, "ingest")
    assert "cluster.ingest.scratch" in refusal(settings, "ingest")


def test_a_scratch_that_the_node_works_out_is_left_to_it(on_slurm):
    check(stages_named(["ingest"]), on_slurm("cluster.scratch=${SCRATCH:-/no/such/disk}"))


def test_a_walltime_below_one_measured_task_is_refused(on_slurm, measured):
    # Four workers did four tasks in 4000 s: one task took 4000 s.
    measured("ingest", workers=4, done=4, seconds=4000.0)
    message = refusal(on_slurm(), "ingest")
    assert "cluster.ingest.walltime = '01:00:00' leaves 3000 s" in message
    assert "one task of ingest took 4000 s" in message
    check(stages_named(["ingest"]), on_slurm("cluster.ingest.walltime=02:00:00"))


def test_a_stage_of_the_command_line_looks_at_its_walltime_too(on_slurm, measured, tmp_path):
    measured("ingest", workers=4, done=4, seconds=4000.0)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "spec.fits").touch()
    command = ["ingest", "--spectra", str(tmp_path / "files"), "--root", str(tmp_path / "run")]
    given = ("--set", "cluster.kind=slurm", "--set", "cluster.walltime=01:00:00")
    result = CliRunner().invoke(app, [*command, *given])
    assert result.exit_code == 1
    assert "nothing was submitted: cluster.ingest.walltime = '01:00:00'" in result.stderr
    for kind in ("local", "allocation"):
        check_walltime("ingest", on_slurm(f"cluster.kind={kind}"))
    check_walltime("ingest", on_slurm("cluster.walltime=02:00:00"))


def test_many_workers_for_few_tasks_do_not_make_a_task_long(on_slurm, measured):
    measured("ingest", workers=400, done=5, total=5, seconds=100.0)
    check(stages_named(["ingest"]), on_slurm())


def test_epochs_follow_each_other_whatever_the_number_of_workers(on_slurm, measured):
    measured("train", workers=100, done=10, seconds=1000.0, of="epochs")
    check(stages_named(["train"]), on_slurm())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("cluster.infer.jobs=0", "cluster.infer.jobs.*greater than or equal to 1"),
        ("cluster.walltime=00:05:00", "walltime = '00:05:00' is less than twice the margin"),
        ("cluster.infre.jobs=2", "did you mean 'cluster.infer'"),
        ("cluster.driver.walltime=00:02:00", "cluster.driver.*less than twice the margin"),
    ],
)
def test_sizes_that_cannot_work_are_refused_when_the_settings_are_read(on_slurm, override, message):
    with pytest.raises(SettingsError, match=message):
        on_slurm(override)
