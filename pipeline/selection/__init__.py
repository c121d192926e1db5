"""The sample: named cuts and how many spectra each removes."""
