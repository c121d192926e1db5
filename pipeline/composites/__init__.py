"""Sums of real spectra: training examples with a known answer."""
