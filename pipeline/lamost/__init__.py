"""The survey's files: bytes to Spectrum, names, catalogues."""
