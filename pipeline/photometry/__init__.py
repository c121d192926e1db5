"""From positions to Gaia and 2MASS sources, and from those to intrinsic brightness."""
