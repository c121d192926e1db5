"""The training sample: ridge, labels, mass ratios, split by star."""
