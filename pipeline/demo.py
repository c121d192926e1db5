"""The demo: which stages run, and what makes it fit a laptop and a quarter of an hour."""

STAGES = (
    "ingest", "photometry", "sample.selection", "sample.labelling", "sample.compositing",
    "network", "inference", "validation", "catalogue", "report",
)  # fmt: skip
"""Modules of the stages after the simulation, in order."""

SHORT = (
    # Bright stars are near enough for the training sample: six in a hundred would be else.
    "simulate.survey.g_max=13.0",
    "composites.training_couples=6000",
    "composites.validation_couples=500",
    "composites.test_couples=500",
    # A few hundred labelled binaries teach little; composites of the singles teach more.
    "training.composite_share=0.65",
    # A falling learning rate instead of the paper's long training at 1e-4.
    "training.learning_rate=1e-3",
    "training.schedule='cosine'",
    "training.max_epochs=10",
)
"""Settings of the demo; the survey's settings file passes them on to the later stages."""
