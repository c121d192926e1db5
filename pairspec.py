"""One import for notebooks and scripts.

Examples
--------
>>> import pairspec
>>> run = pairspec.open("demo/run")
>>> run.sql("SELECT star_id, p_b FROM stars ORDER BY p_b DESC LIMIT 10")  # doctest: +SKIP
>>> run.normalised(where="p_b > 0.9")  # doctest: +SKIP
>>> run.predict(flux, ivar, wave_angstrom, rv_kms=12.0)  # doctest: +SKIP
"""

from collections.abc import Sequence
from pathlib import Path

from pipeline.door.open_run import OpenRun

__all__ = ["OpenRun", "open"]


def open(root: str | Path, models: Sequence[str | Path] = ()) -> OpenRun:  # noqa: A001
    """Open a run for reading.

    Parameters
    ----------
    root : str or pathlib.Path
        Root of the run, e.g. ``demo/run``.
    models : sequence of str or pathlib.Path, optional
        Networks of an ensemble; by default the run's own network.

    Returns
    -------
    OpenRun
        Its spectra, tables, network and figures. Nothing is read before it is asked for.

    Raises
    ------
    InputError
        There is no run.
    """
    return OpenRun(Path(root), tuple(Path(model) for model in models))
