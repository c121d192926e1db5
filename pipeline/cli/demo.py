"""The demo: which stages run, and what makes it fit a laptop and a quarter of an hour."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.cli.console import EXIT_INTERRUPTED
from pipeline.stages import STAGES

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
    # Few examples are soon learned by heart.
    "training.optimizer='adamw'",
    "training.weight_decay=1.0",
)
"""Settings of the demo; the survey's settings file passes them on to the later stages."""

FEW_STARS = 2000
SMALL = (
    # Giants, hot and distant stars would leave too few for the ridge.
    "simulate.survey.g_max=12.0",
    "simulate.survey.giant_fraction=0.0",
    "simulate.survey.hot_fraction=0.0",
    "sample.colour_min=1.1",
    # Among a few validation stars there need not be twins.
    "composites.training_couples=0",
    "composites.validation_couples=0",
    "composites.test_couples=0",
    "training.composite_share=0.0",
)
"""What else a survey of fewer than `FEW_STARS` needs to reach its end."""


def demo_settings(n_stars: int) -> tuple[str, ...]:
    """Return the demo's settings for a survey of so many stars, as ``section.key=value``."""
    return SHORT + SMALL if n_stars < FEW_STARS else SHORT


def run_stages(config: Path, overrides: Sequence[str]) -> int:
    """Run the stages on a simulated survey, each as a user does: in a process of its own.

    Parameters
    ----------
    config : pathlib.Path
        Settings file of the survey.
    overrides : sequence of str
        ``section.key=value``, for every stage.

    Returns
    -------
    int
        Exit code of the first stage that failed, else 0.
    """
    for stage in STAGES:
        if stage.name == "simulate":
            continue
        try:
            done = subprocess.run(stage_command(stage.name, config, overrides), check=False)
        except KeyboardInterrupt:
            # The stage got the signal, too, and has said so.
            return EXIT_INTERRUPTED
        if done.returncode:
            return done.returncode
    return 0


def stage_command(
    stage: str, config: Path, overrides: Sequence[str], root: Path | None = None
) -> list[str]:
    """Return the command that runs one stage with this interpreter.

    Parameters
    ----------
    stage : str
        Name of the stage.
    config : pathlib.Path
        Settings file.
    overrides : sequence of str
        ``section.key=value``.
    root : pathlib.Path, optional
        Other root than that of the settings file.
    """
    command = [sys.executable, "-m", "pipeline", stage, "--config", str(config)]
    if root is not None:
        command += ["--root", str(root)]
    return command + [part for text in overrides for part in ("--set", text)]
