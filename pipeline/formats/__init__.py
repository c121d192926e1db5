"""Spectra of other surveys, brought into the shape of LAMOST's: one file per format."""
