"""One star of a run: its row, its spectra, its figure."""
