"""Stars of the public LAMOST files: found by position, seen again, whatever their p_b."""

import pandas as pd
import pytest

import pairspec
from pipeline.core.errors import InputError
from pipeline.network.card import ModelCard
from pipeline.network.checkpoint import save_model
from pipeline.network.model import build_model
from pipeline.settings.load import load_settings
from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.grid import WaveGrid
from pipeline.stages import run_stage
from tests.networks import TWO_BLOCKS

KIC_8098300 = (292.05872, 43.925228)
KIC_8098300_FILE = "spec-57287-KP193637N444141V03_sp10-161.fits.gz"


@pytest.fixture(scope="module")
def run(real_data, client, tmp_path_factory):
    """The repeats of DR8 and a binary in Kepler's field, by a network of random weights."""
    folder = tmp_path_factory.mktemp("real")
    spectra = folder / "spectra"
    repeats = pd.read_csv(real_data / "tables" / "dr8_repeat_observations.csv")
    wanted = {*(name.rpartition("/")[2] for name in repeats["combined_file"]), KIC_8098300_FILE}
    for path in sorted((real_data / "spectra").rglob("spec-*")):
        if path.name in wanted:
            link = spectra / path.relative_to(real_data / "spectra")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    inputs = {"spectra": spectra}
    settings = load_settings(None, ["infer.scope=all"], root=folder / "run", inputs=inputs)
    run_stage("ingest", settings, client)
    n_pixel = WaveGrid.from_settings(SpectraSettings()).n_pixel
    card = ModelCard(
        network=TWO_BLOCKS, n_pixel=n_pixel, spectra=SpectraSettings(), data="none", split_seed=0
    )
    save_model(settings.root / "model", build_model(TWO_BLOCKS, n_pixel, 1).eval(), card)
    for stage in ("infer", "catalogue"):
        run_stage(stage, settings, client)
    return pairspec.open(settings.root)


def test_a_published_eclipsing_binary_is_found_by_position(run):
    ra, dec = KIC_8098300
    page = run.star(f"{ra} {dec}")
    assert page.star.separation_arcsec < 1
    assert 0 < page.star.row["p_b"] < 1
    assert [one["path"].rpartition("/")[2] for one in page.star.spectra] == [KIC_8098300_FILE]
    assert KIC_8098300_FILE in str(page)
    assert run.star("19:28:14.1 +43:55:31").star.row == page.star.row
    assert run.star("359910161").star.row == page.star.row
    with pytest.raises(InputError, match="no star within 5 arcsec .* the nearest is .* arcmin"):
        run.star(f"{ra + 0.1} {dec}")


def test_repeats_are_one_star_each_with_a_largest_difference_of_velocity(run, real_data):
    repeats = pd.read_csv(real_data / "tables" / "dr8_repeat_observations.csv")
    spectra = run.sql("SELECT obsid, star_id FROM spectra WHERE obsid IS NOT NULL")
    spectra["obsid"] = spectra["obsid"].astype("int64")
    both = repeats.merge(spectra, left_on="combined_obsid", right_on="obsid")
    seen = both.groupby("GroupID")["star_id"]
    assert set(seen.nunique()) == {1}
    assert both["star_id"].nunique() == both["GroupID"].nunique()
    again = seen.first()[seen.size() > 1]
    assert len(again) > 50
    stars = run.sql("SELECT star_id, n_rv, n_spectra_all, delta_rv_max_kms FROM stars")
    stars = stars.set_index("star_id").loc[again.to_numpy()]
    assert (stars["n_spectra_all"] > 1).all()
    velocities = stars["n_rv"] > 1
    assert velocities.sum() > 50
    assert (stars["delta_rv_max_kms"][velocities] >= 0).all()
    assert stars["delta_rv_max_kms"][~velocities].isna().all()
