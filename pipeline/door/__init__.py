"""A run in Python: what ``import pairspec`` gives."""
