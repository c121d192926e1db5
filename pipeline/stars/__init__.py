"""Stellar physics: templates, isochrones, orbits, masses, sums of components."""
