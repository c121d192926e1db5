"""``pairspec validate``: the catalogue beside what is known of its stars from elsewhere."""

from pathlib import Path

import pyarrow as pa

from pipeline.core.atomic import write_parquet
from pipeline.core.errors import InputError, MismatchError
from pipeline.core.figures import styled
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_files
from pipeline.core.report import StageReport
from pipeline.core.root import Root
from pipeline.core.run import Run
from pipeline.network.card import CheckpointError
from pipeline.validation.injection import injection_settings
from pipeline.validation.measure import HEADER
from pipeline.validation.registry import VALIDATIONS, chosen
from pipeline.validation.result import Result, write_result
from pipeline.validation.run_data import RunData
from schemas.validation import VALIDATION


def run(run: Run) -> StageReport:
    """Run the validations that are named, each recorded by itself, then gather all that are done.

    Parameters
    ----------
    run : Run
        Of it: ``validation``, ``inputs``, ``evaluate``.

    Returns
    -------
    StageReport
        The main numbers, beside the paper's and the truth.

    Raises
    ------
    InputError
        There is no validation of a name; or tables from elsewhere cannot be read, after all other
        validations have run.
    """
    settings, (catalogue,) = run.settings, run.needs()
    names = {one.name for one in chosen(settings.validation.names)}
    data = RunData(run.root, settings.inputs, settings.validation, settings.evaluate)
    counted = settings.validation.model_dump(mode="json", exclude={"names"})
    common = run.digest(
        catalogue, run.uses("labels"), run.uses("evaluation"), counted, settings.evaluate,
        _state(settings.inputs.truth),
    )  # fmt: skip
    done: dict[str, Done] = {}
    digests: dict[str, str] = {}
    errors: list[str] = []
    for one in VALIDATIONS:
        step = f"validate_{one.name}"
        feeds = one.needs or one.uses
        given = getattr(settings.inputs, feeds) if feeds else None
        more = injection_settings(settings) if one.prepare else []
        digest = run.digest(common, _state(given), more)
        if one.name not in names and run.is_pending(1, digest=digest, step=step):
            continue
        try:
            ready = one.prepare(run, data) if one.prepare else data
            done[one.name] = run.once(
                validate_one, one.name, ready, digest=digest, step=step, on_worker=True
            )
            digests[one.name] = digest
        except (CheckpointError, InputError, MismatchError) as error:
            errors.append(f"{one.name}: {error}")
    if errors:
        raise InputError(
            f"{'; '.join(errors)}. The other {len(done)} validations are in {folder_of(run.root)}"
        )
    whole = run.digest(digests)
    run.once(_gather, run.root, tuple(done), digest=whole)
    skipped = [name for name, one in done.items() if one.counts.get("skipped")]
    counts = {
        "done": len(done) - len(skipped),
        "skipped": len(skipped),
        "numbers": sum(one.counts.get("numbers", 0) for one in done.values()),
    }
    lines = (line for name, one in done.items() if one.table for line in (name, *one.table))
    return run.publish(
        whole,
        counts,
        notes=(note for one in done.values() for note in one.notes),
        outputs=(folder_of(run.root),),
        table=(HEADER, *lines),
    )


def folder_of(root: Root) -> Path:
    """Folder of all validations of a run."""
    return root.table(VALIDATION).parent


@styled()
def validate_one(name: str, data: RunData) -> Done:
    """Run one validation and write what it gives.

    Parameters
    ----------
    name : str
        Its name.
    data : RunData
        What it reads.

    Raises
    ------
    InputError
        A table from elsewhere cannot be read.
    """
    (one,) = chosen([name])
    if one.needs and getattr(data.inputs, one.needs) is None:
        result = Result(skipped=f"set inputs.{one.needs} to feed it")
    else:
        result = one.validate(data)
    return write_result(name, result, folder_of(data.root) / name)


def _gather(root: Root, names: tuple[str, ...]) -> Done:
    """Write one table of all numbers."""
    parts = [folder_of(root) / name / "table.parquet" for name in names]
    tables = [read_files([part], "validate") for part in parts if part.is_file()]
    whole = pa.concat_tables([VALIDATION.schema.empty_table(), *tables])
    write_parquet(root.table(VALIDATION), whole)
    return Done({"numbers": whole.num_rows}, (root.table(VALIDATION),))


def _state(path: Path | None) -> list[str | int]:
    """Return what tells one state of an input from another."""
    if path is None:
        return []
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    stats = [file.stat() for file in files if file.is_file()]
    return [str(path), *(value for stat in stats for value in (stat.st_size, stat.st_mtime_ns))]
