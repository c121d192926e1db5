"""The published results, to compare ours with."""

from types import MappingProxyType

PAPER = MappingProxyType(
    {
        "auc": 0.949,
        "tpr_at_0.8": 0.73,
        "singles_below": 0.955,
        "precision_at_0.5": 0.79,
        "precision_at_0.8": 0.89,
        "fpr_at_0.8": 0.045,
    }
)
"""Jing et al. 2025 (ApJS 277, 15) on their test part, precision for binaries : singles = 1 : 2.

``singles_below`` is printed as the share of singles with p_b < 0.2; only the reading p_b < 0.8
agrees with the precisions [derived], and gives ``fpr_at_0.8``.
"""
