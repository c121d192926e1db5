"""Workers that leave the telling of an error to the command, which says it in one line."""

import logging

from distributed import Worker, WorkerPlugin


class QuietWorker(WorkerPlugin):
    """Keeps a worker from printing the traceback of every try of a task."""

    name = "pairspec-quiet"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 (Dask's own signature)
        """Raise the level of the worker's log."""
        logging.getLogger("distributed.worker").setLevel(logging.CRITICAL)
