"""Records of units, lost or looked at."""

from pathlib import Path

from pipeline.core.records import read_records, records_path, replace_records


def drop_record(root: Path, step: str, unit: int) -> None:
    """Let the record of a unit be lost."""
    path = records_path(root, step)
    replace_records(path, [one for one in read_records(path).records if one["unit"] != unit])


def written_by_unit(root: Path, step: str) -> dict[int, int]:
    """Return when the files of each unit that is done were written."""
    return {
        record["unit"]: max((root / name).stat().st_mtime_ns for name in record["outputs"])
        for record in read_records(records_path(root, step)).records
    }
