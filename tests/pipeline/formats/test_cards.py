"""What stops a file of another survey, and what stops more than that."""

import errno
import os

import pytest

from pipeline.formats.cards import refusing
from pipeline.formats.door import FORMATS
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.settings.ingest import IngestSettings


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EIO, "Input/output error"), Reason.UNREADABLE),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), Reason.UNREADABLE),
        (OSError("Empty or corrupt FITS file"), Reason.CORRUPT),
        (ValueError("a negative NAXIS"), Reason.CORRUPT),
    ],
)
def test_a_disk_that_fails_is_not_a_broken_file(error, reason):
    with pytest.raises(SpectrumError) as refused, refusing("file"):
        raise error
    assert refused.value.reason is reason


def test_a_lack_of_memory_is_no_fault_of_the_file():
    with pytest.raises(MemoryError), refusing("file"):
        raise MemoryError


@pytest.mark.parametrize(("kind", "name"), [("desi", "coadd-a.fits"), ("table", "a.parquet")])
def test_a_pipe_is_not_waited_for(tmp_path, kind, name):
    os.mkfifo(tmp_path / name)
    entries = [entry for entry, _ in FORMATS[kind].entries(tmp_path, [(name, 0)])]
    assert entries == [name]
    (found,) = FORMATS[kind].spectra(tmp_path, entries, IngestSettings())
    assert isinstance(found, SpectrumError)
    assert found.reason is Reason.UNREADABLE
