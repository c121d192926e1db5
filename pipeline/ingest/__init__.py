"""From files to the chunked store and the observations table."""
