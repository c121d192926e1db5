"""One call of ``pairspec acquire``: what is asked for, and what comes of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.acquire.downloader import Downloader, Summary, summarise
from pipeline.acquire.journal import Status
from pipeline.acquire.plan import LEDGER, Plan, freeze
from pipeline.acquire.reasons import Reason
from pipeline.acquire.secret import Secret
from pipeline.acquire.transfer import Kind, Wanted
from pipeline.settings.acquire import AcquireSettings
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.photometry import PhotometrySettings

CATALOGUES = "catalogues"
RUN = "run"
"""Root of the run that the settings file names."""
TO_STORE = "to-store.json"
"""Layout of the store that was written without files, in the folder of the ledgers."""
_WORDS = 160
_LOGIN = {Reason.TOKEN_REFUSED, Reason.NO_PERMISSION, Reason.HTML}
_WHO = (
    "the archive asks who you are: set LAMOST_TOKEN to the token of your account at lamost.org, "
    "then run the same command with --again"
)
AGAIN = "run the same command again for the files that failed"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Parameters
    ----------
    out : pathlib.Path
        Folder that everything goes to.
    settings : AcquireSettings
        Where data come from, and how they are asked for.
    secret : Secret
        Token of the archive.
    name : str
        Which catalogue, where there are several.
    where : str, optional
        Condition on the catalogue, in SQL.
    obsids : pathlib.Path, optional
        List of spectra.
    cone : str, optional
        ``RA,DEC,RADIUS`` in degrees.
    limit : int, optional
        Most spectra.
    dry_run : bool
        Ask for nothing; say how much there is to do.
    again : bool
        Ask once more for what was refused by an earlier run.
    to_store : bool
        Put spectra into the store as they come, and keep no files.
    skip_failed : bool
        Of these, leave out those that failed.
    ingest : IngestSettings
        Layout of the store.
    tap : bool
        Gaia and 2MASS by a TAP service, not from a HATS catalogue.
    photometry : PhotometrySettings
        How far from an observation its source may be.
    """

    out: Path
    settings: AcquireSettings
    secret: Secret = field(default_factory=Secret)
    name: str = "LRS_stellar"
    where: str | None = None
    obsids: Path | None = None
    cone: str | None = None
    limit: int | None = None
    dry_run: bool = False
    again: bool = False
    to_store: bool = False
    skip_failed: bool = False
    ingest: IngestSettings = field(default_factory=IngestSettings)
    tap: bool = False
    photometry: PhotometrySettings = field(default_factory=PhotometrySettings)

    def scratch(self) -> Path:
        """Return a folder for what does not fit into memory."""
        folder = self.out / LEDGER
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def catalogue(self, ending: str, name: str | None = None) -> Path:
        """Return the path of one of LAMOST's catalogues."""
        file = f"{self.settings.release}_{name or self.name}{ending}"
        return self.out / CATALOGUES / file


@dataclass
class Outcomes:
    """What came of a request.

    Parameters
    ----------
    lines : list of str
        What is shown.
    n_missing, n_failed : int
        Files that are not there, and those of them that may be had by the next run.
    """

    lines: list[str] = field(default_factory=list)
    n_missing: int = 0
    n_failed: int = 0


def fetch(
    request: Request,
    kind: Kind,
    wanted: Iterable[Wanted],
    typical_bytes: int | None = None,
    *,
    downloader: Downloader | None = None,
    requests_each: int = 1,
) -> Outcomes:
    """Fetch a list of files, or say how much there is to do.

    Parameters
    ----------
    request : Request
        What is asked for.
    kind : Kind
        What the files have in common.
    wanted : iterable of Wanted
        The files.
    typical_bytes : int, optional
        Size of one, for a dry run.
    downloader : Downloader, optional
        Fetches them, where that takes more than a request.
    requests_each : int
        Requests that one takes, for a dry run.
    """
    settings = request.settings
    plan = freeze(request.out, kind.name, wanted, settings.batch_rows)
    downloader = downloader or Downloader(settings, request.secret, again=request.again)
    if request.dry_run:
        todo = downloader.pending(plan)
        return forecast(plan, todo, settings.rate_per_s, typical_bytes, requests_each)
    return shown(plan, downloader.run(plan, kind), private=kind.private)


def forecast(
    plan: Plan,
    todo: int,
    rate_per_s: float,
    typical_bytes: int | None,
    requests_each: int = 1,
) -> Outcomes:
    """Say how much there is to do.

    Parameters
    ----------
    plan : Plan
        The list.
    todo : int
        Files to be asked for.
    rate_per_s : float
        Requests per second.
    typical_bytes : int, optional
        Size of one, where none is there yet.
    requests_each : int
        Requests that one takes.
    """
    there = summarise(plan)
    n_there = there.counts[Status.FETCHED] + there.counts[Status.PRESENT]
    size = there.n_bytes / n_there if n_there else typical_bytes
    hours = todo * requests_each / rate_per_s / 3600
    about = [] if size is None else [f"  about                 {size_text(todo * size):>12}"]
    return Outcomes(
        [
            f"  files                 {plan.n_files:>12,}",
            f"  to be asked for       {todo:>12,}",
            *about,
            f"  at least              {hours:>10.1f} h   ({rate_per_s:g} requests per second)",
        ]
    )


def shown(plan: Plan, summary: Summary, note: str = AGAIN, *, private: bool = False) -> Outcomes:
    """Say what became of the files of a list.

    Parameters
    ----------
    plan : Plan
        The list.
    summary : Summary
        What became of them.
    note : str
        What to do about files that failed.
    private : bool
        The token was sent.
    """
    failed = summary.counts[Status.FAILED]
    lines = [*_shown(plan, summary), *([f"  note: {note}"] if failed else [])]
    if private and _LOGIN & set(summary.reasons):
        lines.append(f"  note: {_WHO}")
    return Outcomes(lines, summary.n_missing, failed)


def _shown(plan: Plan, summary: Summary) -> Iterator[str]:
    yield f"  files                 {plan.n_files:>12,}"
    for status, count in summary.counts.items():
        if count:
            yield f"    {status:<20}{count:>12,}"
    for reason, count in sorted(summary.reasons.items()):
        yield f"      {reason:<18}{count:>12,}   {summary.details[reason][:_WORDS]}"
    yield f"  size                  {size_text(summary.n_bytes):>12}"
    yield f"  -> {plan.folder / 'results.parquet'}"


def size_text(n_bytes: float) -> str:
    """Return a size as people write it."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} B" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"
