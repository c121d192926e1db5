"""Which spectra belong to the sample, and which of them train the network as what."""
