"""From stored spectra to network input: pure functions on arrays."""
