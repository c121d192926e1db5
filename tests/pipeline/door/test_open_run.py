"""A finished run through the door, beside the files of the run."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import pairspec
from pipeline.core.errors import InputError
from schemas.catalogue import PREDICTIONS, STARS
from schemas.quality import QualityFlag

pytestmark = [
    pytest.mark.xdist_group("finished"),
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.fixture(scope="module")
def run(finished):
    return pairspec.open(finished.root)


@pytest.fixture(scope="module")
def predictions(run):
    return pq.read_table(run.root.table(PREDICTIONS)).to_pandas().dropna(subset="p_b")


def test_spectra_are_lazy_and_have_their_p_b(run, predictions):
    spectra = run.spectra
    assert isinstance(spectra, xr.Dataset)
    assert spectra["flux"].chunks is not None
    stored = xr.open_zarr(run.root.store, consolidated=False)
    row = int(predictions["row"].iloc[3])
    np.testing.assert_array_equal(spectra["flux"][row], stored["flux"][row])
    assert float(spectra["p_b"][row]) == pytest.approx(predictions["p_b"].iloc[3])
    wave = run.wavelength(row)
    assert wave.size == int(stored["n_pixel"][row])
    assert 3600 < wave[0] < 3800
    assert np.ptp(np.diff(np.log10(wave))) < 1e-9


def test_own_arrays_get_the_p_b_that_infer_gave(run, predictions):
    """Stored spectra, handed over as a user hands over his own."""
    some = predictions.sort_values("row").iloc[::40].head(12)
    spectra = run.spectra.sel(row=some["row"].to_numpy()).compute()
    for number, expected in enumerate(some["p_b"]):
        one = spectra.isel(row=number)
        n = int(one["n_pixel"])
        wave = run.wavelength(int(some["row"].iloc[number]))
        rv = np.nan_to_num(float(one["rv_kms"]))
        answer = run.predict(one["flux"][:n], one["ivar"][:n], wave, rv_kms=rv)
        assert answer["p_b"].item() == pytest.approx(expected, abs=1e-5)
        unlike = bool(some["quality"].iloc[number] & QualityFlag.UNLIKE_TRAINING)
        assert answer["unlike_training"].item() == unlike


def test_spectra_unlike_the_training_ones_are_told(run):
    wave = 10 ** (3.568 + 1e-4 * np.arange(3900))
    emission = 1 + 3 * np.exp(-(((wave - 5007) / 40) ** 2))
    answer = run.predict(np.stack([emission, np.zeros_like(wave)]), None, wave, rv_kms=[0.0, 0.0])
    assert answer["unlike_training"].tolist() == [True, False]


def test_normalised_spectra_are_those_of_the_network(run, predictions):
    rows = predictions["row"].sort_values().to_numpy()[[0, 5, -1]]
    found = run.normalised(rows)
    assert found["flux"].chunks is not None
    assert found["row"].values.tolist() == rows.tolist()
    flux = found["flux"].where(~found["bad"]).compute()
    assert 0.9 < float(flux.median()) < 1.1
    obsid = int(found["obsid"][0])
    assert int(run.normalised(obsid=obsid)["row"][0]) == rows[0]
    obsids = found["obsid"].to_pandas()
    for several in (obsids, obsids.to_numpy(), obsids.tolist()):
        assert run.normalised(obsid=several)["row"].values.tolist() == rows.tolist()
    chosen = run.normalised(where="p_b > 0.5 -- likely pairs")
    assert chosen.sizes["row"] == (predictions["p_b"] > 0.5).sum()
    observed = run.normalised(rows[:1], frame="observed")
    assert not np.array_equal(observed["flux"], found["flux"][:1])


def test_tables_by_sql_as_dataframe_and_as_a_catalogue(run):
    stars = pq.read_table(run.root.table(STARS))
    assert run.sql("SELECT count(*) AS n FROM stars")["n"].item() == stars.num_rows
    lazy = run.table("stars")
    bright = lazy[lazy["p_b"] > 0.5][["star_id"]].compute()
    assert len(bright) == (stars["p_b"].to_pandas() > 0.5).sum()
    assert run.stars.hc_structure.catalog_info.total_rows == stars.num_rows


def test_figures_have_axes_and_units(run, predictions):
    import matplotlib as mpl

    mpl.use("agg")
    axes = run.plot.spectrum(int(predictions["obsid"].iloc[0]))
    assert "Angstrom" in axes.get_xlabel()
    assert f"{predictions['p_b'].iloc[0]:.2f}" in axes.get_title()
    assert run.plot.cmd().yaxis_inverted()
    named = run.plot.roc("validation").get_legend().get_texts()
    assert any(text.get_text().startswith("AUC") for text in named)
    assert run.plot.p_b().get_ylabel() == "stars per bin"
    mpl.pyplot.close("all")


def test_a_run_shows_what_it_holds(run):
    assert "catalogue" in repr(run)
    assert "<table>" in run._repr_html_()


def test_mistakes_are_named(run, tmp_path):
    with pytest.raises(InputError, match="no run at"):
        pairspec.open(tmp_path)
    with pytest.raises(InputError, match="no table galaxies; it has .*stars"):
        run.table("galaxies")
    with pytest.raises(InputError, match="by one of rows, obsid and where"):
        run.normalised()
    with pytest.raises(InputError, match="no spectrum has obsid 7"):
        run.normalised(obsid=7)
    with pytest.raises(InputError, match="wave_angstrom"):
        run.predict(np.ones(9))
    with pytest.raises(ValueError, match="velocity"):
        run.predict(np.ones(3000), None, 10 ** (3.57 + 1e-4 * np.arange(3000)))
    with pytest.raises(InputError, match="not allowed"):
        run.sql("DROP TABLE stars")
