"""What the Makefile hands on is what it was given."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def make(*words):
    # The environment counts as made.
    options = ["-n", "--no-print-directory", "-o", ".venv/.ready", f"PYTHON={sys.executable}"]
    return subprocess.run(
        ["make", *options, *words], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def handed_on(*words):
    done = make(*words)
    assert done.returncode == 0, done.stderr
    return shlex.split(done.stdout)[1:]


@pytest.mark.parametrize("folder", ["/a/my spectra", "/a/it's", '/a/"b"', "/a/$HOME;ls", "/plain"])
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("ingest", "SPECTRA={}"), "--spectra"),
        (("ingest", "CATALOGUE={}"), "--catalogue"),
        (("ingest", "ROOT={}"), "--root"),
        (("infer", "CONFIG={}"), "--config"),
        (("status", "ROOT={}"), "--root"),
        (("demo", "DEMO={}"), "--out"),
        (("simulate", "DEMO={}"), "--out"),
        (("acquire", "OUT={}"), "--out"),
        (("acquire", "CONFIG={}"), "--config"),
    ],
)
def test_a_path_stays_one_word(words, option, folder):
    # $ is make's own sign.
    found = handed_on(*(word.format(folder.replace("$", "$$")) for word in words))
    assert found[found.index(option) + 1] == folder


def test_a_path_in_the_home_folder_is_found():
    found = handed_on("status", "ROOT=~/my run", "HOME=/home/me")
    assert found == ["status", "--root", "/home/me/my run"]


def test_what_is_in_the_demo_folder_alone_is_cleaned():
    assert handed_on("clean", "DEMO=my demo") == ["-rf", ".venv", "my demo", "my demo-large"]


def test_each_setting_keeps_its_quotes():
    found = handed_on("infer", "SET=infer.models=['a','b'] infer.scope=all")
    assert found == ["infer", "--set", "infer.models=['a','b']", "--set", "infer.scope=all"]


def test_a_query_keeps_its_quotes():
    sql = """SELECT "p_b" FROM stars WHERE star_id = 'Gaia 1'"""
    assert handed_on("query", f"SQL={sql}") == ["query", sql]
    where = """snrg > 20 AND class = 'STAR'"""
    assert handed_on("acquire", f"WHERE={where}")[-1] == where


def test_a_query_without_sql_says_how():
    done = make("query", "ROOT=run")
    assert done.returncode != 0
    assert 'make query ROOT=run SQL="SELECT' in done.stderr
