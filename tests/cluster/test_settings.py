import pytest
from pydantic import ValidationError

from cluster.settings import KINDS, QUEUES, ClusterSettings


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("Slurm", "slurm"), ("slrum", "slurm"), ("condor", "htcondor"), ("alloc", "allocation")],
)
def test_an_unknown_kind_names_the_nearest_valid_one(written, nearest):
    with pytest.raises(ValidationError) as caught:
        ClusterSettings(kind=written)
    assert f"did you mean {nearest!r}" in str(caught.value)
    assert all(kind in str(caught.value) for kind in KINDS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"jobs": 0}, "jobs\n.*greater than or equal to 1"),
        ({"walltime": "1:00"}, "walltime\n.*pattern"),
        ({"walltime": "00:19:59"}, "twice the margin of 600 s that a task may take"),
        ({"memory": "much"}, "memory = 'much' is no size"),
        ({"workers": 3, "cores": 2}, "workers = 3 need as many cores, not 2"),
        ({"dashboard_address": "0.0.0.0:8787"}, "ssh -L"),
        ({"kind": "address"}, "needs address"),
        ({"queue": "x"}, "queue\n.*Extra inputs"),
    ],
)
def test_what_would_fail_later_is_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        ClusterSettings(**{"kind": "slurm"} | values)


def test_the_dashboard_may_be_on_loopback():
    for address in (":8787", "127.0.0.1:0", "localhost:1", "[::1]:1"):
        assert ClusterSettings(dashboard_address=address).dashboard_address == address


def test_times_and_sizes():
    settings = ClusterSettings(kind="slurm", walltime="100:01:01", memory="1.5GiB")
    assert settings.walltime_s == 360_061
    assert settings.memory_bytes == 1_610_612_736
    assert set(QUEUES) < set(KINDS)


@pytest.mark.parametrize(
    ("walltime", "minutes"),
    [("12:00:00", "12:00"), ("01:00:01", "01:01"), ("00:59:59", "01:00"), ("120:30:00", "120:30")],
)
def test_lsf_gets_no_less_time_than_was_asked_for(walltime, minutes):
    assert ClusterSettings(walltime=walltime, margin=60).walltime_hhmm == minutes


def test_memory_is_rounded_up_to_whole_mebibytes():
    assert ClusterSettings(memory="1GB").memory_mib == 954
    assert ClusterSettings(memory="4GiB").memory_mib == 4096
