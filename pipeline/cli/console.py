"""What every command has in common: settings, lock, engine, report, errors, exit codes."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.interrupt import ends_at_once

if TYPE_CHECKING:
    from pipeline.settings.load import Settings

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def errors(*, debug: bool) -> Iterator[None]:
    """Turn errors into one line and an exit code; ``--debug`` shows the traceback.

    Usage errors (unknown settings) exit with 2, all others with 1.

    Raises
    ------
    Exit
        With the exit code, after the error was printed.
    """
    from pipeline.settings.load import SettingsError

    try:
        yield
    except SettingsError as error:
        _fail(error, EXIT_USAGE, debug=debug)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 (the last stop of every error)
        _fail(error, EXIT_FAILED, debug=debug)


def _fail(error: Exception, code: int, *, debug: bool) -> None:
    if debug:
        raise error
    typer.echo(f"pairspec: {_words(error)}", err=True)
    raise typer.Exit(code) from None


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if isinstance(error, ValueError | RuntimeError | OSError):
        return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error}"


def require_folder(root: Path) -> None:
    """Require that the folder of a run is there.

    Parameters
    ----------
    root : pathlib.Path
        Root of the run.

    Raises
    ------
    InputError
        There is no such folder, or it is a file.
    """
    from pipeline.core.errors import InputError

    if not root.is_dir():
        what = f"{root} is a file" if root.exists() else f"there is no folder {root}"
        raise InputError(f"{what}; give the folder of a run by --root")


def require_writable(folder: Path) -> None:
    """Require that a folder can be written, or made where it is not there yet.

    Parameters
    ----------
    folder : pathlib.Path
        Folder that a stage writes to.

    Raises
    ------
    InputError
        It cannot, or it is a file.
    """
    from pipeline.core.errors import InputError

    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    if not there.is_dir():
        raise InputError(f"{there} is a file, where a folder is wanted; give another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"the folder {there} cannot be written; give another one")


@contextmanager
def says_where_space_is_missing(folder: Path) -> Iterator[None]:
    """Turn every form of the error of a full disk into one that says what to do.

    Parameters
    ----------
    folder : pathlib.Path
        Folder that the command writes to.

    Raises
    ------
    InputError
        A disk is full, or a quota or the largest size of a file is reached.
    """
    from pipeline.core.errors import InputError

    try:
        yield
    except Exception as error:
        # Python, zarr, pyarrow, DuckDB and the ranks of a gang have classes of their own for it.
        words = " ".join(str(error).split())
        if any(os.strerror(code) in words for code in _FULL):
            raise InputError(
                f"no space left to write below {folder}, or for temporary files ({words}); make "
                "room and run the same command again: what is finished is kept"
            ) from error
        raise


@contextmanager
def settings_of(
    config: Path | None,
    root: Path | None,
    overrides: list[str],
    *,
    debug: bool,
    **values: Any,
) -> "Iterator[Settings]":
    """Read the settings of a command, and turn what goes wrong with them into its exit code.

    Parameters
    ----------
    config, root, overrides
        As given on the command line.
    debug : bool
        Show tracebacks.
    **values
        Further top-level settings of the command line.

    Yields
    ------
    Settings
        Of the run.
    """
    with errors(debug=debug):
        from pipeline.settings.load import load_settings

        yield load_settings(config, overrides, root=root, **values)


@contextmanager
def run_of(
    config: Path | None, root: Path | None, overrides: list[str], *, debug: bool
) -> "Iterator[Settings]":
    """Read the settings of a command that asks about a run, whose folder must be there.

    Parameters
    ----------
    config, root, overrides
        As given on the command line.
    debug : bool
        Show tracebacks.

    Yields
    ------
    Settings
        Of the run.
    """
    with settings_of(config, root, overrides, debug=debug) as loaded:
        require_folder(loaded.root)
        yield loaded


def run_command(
    name: str,
    config: Path | None,
    root: Path | None,
    overrides: list[str],
    *,
    debug: bool,
    profile: bool = False,
    **values: Any,
) -> None:
    """Run one stage as a command: settings, inputs, lock of the root, workers, work, report.

    Parameters
    ----------
    name : str
        Name of the stage.
    config, root, overrides
        As given on the command line.
    debug : bool
        Show tracebacks.
    profile : bool
        Leave a report of tasks and time.
    **values
        Further top-level settings of the command line.
    """
    with (
        ends_at_once(),
        settings_of(config, root, overrides, debug=debug, **values) as all_settings,
    ):
        typer.echo(f"{name}: looking at the inputs", err=True)
        settings = all_settings.for_stage(name)
        start = time.monotonic()

        from pipeline.jobs.checks import check_walltime
        from pipeline.stages import check_stage, find_stage, run_stage, written_folder

        folder = written_folder(find_stage(name), settings)
        require_writable(folder)
        checked = check_stage(name, settings)
        check_walltime(name, settings)

        from cluster.connect import connect, serve
        from cluster.profile import profiled
        from cluster.window import threads_of
        from cluster.workers import most_memory
        from pipeline.cli.quiet import QuietWorker
        from pipeline.core.lock import root_lock
        from pipeline.core.pace import leave_record, pace_kept

        logs, page = folder / "logs" / "jobs", folder / "logs" / f"{name}-profile.html"
        serve(settings.cluster, logs)
        typer.echo(f"{name}: starting workers ({settings.cluster.kind})", err=True)
        with (
            says_where_space_is_missing(folder),
            root_lock(folder, name),
            connect(settings.cluster, logs) as client,
            profiled(page if profile else None),
            pace_kept(folder, name, lambda: (threads_of(client), most_memory(client))),
        ):
            if not debug:
                client.register_plugin(QuietWorker())
            report = run_stage(name, settings, client, checked)
        seconds = time.monotonic() - start
        if not report.idle:
            leave_record(folder, name, seconds)
        for line in report.lines():
            typer.echo(line)
        if profile:
            typer.echo(f"  -> {page}")
        typer.echo(f"  {seconds:.1f} s")
