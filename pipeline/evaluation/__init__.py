"""The network on held-out stars, beside the paper."""
