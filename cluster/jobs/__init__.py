"""Batch jobs that hold workers: how they are written, submitted, looked after and removed."""
