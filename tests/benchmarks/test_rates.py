"""The table of what the benchmarks found."""

import json
from pathlib import Path

import pytest
import rates
from rates import Rate, keep, page


def test_a_rate_stands_beside_its_peer(tmp_path):
    path = keep(
        "speed/read.py",
        [
            Rate("read", "9 files", "f/s", [3000, 1000, 2000], "astropy", [100.0, 250.0]),
            Rate("match", "9 rows", "s", [2.0], "astropy", [5.0], less_is_more=True),
            Rate("queue", "9 tasks", "s", [0.25]),
        ],
        tmp_path,
    )
    assert path == tmp_path / "read.json"
    kept = json.loads(path.read_text())
    assert kept["machine"]["cores"] >= 1
    rows = [line for line in page(tmp_path).splitlines() if line.startswith("| `read`")]
    assert rows[:3] == [
        "| `read` | read | 9 files | 2,000 [1,000, 3,000] f/s | astropy: 175 [100, 250] | 11.43 |",
        "| `read` | match | 9 rows | 2 s | astropy: 5 | 2.50 |",
        "| `read` | queue | 9 tasks | 0.25 s |  |  |",
    ]
    assert kept["machine"]["processor"] in rows[3]


@pytest.mark.parametrize("path", sorted(rates.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_result_is_of_a_script_that_is_there(path):
    assert (Path(rates.HERE) / f"{path.stem}.py").is_file()


def test_the_page_is_made_from_the_results():
    assert rates.PAGE.read_text() == page()
