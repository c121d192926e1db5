"""What is written: the schema of every table and the template of the spectra store."""
