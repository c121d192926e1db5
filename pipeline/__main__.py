"""``python -m pipeline`` is the command ``pairspec``."""

from pipeline.cli import main

main()
