"""From the store to one probability a spectrum."""
