"""All settings, one section per file."""
