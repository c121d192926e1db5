"""Which engine to connect to."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ClusterSettings(BaseModel):
    """The engine that runs the tasks."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["local", "inline"] = "local"
    """`local`: worker processes on this machine. `inline`: one thread of this process, for
    debugging."""

    workers: int = Field(0, ge=0)
    """Worker processes; 0 takes one a core."""

    memory_limit: str = "auto"
    """Memory of one worker, e.g. `2GiB`; `auto` shares the machine's memory."""

    dashboard_address: str | None = None
    """Where to serve Dask's dashboard, e.g. `:8787`; none by default."""

    retries: int = Field(2, ge=0)
    """How often a task is tried again when its worker is lost or it fails."""
