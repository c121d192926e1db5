"""The manifest and the Zarr store of spectra."""
