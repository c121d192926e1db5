"""The sample: named cuts and what each of them costs."""
