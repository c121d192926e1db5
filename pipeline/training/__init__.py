"""The stage that trains: examples made in parallel, then one gang of ranks."""
