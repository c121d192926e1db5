"""Dask's own configuration of batch jobs: none of it is taken silently."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any


@contextmanager
def only_ours(kind: str, notify: Callable[[str], None]) -> Iterator[None]:
    """Put dask-jobqueue's own defaults in the place of a user's, and say which are not used.

    Every default that matters is given anew by the settings.

    Parameters
    ----------
    kind : str
        Batch system.
    notify : callable
        Gets a sentence for each value of the user's, e.g. of ``~/.config/dask/jobqueue.yaml``.
    """
    import dask

    with as_file(files("dask_jobqueue") / "jobqueue.yaml") as path:
        (pristine,) = dask.config.collect_yaml([str(path)])
    defaults: dict[str, Any] = pristine["jobqueue"][kind]
    for key, value in dask.config.get(f"jobqueue.{kind}", {}).items():
        if value != defaults.get(key.replace("_", "-")):
            notify(
                f"jobqueue.{kind}.{key} = {value!r} of Dask's configuration is not used: "
                "say it below [cluster]"
            )
    with dask.config.set({f"jobqueue.{kind}": defaults}):
        yield
