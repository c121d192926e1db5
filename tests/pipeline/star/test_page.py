"""One star of a finished run, as it is printed and drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import pairspec
from pipeline.cli.app import app
from pipeline.core.errors import InputError
from pipeline.core.published import NotReadyError
from pipeline.core.root import Root
from pipeline.star.page import open_page
from pipeline.star.spectrum import read_spectrum
from pipeline.star.text import words
from schemas.catalogue import STARS
from schemas.quality import PhotometryFlag

pytestmark = [pytest.mark.xdist_group("finished"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def run(finished):
    return pairspec.open(finished.root)


@pytest.fixture(scope="module")
def rows(run):
    """Stars of several spectra that stand alone."""
    query = (
        "FROM stars WHERE n_spectra > 1 AND source_id IS NOT NULL AND delta_m_g IS NOT NULL LIMIT 2"
    )
    return run.sql(query).to_dict("records")


def test_every_way_to_name_a_star_finds_it(run, rows):
    for row in rows:
        degrees = f"{row['ra_deg']:.6f} {row['dec_deg']:.6f}"
        names = ("star_id", "source_id", "designation", "obsid_best", "obsid_max")
        for which in (degrees, *(str(row[name]) for name in names)):
            assert run.star(which).star.row["star_id"] == row["star_id"]
        # The name by position of another epoch.
        moved = f"{row['designation'][:-1]}{(int(row['designation'][-1]) + 1) % 10}"
        assert run.star(moved).star.row["star_id"] == row["star_id"]


def test_its_row_its_spectra_and_its_place_are_printed(run, rows):
    row = rows[0]
    page = run.star(row["source_id"])
    spectra = run.sql(
        "SELECT obsid, p_b FROM spectra WHERE star_id = $s ORDER BY mjd_utc", {"s": row["star_id"]}
    )
    assert [one["obsid"] for one in page.star.spectra] == spectra["obsid"].to_list()
    text = str(page)
    for name in STARS.names:
        assert name in text
    for obsid, p_b in zip(spectra["obsid"], spectra["p_b"], strict=True):
        line = next(line for line in text.splitlines() if line.lstrip().startswith(str(obsid)))
        assert f" {p_b:.3f} " in line
    assert f"(G-Ks)0 = {row['g_ks_0']:.3f}, M_G = {row['m_g']:.3f}" in text
    assert page.star.excess_mag == pytest.approx(row["delta_m_g"])
    # Beyond the sample the catalogue has no excess: the ridge gives about the same.
    computed = replace(page.star, row=page.star.row | {"delta_m_g": None}).excess_mag
    assert computed == pytest.approx(row["delta_m_g"], abs=0.1)


def test_the_figure_shows_what_the_network_read(run, rows, tmp_path):
    import matplotlib as mpl

    mpl.use("agg")
    obsid = rows[0]["obsid_max"]
    figure = run.plot.star(obsid)
    flux, normal, colours, diagram, epochs = figure.axes
    assert f"obsid {obsid}" in figure.get_suptitle()
    assert (len(flux.lines), len(normal.collections)) == (2, 1)
    assert diagram.yaxis_inverted()
    assert len(epochs.collections[0].get_offsets()) == rows[0]["n_spectra"]
    assert "logit" in colours.get_ylabel()
    logit = run.sql("SELECT logit FROM spectra WHERE obsid = $o", {"o": obsid})["logit"].item()
    assert f"logit of the network {logit:+.2f}" in normal.get_title()
    mpl.pyplot.close(figure)
    seen = run.normalised(obsid=obsid).isel(row=0)
    one = read_spectrum(
        run.root.store, int(seen["row"]), float(seen["rv_kms"]), run._spectra_settings()
    )
    np.testing.assert_array_equal(one.normal_L, seen["flux"])
    np.testing.assert_array_equal(one.bad_L, seen["bad"])
    assert (one.continuum_L > 0).all()
    path = run.star(obsid).save(tmp_path / "star.pdf")
    assert path.read_bytes().startswith(b"%PDF")


def test_several_stars_are_listed_and_none_says_how_far_the_nearest_is(run, rows):
    place = f"{rows[0]['ra_deg']} {rows[0]['dec_deg']}"
    found = open_page(run.root, place, 3600)
    assert len(found) > 1
    assert found[0].star_id == rows[0]["star_id"]
    distances = [match.separation_arcsec for match in found]
    assert distances == sorted(distances) and distances[-1] <= 3600
    with pytest.raises(InputError, match=f"{len(found)} stars fit .*{found[1].star_id}"):
        run.star(place, 3600)
    away = f"{rows[0]['ra_deg']} {rows[0]['dec_deg'] + 60 / 3600}"
    with pytest.raises(InputError, match=r"no star within 5 arcsec of .* at (\d|[1-5]\d|60)\.\d"):
        run.star(away)


def test_what_cannot_be_found_is_said(run, tmp_path):
    with pytest.raises(InputError, match="no star has the source_id or obsid 7"):
        run.star(7)
    with pytest.raises(InputError, match="no star is named M31; .* not asked"):
        run.star("M31")
    with pytest.raises(InputError, match="above 0"):
        run.star("10 20", -1)
    with pytest.raises(NotReadyError, match="run `pairspec catalogue"):
        open_page(Root(tmp_path), "10 20")
    left_out = run.sql(
        "SELECT obsid FROM observations WHERE quality & 3 = 0 AND row NOT IN "
        "(SELECT row FROM predictions) LIMIT 1"
    )
    with pytest.raises(InputError, match="has no prediction.*infer --all"):
        run.star(left_out["obsid"].item())


def test_another_network_does_not_explain_p_b(finished, run, rows, tmp_path):
    other = pairspec.open(finished.root, models=[tmp_path])
    page = other.star(rows[0]["source_id"])
    assert page.network_note == (
        f"there is no network in {tmp_path}; name the folder of that of p_b by --model"
    )
    assert run.star(rows[0]["source_id"]).network_note is None
    assert page.save(tmp_path / "a.png").is_file()


def test_the_command(finished, rows, tmp_path):
    out = tmp_path / "one.png"
    arguments = ["star", str(rows[0]["source_id"]), "--root", str(finished.root)]
    done = CliRunner().invoke(app, [*arguments, "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"figure -> {out}\n")
    assert out.read_bytes().startswith(b"\x89PNG")
    inside = Path(finished.root) / "catalogue" / "one.png"
    for path, message in ((inside, "into the run"), (tmp_path / "a.txt", "must end in .png")):
        done = CliRunner().invoke(app, [*arguments, "-o", str(path)])
        assert done.exit_code == 1
        assert message in done.output
    place = f"{rows[0]['ra_deg']} {rows[0]['dec_deg']}"
    done = CliRunner().invoke(app, ["star", place, "--radius", "3600", *arguments[2:]])
    assert done.exit_code == 0
    assert "stars fit; name one:" in done.output and rows[0]["star_id"] in done.output


def test_bits_in_words():
    assert words(None) == words(0) == "-"
    assert words(32768 | 128) == "too many bad pixels, seen in training"
    assert words(5, PhotometryFlag) == "no gaia, blended"
