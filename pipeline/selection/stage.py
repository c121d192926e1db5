"""``pairspec select``: from all spectra with photometry to the sample, and what each cut costs."""

from functools import partial

from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.parquet import read_table
from pipeline.core.pieces import Pieces
from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.selection.cut_flow import cut_flow_lines, read_cut_flow
from pipeline.selection.cuts import make_cuts
from pipeline.selection.release import PAPER_RELEASE, is_the_papers
from pipeline.selection.shard import SelectionJob, read_candidates, select_partition
from pipeline.settings.load import Settings
from pipeline.store.manifest import open_manifest
from schemas.sample import CUT_FLOW, CUTS, SAMPLE


def run(run: Run) -> StageReport:
    """Apply the cuts, a partition of several shards at a time, and count their survivors.

    Parameters
    ----------
    run : Run
        Of it: ``sample``, ``tables``.

    Returns
    -------
    StageReport
        Spectra in and out, and the cut flow as a table.

    Raises
    ------
    MismatchError
        Counted observations and spectra that went through the cuts differ in number.
    """
    root = run.root
    observed, photometry = run.needs()
    digest = run.digest(observed, photometry, run.settings.sample)
    manifest = open_manifest(root.manifest)
    pieces = Pieces.of_rows(
        manifest.n_shards, manifest.shard_rows, run.settings.tables.unit_spectra
    )
    job = SelectionJob(root, run.settings.sample, pieces)
    counts = run.each_partition(
        partial(read_candidates, job=job),
        select_partition,
        len(pieces),
        job,
        # The same rows in other files are the same sample.
        digest=run.digest(digest, pieces.size),
        of="partitions",
        folders=(root.table(CUTS), root.table(SAMPLE)),
    )
    run.balance(observed.counts["valid"], counts["spectra"], "counted observations")
    beside_paper = is_the_papers(counts, run.settings)
    flow_digest = run.digest(digest, beside_paper)
    run.once(_write_cut_flow, run, beside_paper, digest=flow_digest, step="cut_flow")
    shown = {
        "spectra": counts["spectra"],
        "application sample": counts["sample"],
        "training sample": counts["training"],
    }
    return run.publish(
        digest,
        counts,
        shown=shown,
        notes=(_paper_note(counts, run.settings),),
        outputs=(root.table(SAMPLE), root.table(CUTS), root.table(CUT_FLOW)),
        table=cut_flow_lines(read_table(root.table(CUT_FLOW), CUT_FLOW)),
    )


def _write_cut_flow(run: Run, beside_paper: bool) -> Done:
    cuts, path = make_cuts(run.settings.sample), run.root.table(CUT_FLOW)
    write_parquet(path, read_cut_flow(run.root.table(CUTS), cuts, beside_paper=beside_paper))
    return Done({"cuts": len(cuts)}, (path,))


def _paper_note(counts: dict[str, int], settings: Settings) -> str:
    if is_the_papers(counts, settings):
        return f"every spectrum is of {PAPER_RELEASE}: the paper's counts stand beside"
    if settings.inputs.truth is not None:
        return "the survey is a simulated one: the paper's counts are left out"
    return (
        f"{counts['paper_release']:,} of {counts['spectra']:,} spectra are of {PAPER_RELEASE}: it "
        "is not the paper's input, whose counts are left out"
    )
