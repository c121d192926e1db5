"""``python -m pipeline`` is the command ``pairspec``."""

from pipeline.cli.app import main

main()
