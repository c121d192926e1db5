"""``pairspec infer``: every spectrum of the sample gets its binary probability."""

from functools import partial

import pyarrow.dataset as ds

from pipeline.core.report import StageReport
from pipeline.core.run import Run
from pipeline.inference.inputs import needed_sample
from pipeline.inference.quality import shown_bits
from pipeline.inference.rows import Selection, read_rows
from pipeline.inference.shard import MODE, InferenceJob, load_networks, predict_partition
from pipeline.network.domain import PARAMETERS
from pipeline.network.members import EnsemblePlan, plan_ensemble, wanted_networks
from pipeline.store.manifest import open_manifest
from schemas.catalogue import PREDICTIONS
from schemas.sample import SAMPLE


def run(run: Run) -> StageReport:
    """Run the network over the sample, or all counted spectra, one partition per shard.

    Parameters
    ----------
    run : Run
        Of it: ``infer``.

    Returns
    -------
    StageReport
        Spectra with and without a probability, and how many have which quality bit.

    Raises
    ------
    NotReadyError
        An earlier stage has not run; without a sample the message names ``--all``.
    InputError
        The networks do not take the same spectra.
    MismatchError
        Spectra wanted and predictions differ in number.
    """
    root, infer = run.root, run.settings.infer
    (observed,) = run.needs()
    expected, inputs = observed.counts["valid"], [observed.digest]
    sample_only = infer.scope == "sample"
    if sample_only:
        inputs.append(needed_sample(run).digest)
        expected = ds.dataset(root.table(SAMPLE), format="parquet").count_rows()
    photometry = run.uses("photometry")
    if photometry is not None:
        inputs.append(photometry.digest)
    ensemble = plan_ensemble(wanted_networks(run))
    missing = {name: run.settings.sample.stand_ins(name) for name in PARAMETERS}
    digest = run.digest(
        inputs,
        [member.sha256 for member in ensemble.members],
        infer.model_dump(mode="json", exclude={"models"}),
        [ensemble.ranges, [member.stars_sha256 for member in ensemble.members], missing],
        *filter(None, (member.novelty_sha256 for member in ensemble.members)),
    )
    job = InferenceJob(root, ensemble, infer, run.settings.ingest.chunk_rows, missing)
    n_shards = open_manifest(root.manifest).n_shards
    if infer.device == "cuda" and run.is_pending(n_shards, digest=digest):
        # A worker without a GPU must not cost the predictions of before.
        list(run.tasks(load_networks, [job]))
    counts = run.each_partition(
        partial(read_rows, selection=Selection(root, sample_only, photometry is not None)),
        predict_partition,
        n_shards,
        job,
        digest=digest,
    )
    run.balance(expected, counts["spectra"], "spectra")
    modes = [
        f"{n:,} spectra on {name.removeprefix(MODE)}"
        for name, n in counts.items()
        if name.startswith(MODE)
    ]
    return run.publish(
        digest,
        counts,
        shown={"spectra": counts["spectra"], "without p_b": counts["without_p_b"]}
        | shown_bits(counts),
        notes=(
            f"model {ensemble.model_id} of {len(ensemble.members)} network(s)",
            *modes,
            *_domain_notes(ensemble),
        ),
        outputs=(root.table(PREDICTIONS),),
        remembered=("infer.models",),
    )


def _domain_notes(ensemble: EnsemblePlan) -> list[str]:
    """Say what the bits rest on."""
    notes = []
    if not all(member.novelty_sha256 for member in ensemble.members):
        notes.append(
            "a network's card does not say what its training spectra are like: the bit "
            "UNLIKE_TRAINING is not set by it"
        )
    if not ensemble.ranges:
        text = "the networks' cards state no training range: whether p_b applies is not judged"
        return [text, *notes]
    ranges = ", ".join(f"{n} {low:.4g} to {high:.4g}" for n, (low, high) in ensemble.ranges.items())
    notes.insert(0, f"trained on {ranges}")
    if ensemble.n_nameless:
        notes.append(
            f"{ensemble.n_nameless:,} training stars have no Gaia source: their spectra have no "
            "bit IN_TRAINING"
        )
    return notes
