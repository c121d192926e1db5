import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.selection.cuts import cut_bits, make_cuts
from pipeline.settings.sample import SampleSettings
from schemas.quality import CutFlag

CUTS = make_cuts(SampleSettings())
INSIDE = {"teff_k": 5500.0, "logg": 4.5, "g_ks_0": 2.0, "snr_g": 50.0, "parallax_mas": 5.0,
          "m_g": 6.0}  # fmt: skip
LIMITS = [(cut, limit, side) for cut in CUTS for limit, side in ((cut.low, 1), (cut.high, -1))
          if limit is not None]  # fmt: skip


def frame_of(dtype, **columns):
    n = max(len(v) for v in columns.values())
    filled = {name: np.full(n, value, dtype) for name, value in INSIDE.items()}
    return pd.DataFrame(filled | {k: np.asarray(v, dtype) for k, v in columns.items()})


def passes(cut, frame):
    return cut.within(frame, cut.missing(frame))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("cut", "limit", "inward"), LIMITS, ids=lambda x: getattr(x, "column", x))
def test_a_value_at_a_limit_is_out_and_its_neighbours_decide(cut, limit, inward, dtype):
    exact = np.dtype(dtype).type(limit)
    inner = np.nextafter(exact, exact.dtype.type(inward * np.inf))
    outer = np.nextafter(exact, exact.dtype.type(-inward * np.inf))
    frame = frame_of(dtype, **{cut.column: [outer, exact, inner]})
    assert passes(cut, frame).tolist() == [False, False, True]
    assert not cut.missing(frame).any()


@settings(max_examples=300)
@given(
    data=st.data(),
    cut=st.sampled_from(CUTS),
    width=st.sampled_from([32, 64]),
)
def test_the_cut_is_the_open_interval_at_the_precision_of_the_column(data, cut, width):
    dtype = np.dtype(f"float{width}").type
    edges = [float(dtype(x)) for x in (cut.low, cut.high) if x is not None]
    value = data.draw(
        st.one_of(
            st.floats(width=width),
            st.sampled_from([*edges, -9999.0, -999.0, 99.0]),
            st.sampled_from(edges).flatmap(
                lambda e: st.integers(-3, 3).map(lambda k: float(dtype(e) + dtype(k * 1e-7 * e)))
            ),
        )
    )
    frame = frame_of(dtype, **{cut.column: [value]})
    possible = cut.column in ("snr_g", "parallax_mas")
    missing = not np.isfinite(value) or value in (-9999.0, -999.0, *(() if possible else (99.0,)))
    above = cut.low is None or dtype(value) > dtype(cut.low)
    below = cut.high is None or dtype(value) < dtype(cut.high)
    assert cut.missing(frame).tolist() == [missing]
    assert passes(cut, frame).tolist() == [bool(not missing and above and below)]


def test_no_missing_value_passes_even_a_cut_that_it_would_satisfy():
    open_cuts = make_cuts(
        SampleSettings(teff_min_k=-1e5, logg_min=-1e5, snr_g_min=-1e5, colour_min=-1e5,
                       training_parallax_min_mas=-1e5, training_m_g_min=-1e5)
    )  # fmt: skip
    for cut in open_cuts:
        holes = [np.nan, np.inf, -np.inf, -9999.0, -999.0]
        if cut.column not in ("snr_g", "parallax_mas"):
            holes.append(99.0)
        frame = frame_of("float32", **{cut.column: holes})
        assert cut.missing(frame).all()
        assert not passes(cut, frame).any()


def test_an_s_n_or_a_parallax_of_99_is_one():
    for cut in CUTS:
        if cut.column in ("snr_g", "parallax_mas"):
            assert passes(cut, frame_of("float32", **{cut.column: [98.9, 99.0]})).all()


def test_bits_name_the_cuts_and_are_the_same_on_dask():
    frame = frame_of(
        "float32",
        teff_k=[5500, 3800, np.nan, 5500, 7000],
        m_g=[6, 6, 99, 3, 3],
        snr_g=[50, 50, 50, 50, 20],
    )
    bits = cut_bits(frame, CUTS)
    t, m, s = int(CutFlag.TEFF), int(CutFlag.M_G), int(CutFlag.SNR_G)
    assert bits["failed"].tolist() == [0, t, t | m, m, t | m | s]
    assert bits["missing"].tolist() == [0, 0, t | m, 0, 0]
    lazy = cut_bits(dd.from_pandas(frame, npartitions=2), CUTS)
    pd.testing.assert_frame_equal(lazy.compute(), bits)


def test_conditions_read_like_the_paper():
    assert [cut.condition for cut in CUTS] == [
        "3800 < teff_k < 6500", "4 < logg", "1.5 < g_ks_0 < 2.6", "20 < snr_g",
        "3 < parallax_mas", "4 < m_g",
    ]  # fmt: skip


def test_limits_that_leave_nothing_are_refused():
    with pytest.raises(ValidationError, match="colour limits leave nothing"):
        SampleSettings(colour_min=2.6, colour_max=2.6)
