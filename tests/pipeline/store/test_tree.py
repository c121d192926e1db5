import os
import subprocess

import pytest

from pipeline.store.tree import LeftOut, Tree


def walk(folder):
    left_out = LeftOut()
    return list(Tree(folder, left_out).files()), left_out


@pytest.fixture
def folder(tmp_path):
    spectra = tmp_path / "survey" / "spectra"
    for place in ("a/1.fits", "b/2.fits.gz", "3.fit"):
        (spectra / place).parent.mkdir(parents=True, exist_ok=True)
        (spectra / place).write_bytes(b"x")
    return spectra


ALL = [("3.fit", 1), ("a/1.fits", 1), ("b/2.fits.gz", 1)]


@pytest.mark.parametrize(
    ("link", "target"),
    [("a/up", ".."), ("a/self", "."), ("a/out", "../.."), ("a/root", "/"), ("a/b", "../b")],
)
def test_no_folder_is_entered_twice(link, target, folder):
    (folder / link).symlink_to(target)
    files, left_out = walk(folder)
    assert files == ALL
    assert left_out.n_folders == 1
    assert left_out.n_files == 0
    assert "1 links to folders not followed" in left_out.notes()[0]


def test_folders_elsewhere_are_read_once_through_the_first_link(folder, tmp_path):
    other = tmp_path / "other"
    (other / "below").mkdir(parents=True)
    (other / "below" / "4.fits").write_bytes(b"xy")
    (other / "back").symlink_to(folder)
    (folder / "c").symlink_to(other)
    (folder / "d").symlink_to(other / "below")
    files, left_out = walk(folder)
    assert files == [*ALL, ("c/below/4.fits", 2)]
    assert left_out.n_folders == 2


def test_links_that_lead_nowhere_are_files_without_a_size(folder):
    (folder / "loop.fits").symlink_to("loop.fits")
    (folder / "gone.fits").symlink_to("nowhere")
    files, _ = walk(folder)
    assert dict(files)["loop.fits"] == dict(files)["gone.fits"] == -1
    assert len(files) == 5


def test_a_deep_tree(tmp_path):
    depth = 1200
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("5.fits", os.O_CREAT, dir_fd=here))
    os.close(here)
    try:
        assert walk(tmp_path)[0] == [("d/" * depth + "5.fits", 0)]
    finally:  # deeper than what pytest can remove
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


def test_a_folder_that_cannot_be_read_is_named(folder, monkeypatch):
    def scandir(place):
        if str(place).rstrip("/").endswith("b"):
            raise PermissionError(13, "Permission denied")
        return original(place)

    original = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ValueError, match="spectra/b/: Permission denied; let this folder be read"):
        walk(folder)


def test_what_is_left_out_is_counted_with_an_example_of_each_ending(folder):
    names = ("x.fits.bz2", "y.fits.bz2", "x.fits.Z", "x.fits.gz.1", "x.fts", "101005")
    for name in (*names, "101006?token=ab.cd", "101005.fits?token=1", "é\udcff.txt", ".hidden"):
        (folder / "a" / name).write_bytes(b"x")
    files, left_out = walk(folder)
    assert files == ALL
    assert left_out.n_files == 9
    assert len(left_out.examples) == 5
    (note,) = left_out.notes()
    assert note.startswith("9 files left out, for their names are not *.fits, *.fit, ")
    assert "a/101005, " in note
    assert "a/101005.fits?token=1, " in note
    assert note.endswith(", ...")


def test_nothing_left_out_is_no_note(folder):
    assert walk(folder)[1].notes() == ()
