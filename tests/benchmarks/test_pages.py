from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from difficulty_page import difficulty_tables
from difficulty_tables import Q_EDGES, Columns, Study
from label_tables import label_tables
from pages import fill, markers
from pca_logistic import fit_pca_logistic
from peers_tables import Peers, names_of, peers_tables

from pipeline.network.card import ModelCard
from pipeline.settings.network import NetworkSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.training import TrainingSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = """\
# Title

<!-- table: one -->
| old |
<!-- end -->

Text.

<!-- table: two, of [Fe/H] -->
<!-- end -->
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_only_the_tables_change(page: Path) -> None:
    tables = {"one": "| new \\1 |\n", "two, of [Fe/H]": "| b |"}
    fill(page, tables)
    text = page.read_text()
    assert "# Title\n\n<!-- table: one -->\n\n| new \\1 |\n\n<!-- end -->\n\nText.\n" in text
    assert "<!-- table: two, of [Fe/H] -->\n\n| b |\n\n<!-- end -->\n" in text
    assert "old" not in text
    fill(page, tables)
    assert page.read_text() == text


def test_tables_of_another_run_stay(page: Path) -> None:
    fill(page, {"two, of [Fe/H]": "| b |"}, keep=["one"])
    assert "<!-- table: one -->\n| old |\n<!-- end -->" in page.read_text()


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"one": ""}, "has a marker for 'two, of .*', which is not made"),
        ({"one": "", "two, of [Fe/H]": "", "three": ""}, "has no marker '<!-- table: three -->'"),
    ],
)
def test_names_must_agree(page: Path, tables: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fill(page, tables)
    assert page.read_text() == PAGE


@pytest.mark.parametrize(
    "text",
    [
        "<!-- table: one -->\n",
        "<!-- end -->\n",
        "<!-- table: one -->\n<!-- table: two -->\n<!-- end -->\n",
        "<!-- table: one -->\n<!-- table: two -->\n<!-- end -->\n<!-- end -->\n",
        "<!-- table: one -->\n<!-- end -->\n<!-- end -->\n",
        "<!-- table: one -->\n<!-- end -->\n<!-- table: one -->\n<!-- end -->\n",
    ],
)
def test_broken_markers_are_refused(page: Path, text: str) -> None:
    page.write_text(text)
    with pytest.raises(ValueError, match=r"page\.md: the page has .* mend the markers"):
        fill(page, {"one": "", "two": ""})
    assert page.read_text() == text


def columns(n: int, rng: np.random.Generator) -> Columns:
    """Random scores of n spectra."""
    label = np.arange(n) % 2
    return {
        "label": label, "star": np.arange(n), "logit": rng.normal(label), "pca": rng.normal(label),
        "network": rng.normal(label), "gain": rng.normal(label), "clipped": np.arange(n) % 7 == 0,
        "chi2": np.full(n, 9.0), "pixels": np.full(n, 9), "snr_g": rng.uniform(20, 200, n),
        "teff_k": rng.uniform(3800, 6500, n), "logg": rng.normal(size=n),
        "feh": rng.normal(size=n), "rv_kms": rng.normal(size=n), "q": rng.uniform(0.71, 0.93, n),
        "velocity1_kms": rng.normal(0, 60, n), "velocity2_kms": rng.normal(0, 60, n),
        "d_prime": rng.exponential(3, n), "teff_difference_k": rng.uniform(0, 900, n),
        "light_ratio": rng.uniform(0, 1, n),
    }  # fmt: skip


def card() -> ModelCard:
    return ModelCard(
        model_id="a" * 12, network=NetworkSettings(), n_pixel=100, spectra=SpectraSettings(),
        training=TrainingSettings(), data="spectra", split_seed=1,
        metrics={"epoch": 3, "validation_auc": 0.9, "test_auc": 0.8},
    )  # fmt: skip


def test_the_page_of_difficulty_has_the_tables_of_its_script() -> None:
    rng = np.random.default_rng(1)
    samples = ["test", "still", "singles", *(f"q{k}" for k in range(len(Q_EDGES) - 1))]
    scores = {name: columns(200, rng) for name in samples}
    ideal = columns(400, rng) | {"sample": np.repeat(["test", "q0"], 200)}
    study = Study(card(), SimulateSettings(), scores)
    tables = difficulty_tables({"off": study, "on": study}, ideal)
    assert list(tables) == markers((DOCS / "difficulty.md").read_text())


def test_the_page_of_peers_has_the_tables_of_its_script() -> None:
    rng = np.random.default_rng(1)
    label = np.arange(300) % 2
    flux_BL = (1 + rng.normal(scale=0.1, size=(300, 150)) + 0.1 * label[:, None]).astype(np.float32)
    pca = fit_pca_logistic(flux_BL[:200], label[:200], flux_BL[200:], label[200:])
    test = columns(100, rng)
    fit = {name: test[name][:40] for name in ("star", "gain", "chi2", "pixels")}
    names = []
    for scatter in ("off", "on"):
        tables = peers_tables(Peers(scatter, card(), pca, test, fit, {"prepare": 1.0}))
        assert list(tables) == names_of(scatter)
        names += names_of(scatter)
    assert names == markers((DOCS / "peers.md").read_text())


def test_the_page_of_labels_has_the_tables_of_its_script() -> None:
    rng = np.random.default_rng(1)
    n = 200
    kind = np.where(np.arange(n) % 2, "pair", "single")
    stars = pd.DataFrame(
        {
            "kind": kind, "q": np.where(kind == "pair", rng.uniform(0.1, 1, n), np.nan),
            "label": rng.choice(["single", "binary", "excluded"], n),
            "log_age": rng.uniform(8, 10, n), "g_ks_0": rng.uniform(1.5, 2.6, n),
            "q_fixed_primary": 0.8, "q_fixed_colour": 0.6,
        }
    )  # fmt: skip
    steps = pd.DataFrame({"as measured": rng.normal(0, 0.1, n), "true": rng.normal(0, 0.1, n)})
    ridge = pd.DataFrame(
        {"feh": 0.1, "n_stars": 300, "n_near": [50, 150], "difference": [0.01, -0.02],
         "error": 0.003}
    )  # fmt: skip
    tables = label_tables(stars, steps, {"own": ridge, "another": ridge})
    assert list(tables) == markers((DOCS / "labels.md").read_text())
    assert "| all | 200 |" in tables["labels"]
