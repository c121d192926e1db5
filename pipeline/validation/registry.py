"""The list of validations, in the order in which they run."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.core.errors import InputError
from pipeline.core.run import Run
from pipeline.validation import (
    compare,
    completeness,
    eclipsing,
    false_positives,
    gaia,
    mass_ratio,
    paper_figures,
    planets,
    scores,
    velocities,
)
from pipeline.validation.injection import with_injections
from pipeline.validation.result import Result
from pipeline.validation.run_data import RunData


@dataclass(frozen=True)
class Validation:
    """One validation.

    Parameters
    ----------
    name : str
        Its name on the command line, and that of its folder.
    validate : callable
        From the data of a run to the result.
    needs : str
        Setting of the section ``inputs`` without which it is skipped; empty for none.
    uses : str
        Setting of that section that it can do without.
    prepare : callable, optional
        Work on the cluster that it needs done first; from the stage and its data to the data with
        what was made.
    """

    name: str
    validate: Callable[[RunData], Result]
    needs: str = ""
    uses: str = ""
    prepare: Callable[[Run, RunData], RunData] | None = None


VALIDATIONS = (
    Validation("scores", scores.validate),
    Validation("velocities", velocities.validate),
    Validation("gaia", gaia.validate, uses="gaia_evidence"),
    Validation("false_positives", false_positives.validate),
    Validation("mass_ratio", mass_ratio.validate),
    Validation("eclipsing", eclipsing.validate, "eclipsing"),
    Validation("planets", planets.validate, "planets"),
    Validation("compare", compare.validate, "compare"),
    Validation("training_cmd", paper_figures.training_cmd),
    Validation("counts", paper_figures.counts),
    Validation("sky", paper_figures.sky),
    Validation("distances", paper_figures.distances),
    Validation("cmd_density", paper_figures.cmd_density),
    Validation("completeness", completeness.validate, prepare=with_injections),
)


def chosen(names: Iterable[str]) -> tuple[Validation, ...]:
    """Return the validations of some names, in the order of the list; all for no names.

    Raises
    ------
    InputError
        There is no such validation.
    """
    wanted, known = set(names), [v.name for v in VALIDATIONS]
    for name in sorted(wanted - set(known)):
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise InputError(f"no validation {name}; {hint}")
    return tuple(v for v in VALIDATIONS if v.name in wanted or not wanted)
