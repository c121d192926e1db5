"""What the documents name exists: stages, pages, links, targets of make, commands."""

import re
from pathlib import Path

import pytest

from pipeline.cli.app import ORDER
from pipeline.stages import STAGES

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
PAGES = [
    README,
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "CHANGELOG.md",
    *sorted(DOCS.glob("*.md")),
]

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```[^`]*```|`[^`\n]+`|^ {4}.*$", re.MULTILINE)


def links(text):
    """Relative links of a page, without the place in the page."""
    return [re.sub("#.*", "", to) for to in LINK.findall(text) if not re.match("[a-z]+:|#", to)]


def named(command, text):
    """Words that follow a command in the code of a page, without comments."""
    code = [re.sub(r"#.*", "", line) for part in CODE.findall(text) for line in part.splitlines()]
    return {
        word
        for line in code
        for word in re.findall(rf"(?<![\w./-]){command} +([a-z][a-z-]*)", line)
    }


def make_targets():
    """Targets of the Makefile: its rules, and the stages, for which it has one rule."""
    rules = re.findall(r"^([a-z$()A-Z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert "$(PLAIN)" in rules
    return {*rules, *(stage.name for stage in STAGES)}


def page_name(page):
    return page.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_stands_on_the_front_page_with_its_page(stage):
    front = (DOCS / "index.md").read_text()
    rows = re.findall(rf"^\| `{stage.name}` \| .+ \| (.+) \|$", front, re.MULTILINE)
    assert rows == [f"[docs/{stage.page}]({stage.page})"]
    assert (DOCS / stage.page).is_file()


def test_the_front_page_lists_the_stages_in_order():
    table = (DOCS / "index.md").read_text().partition("| stage |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == [s.name for s in STAGES]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_to_files(page):
    missing = [link for link in links(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_exist(page):
    assert named("pairspec", page.read_text()) <= set(ORDER)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_targets_of_make_exist(page):
    assert named("make", page.read_text()) <= make_targets()


def test_the_reading_of_a_page_finds_what_is_named():
    text = (
        "pairspec prose\n```\nmake demo   # make comment\nmake a && make b ROOT=run\n```\n"
        "`pairspec status`, [one](a/b.md#place) [two](https://x.org/c.md) [three](#here)\n"
        "\n    pairspec infer --root run\n"
    )
    assert named("make", text) == {"demo", "a", "b"}
    assert named("pairspec", text) == {"status", "infer"}
    assert links(text) == ["a/b.md"]
    assert {"demo", "train", "bench"} <= make_targets()
    assert "nothing" not in make_targets()


def test_every_way_of_failing_has_a_test_that_exists():
    rows = re.findall(
        r"^\| [^|]+ \| [^|]+ \| (.+) \|$", (DOCS / "failure-modes.md").read_text(), re.MULTILINE
    )
    rows = [row for row in rows if row not in ("test", "---")]
    assert len(rows) > 50
    for row in rows:
        for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row) or [("", row)]:
            assert row.startswith("the same") or f"def {name}(" in (REPOSITORY / path).read_text()
