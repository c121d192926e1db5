"""Files that are written piece by piece."""

import pytest

from pipeline.core.atomic import PARTIAL, whole


def test_a_file_written_piece_by_piece_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "table.bin"
    with whole(path) as partial:
        partial.write_bytes(b"some")
        assert not path.exists() and partial.name.endswith(PARTIAL)
    assert path.read_bytes() == b"some" and not partial.exists()
    with pytest.raises(OSError, match="full"), whole(path) as partial:
        partial.write_bytes(b"half of an")
        raise OSError("full")
    assert path.read_bytes() == b"some"
    assert list(path.parent.iterdir()) == [path]
