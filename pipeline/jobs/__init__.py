"""Stages in the queue of a cluster: what is submitted, what became of it, how it is taken back."""
