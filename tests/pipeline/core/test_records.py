"""The file of the records, cut anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.records import Appended, read_records, replace_records
from pipeline.core.sealed import sealed_line


def record(unit):
    return {
        "unit": unit, "digest": "d", "counts": {"spectra": unit}, "outputs": {}, "notes": ["ü\n"],
        "table": [],
    }  # fmt: skip


def append(path, *units):
    with Appended(path) as file:
        for unit in units:
            file.append(record(unit))


def units(path):
    return [one["unit"] for one in read_records(path).records]


@given(kept=st.integers(0, 4 * len(sealed_line(record(1)))))
def test_a_file_cut_anywhere_keeps_its_whole_lines_and_grows_on(tmp_path_factory, kept):
    path = tmp_path_factory.mktemp("ledger") / "step.jsonl"
    append(path, 1, 2, 3, 4)
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    # A line without its end is whole, too.
    n_whole = (kept + 1) // len(sealed_line(record(1)))
    assert units(path) == [1, 2, 3, 4][:n_whole]
    append(path, 5)
    assert units(path) == [*[1, 2, 3, 4][:n_whole], 5]
    replace_records(path, read_records(path).records)
    assert read_records(path).damaged == ()


def test_nothing_is_made_before_the_first_record(tmp_path):
    path = tmp_path / "ledger" / "step.jsonl"
    append(path)
    assert not path.exists() and read_records(path) == ((), ())
    append(path, 7)
    assert units(path) == [7]
    replace_records(path, [])
    assert not path.exists()


def test_an_edited_line_is_named(tmp_path):
    path = tmp_path / "step.jsonl"
    append(path, 1, 2, 3)
    path.write_text(path.read_text().replace('"spectra": 2', '"spectra": 9'))
    assert units(path) == [1, 3]
    assert read_records(path).damaged == (2,)
