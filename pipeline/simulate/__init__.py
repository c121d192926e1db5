"""A synthetic survey in the real formats, with known truth."""
