"""Which engine to connect to, and how large it is."""

import difflib
import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

Kind = Literal[
    "local",
    "inline",
    "address",
    "cuda",
    "slurm",
    "pbs",
    "lsf",
    "sge",
    "htcondor",
    "oar",
    "moab",
    "allocation",
]
KINDS: tuple[str, ...] = get_args(Kind)
QUEUES = ("slurm", "pbs", "lsf", "sge", "htcondor", "oar", "moab")
"""Kinds that submit batch jobs."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _known_kind(value: Any) -> Any:
    if isinstance(value, str) and value not in KINDS:
        (nearest,) = difflib.get_close_matches(value.lower(), KINDS, n=1, cutoff=0.0)
        raise ValueError(f"unknown kind; did you mean {nearest!r}? Kinds are {', '.join(KINDS)}")
    return value


def _from_text(value: Any) -> Any:
    """Read a list that comes from the environment, where it is JSON."""
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


Lines = Annotated[tuple[str, ...], BeforeValidator(_from_text)]
_SIZE = TypeAdapter(ByteSize)


class ClusterSettings(BaseModel):
    """The engine that runs the tasks."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Annotated[Kind, BeforeValidator(_known_kind)] = "local"
    """`local`: worker processes on this machine. `inline`: one thread of this process, for
    debugging. `address`: a Dask scheduler that runs already. `cuda`: one worker for each GPU of
    this machine. `slurm`, `pbs`, `lsf`, `sge`, `htcondor`, `oar`, `moab`: batch jobs. `allocation`:
    the tasks of the one SLURM job that the command runs in."""

    workers: int = Field(0, ge=0)
    """Worker processes on this machine, or in each batch job; 0 takes one a core."""

    memory_limit: str = "auto"
    """Memory of one worker on this machine, e.g. `2GiB`; `auto` shares the machine's memory. In a
    batch job the workers share `memory`."""

    dashboard_address: str | None = None
    """Where to serve Dask's dashboard, e.g. `:8787`; none by default. It is not encrypted and
    therefore only served on loopback."""

    retries: int = Field(2, ge=0)
    """How often a task is tried again when its worker is lost or it fails."""

    start_timeout: float = Field(0.0, ge=0)
    """Seconds to wait for the first worker; 0 waits for as long as the queue takes."""

    address: str | None = None
    """Address of the scheduler for `kind = "address"`, e.g. ``tls://node7:8786``."""

    tls_ca_file: Path | None = None
    """Certificate of the authority that signed the certificates, for `kind = "address"`."""

    tls_cert_file: Path | None = None
    """Certificate to show to the scheduler, for `kind = "address"`."""

    tls_key_file: Path | None = None
    """Key of that certificate, for `kind = "address"`."""

    interface: str | None = None
    """Network interface of the scheduler, the workers and the ranks of a training, e.g. `ib0`; by
    default the one of the route to the outside."""

    jobs: int = Field(1, ge=1)
    """Batch jobs with workers; a lost one is replaced."""

    partition: str | None = None
    """SLURM's partition, other systems' queue; by default the site's own."""

    account: str | None = None
    """Account or project that pays; by default the site's own."""

    cores: int = Field(1, ge=1)
    """Cores of each batch job."""

    memory: str = "4GB"
    """Memory of each batch job."""

    walltime: str = Field("12:00:00", pattern=r"^\d+:[0-5]\d:[0-5]\d$")
    """Time limit of each batch job, ``HH:MM:SS``."""

    margin: int = Field(600, ge=1)
    """Seconds before the time limit in which a job takes no new task: more than the longest task
    takes."""

    gpus: int = Field(0, ge=0)
    """GPUs of each batch job, one worker for each; 0 for workers on CPUs."""

    scratch: str = "${TMPDIR:-/tmp}"
    """Folder on the node's own disk for what workers put aside; the shell of the job expands
    `$VARIABLES` in it."""

    log_folder: Path | None = None
    """Folder of the jobs' logs, on a file system that the nodes share; by default
    `ROOT/logs/jobs`."""

    shared_folder: Path | None = None
    """Folder for the keys of the run, on a file system that the nodes share; by default the folder
    of the logs. The keys are removed at the end."""

    directives: Lines = ()
    """Further options of each batch job, e.g. `["--exclusive", "--constraint=avx2"]`."""

    prologue: Lines = ()
    """Lines of shell to run in each batch job before its workers, e.g. `["module load gcc"]`."""

    device_memory_limit: str = "default"
    """GPU memory from which a CUDA worker moves data to the host; Dask's own default, 0.8 of it."""

    ucx: bool = False
    """Let the CUDA workers of this machine talk by UCX, which does not encrypt."""

    rmm_pool_size: str | None = None
    """Size of RMM's memory pool on each GPU; torch has no use for one."""

    @property
    def walltime_s(self) -> int:
        """Time limit of a batch job, in seconds."""
        hours, minutes, seconds = map(int, self.walltime.split(":"))
        return 3600 * hours + 60 * minutes + seconds

    @property
    def memory_bytes(self) -> int:
        """Memory of a batch job, in bytes."""
        return _SIZE.validate_python(self.memory)

    @property
    def memory_mib(self) -> int:
        """Memory of a batch job, in MiB, rounded up."""
        return math.ceil(self.memory_bytes / 2**20)

    @property
    def walltime_hhmm(self) -> str:
        """Time limit of a batch job as LSF wants it, rounded up to whole minutes."""
        # LSF takes 12:00:00 for 12 minutes.
        hours, minutes = divmod(math.ceil(self.walltime_s / 60), 60)
        return f"{hours:02d}:{minutes:02d}"

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse what would fail only after something was started.

        Raises
        ------
        ValueError
            Settings that are not possible, or not together; it names them.
        """
        for name in ("memory", "memory_limit", "rmm_pool_size"):
            value = getattr(self, name)
            if value not in (None, "auto"):
                try:
                    _SIZE.validate_python(value)
                except ValidationError:
                    raise ValueError(f"{name} = {value!r} is no size such as '8GB'") from None
        host = (self.dashboard_address or "").rpartition(":")[0].strip("[]")
        if host and host not in LOOPBACK:
            raise ValueError(
                f"dashboard_address = {self.dashboard_address!r} would show the dashboard to "
                "everybody; give ':PORT' and tunnel to it with ssh -L"
            )
        if self.kind == "address" and not self.address:
            raise ValueError("kind = 'address' needs address, e.g. 'tls://node7:8786'")
        if self.kind in QUEUES:
            if self.walltime_s < 2 * self.margin:
                raise ValueError(
                    f"walltime = {self.walltime!r} is less than twice the margin of {self.margin} "
                    "s that a task may take: raise walltime, or lower margin if tasks are shorter"
                )
            if self.workers > self.cores:
                raise ValueError(f"workers = {self.workers} need as many cores, not {self.cores}")
        return self
