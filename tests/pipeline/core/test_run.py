"""The one mechanism: what is pending, what is vouched for, what is refused."""

import pandas as pd
import pytest

from pipeline.core.errors import MismatchError
from pipeline.core.ledger import Done
from pipeline.core.published import NotReadyError, Published, publish, read_published
from pipeline.core.records import records_path


def count_call(folder, unit):
    with (folder / "calls").open("a") as file:
        file.write(f"{unit}\n")


def calls(folder):
    path = folder / "calls"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def write_unit(unit, folder, text="x"):
    count_call(folder, unit)
    path = folder / f"unit-{unit}"
    path.write_text(f"{text}{unit}")
    return Done({"units": 1}, (path,))


def write_extra(unit, extra, folder):
    return write_unit(unit, folder, extra)


def read_frame(unit):
    return pd.DataFrame({"value": [unit] * unit})


def write_frame(frame, unit, folder):
    assert len(frame) == unit
    return write_unit(unit, folder)


def fails_at_two(unit, folder):
    if unit == 2:
        raise ValueError("unit 2 fails")
    return write_unit(unit, folder)


def test_every_unit_is_done_once(make_run, tmp_path):
    run = make_run("select", tmp_path)
    assert run.each(write_unit, 4, tmp_path, digest="a") == {"units": 4}
    assert not run.idle
    again = make_run("select", tmp_path)
    assert again.each(write_unit, 4, tmp_path, digest="a") == {"units": 4}
    assert again.idle
    assert sorted(calls(tmp_path)) == [0, 1, 2, 3]
    # One more unit is one more call.
    assert again.each(write_unit, 5, tmp_path, digest="a") == {"units": 5}
    assert sorted(calls(tmp_path)) == [0, 1, 2, 3, 4]


def test_extra_arguments_and_partitions(make_run, tmp_path):
    run = make_run("select", tmp_path)
    run.each(write_extra, 2, tmp_path, digest="a", step="extra", extra=lambda unit: f"e{unit}-")
    assert (tmp_path / "unit-1").read_text() == "e1-1"
    # Partition 0 is empty, and knows its number all the same.
    assert run.each_partition(read_frame, write_frame, 3, tmp_path, digest="a") == {"units": 3}


def test_a_failure_keeps_what_was_done(make_run, tmp_path):
    run = make_run("select", tmp_path, "cluster.retries=0")
    with pytest.raises(ValueError, match="unit 2 fails"):
        run.each(fails_at_two, 3, tmp_path, digest="a")
    done = len(calls(tmp_path))
    run.each(write_unit, 3, tmp_path, digest="a")
    assert len(calls(tmp_path)) == 3 >= done


def test_other_settings_take_back_what_vouches_for_the_files(make_run, tmp_path):
    first = make_run("select", tmp_path)
    first.each(write_unit, 3, tmp_path, digest="a")
    first.publish("a", {"units": 3})
    second = make_run("select", tmp_path, "cluster.retries=0")
    with pytest.raises(ValueError, match="unit 2 fails"):
        second.each(fails_at_two, 3, tmp_path, digest="b")
    assert read_published(tmp_path, "sample") is None
    third = make_run("select", tmp_path)
    assert third.is_pending(3, digest="a")
    third.each(write_unit, 3, tmp_path, digest="a")
    assert len(calls(tmp_path)) >= 6


def test_a_lost_file_is_made_again_alone(make_run, tmp_path):
    run = make_run("select", tmp_path)
    run.each(write_unit, 3, tmp_path, digest="a")
    (tmp_path / "unit-1").unlink()
    run.each(write_unit, 3, tmp_path, digest="a")
    assert sorted(calls(tmp_path)) == [0, 1, 1, 2]


def test_records_left_out_of_order_are_put_in_order(make_run, tmp_path):
    """By the next run, after one that was killed when its last unit was done."""
    make_run("select", tmp_path).each(write_unit, 3, tmp_path, digest="a")
    path = records_path(tmp_path, "select")
    straight = path.read_bytes()
    first, *others = straight.splitlines(keepends=True)
    path.write_bytes(b"".join([*others, first]))
    again = make_run("select", tmp_path)
    assert again.each(write_unit, 3, tmp_path, digest="a") == {"units": 3}
    assert again.idle and len(calls(tmp_path)) == 3
    assert path.read_bytes() == straight


def test_once_remembers_what_it_printed(make_run, tmp_path):
    def work(text):
        count_call(tmp_path, 0)
        return Done({"n": 1}, (), (text,), ("a line",))

    first = make_run("label", tmp_path).once(work, "a note", digest="a")
    again = make_run("label", tmp_path)
    assert again.once(work, "another", digest="a") == first
    assert again.idle and calls(tmp_path) == [0]
    assert again.publish("a", first.counts).idle


def test_rows_in_are_rows_out(make_run, tmp_path):
    run = make_run("select", tmp_path)
    run.balance(3, 3, "spectra")
    with pytest.raises(MismatchError, match=r"3 spectra went in but 2 came out; delete .*select"):
        run.balance(3, 2, "spectra")


def test_what_is_missing_is_named_with_its_stage(make_run, tmp_path):
    with pytest.raises(NotReadyError, match="no complete observations; run `pairspec ingest"):
        make_run("select", tmp_path).needs()
    assert make_run("composites", tmp_path).uses("labels") is None


def test_a_dataset_made_from_what_was_replaced_is_refused(make_run, tmp_path):
    publish(tmp_path, "observations", Published("o1", {}))
    publish(tmp_path, "photometry", Published("p1", {}, {"observations": "o1"}))
    publish(tmp_path, "sample", Published("s1", {}, {"observations": "o1", "photometry": "p1"}))
    assert make_run("label", tmp_path).needs()[0].digest == "s1"
    publish(tmp_path, "observations", Published("o2", {}))
    with pytest.raises(NotReadyError, match=r"sample, since .* observations .* `pairspec select"):
        make_run("label", tmp_path).needs()
    # What was begun anew counts as replaced, too.
    publish(tmp_path, "observations", Published("o1", {}))
    (tmp_path / "ledger" / "photometry.json").unlink()
    with pytest.raises(NotReadyError, match="since the dataset photometry was made anew"):
        make_run("label", tmp_path).needs()
