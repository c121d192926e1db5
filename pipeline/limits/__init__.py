"""Yardsticks: what an ideal observer and a template fit reach."""
