"""The demo: which stages run, and what makes it fit a laptop and a quarter of an hour."""

STAGES = (
    "ingest", "photometry", "sample.selection", "sample.labelling", "network", "inference",
    "validation", "catalogue", "report",
)  # fmt: skip
"""Modules of the stages after the simulation, in order."""

SHORT = (
    "training.n_examples=12000",
    "training.max_epochs=12",
    "training.learning_rate=1e-3",
    "training.schedule='cosine'",
)
"""A short training with a falling learning rate instead of the paper's long one at 1e-4; the
survey's settings file passes it on to the later stages."""
