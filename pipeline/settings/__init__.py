"""All settings, one section a file."""
