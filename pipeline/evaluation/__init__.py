"""How good the network is on held-out stars, compared with the paper."""
