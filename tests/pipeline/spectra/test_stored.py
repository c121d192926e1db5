import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from pipeline.settings.spectra import SpectraSettings
from pipeline.spectra.stored import ARRAYS, StoredBlock, prepare, read_blocks

N_ROW, N_PIXEL = 40, 3920


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(3)
    flux = rng.normal(100, 5, (N_ROW, N_PIXEL)).astype(np.float32)
    ivar = (rng.random(flux.shape) > 0.01).astype(np.float32)
    dims = ("row", "pixel")
    whole = xr.Dataset(
        {
            "flux": (dims, flux),
            "ivar": (dims, ivar),
            "log10_first": ("row", np.full(N_ROW, 3.5682)),
            "n_pixel": ("row", np.full(N_ROW, 3909, np.int32)),
        }
    )
    path = tmp_path_factory.mktemp("store") / "s.zarr"
    chunks = {"flux": {"chunks": (8, N_PIXEL)}, "ivar": {"chunks": (8, N_PIXEL)}}
    whole.to_zarr(path, zarr_format=3, consolidated=False, encoding=chunks)
    return xr.open_zarr(path, consolidated=False, chunks=None)


def frame(rows):
    return pd.DataFrame({"row": rows, "rv_kms": np.linspace(-90, 90, len(rows))}).convert_dtypes(
        dtype_backend="pyarrow"
    )


@pytest.mark.parametrize(
    "rows",
    [range(N_ROW), range(3, 21), [0], [39], [0, 39], [7, 8], range(0, N_ROW, 5), [1, 2, 17, 30]],
    ids=str,
)
def test_blocks_hold_the_wanted_rows_in_order(store, rows):
    rows = list(rows)
    blocks = list(read_blocks(store, frame(rows), 8))
    assert all(0 < len(b.rows) <= 8 for b in blocks)
    assert [r for b in blocks for r in b.rows["row"]] == rows
    for name in ARRAYS:
        read = np.concatenate([b.arrays[name] for b in blocks])
        np.testing.assert_array_equal(read, store[name].to_numpy()[rows])


def test_few_rows_of_many_chunks_share_a_block(store):
    assert len(list(read_blocks(store, frame([0, 9, 18, 27, 36]), 8))) == 1


def test_a_store_that_cannot_be_read_is_an_error_not_a_hang(store):
    with pytest.raises(KeyError):
        list(read_blocks(store.drop_vars("ivar"), frame([1, 2]), 8))


def test_blocks_are_the_same_on_a_device(store):
    (block,) = read_blocks(store, frame(range(8)), 8)
    for settings in (SpectraSettings(), SpectraSettings(frame="observed")):
        on_host = prepare(block, settings, None)
        on_device = prepare(block, settings, torch.device("cpu"))
        assert isinstance(on_host.flux_BL, np.ndarray)
        assert isinstance(on_device.flux_BL, torch.Tensor)
        np.testing.assert_allclose(on_device.flux_BL.numpy(), on_host.flux_BL, atol=1e-5)
        np.testing.assert_array_equal(on_device.bad_BL.numpy(), on_host.bad_BL)


def test_the_velocity_moves_the_spectrum_and_a_missing_one_does_not(store):
    (block,) = read_blocks(store, frame([4, 5]), 8)
    still = prepare(block, SpectraSettings(frame="observed"), None)
    missing = StoredBlock(block.rows.assign(rv_kms=pd.array([None, 50.0], "float[pyarrow]")),
                    block.arrays)  # fmt: skip
    moved = prepare(missing, SpectraSettings(), None)
    np.testing.assert_array_equal(moved.flux_BL[0], still.flux_BL[0])
    assert np.abs(moved.flux_BL[1] - still.flux_BL[1]).max() > 0.01
