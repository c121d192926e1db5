"""The one list of stages, in the order of the data.

Command line, demo, Makefile, status and documentation read it. It imports nothing heavy, so that
``python -m pipeline.stages`` answers in any Python: one line per stage, name and summary.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.stage import Stage

if TYPE_CHECKING:
    from distributed import Client

    from pipeline.core.datasets import Datasets
    from pipeline.core.report import StageReport
    from pipeline.settings.load import Settings

STAGES: tuple[Stage, ...] = (
    Stage(
        "simulate",
        "pipeline.simulate.stage",
        makes="survey",
        interim=("fields",),
        folder="simulate.out",
        page="simulator.md",
        summary="Write a synthetic survey in the real file formats, with known truth.",
        manual="""
    Writes OUT/spectra/ (FITS files in LAMOST's folders and both of its layouts), OUT/catalogues/
    (LAMOST, Gaia, 2MASS, eclipsing binaries, planet hosts), OUT/truth/ and OUT/pairspec.toml,
    with which every other stage runs.

    Example: pairspec simulate --stars 2000 --seed 1 --out demo
    """,
    ),
    Stage(
        "ingest",
        "pipeline.ingest.stage",
        inputs="pipeline.ingest.inputs",
        makes="observations",
        steps=("store", "duplicates", "observations"),
        interim=("lamost_catalogue", "matches"),
        tables=("manifest", "headers", "duplicates", "observations"),
        page="data-dictionary.md",
        summary="Read FITS files into the store and write the table of observations.",
        manual="""
    Every file gets one row, also those that cannot be read (with the reason). Two files of one
    exposure both keep their row; the older pipeline's is marked superseded and not counted.

    Writes ROOT/manifest.parquet, ROOT/spectra.zarr, ROOT/tables/headers/ and
    ROOT/tables/observations/.

    Example: pairspec ingest --spectra /data/lamost --catalogue dr10_stellar.csv.gz --root run
    """,
    ),
    Stage(
        "photometry",
        "pipeline.photometry.stage",
        inputs="pipeline.photometry.inputs",
        makes="photometry",
        interim=("sources", "match_gaia", "match_tmass"),
        needs=("observations",),
        tables=("photometry",),
        page="photometry.md",
        summary="Match every spectrum to Gaia and 2MASS; derive intrinsic colour and brightness.",
        manual="""
    Sources come from HATS catalogues (folder or URL) or tables, which are read where they are.
    Positions are moved to the epoch of each observation.

    Writes ROOT/tables/photometry/, one row per counted spectrum, and ROOT/crossmatch/ on the way.

    Example: pairspec photometry --config demo/pairspec.toml
    """,
    ),
    Stage(
        "select",
        "pipeline.selection.stage",
        makes="sample",
        steps=("cut_flow",),
        needs=("observations", "photometry"),
        tables=("cuts", "cut_flow", "sample"),
        page="labels.md",
        summary="Select main-sequence stars by named cuts, and count what every cut costs.",
        manual="""
    Every cut is strict; a missing value never passes one. Prints the cut flow.

    Writes ROOT/tables/sample/, ROOT/tables/cuts/ and ROOT/tables/cut_flow.parquet.

    Example: pairspec select --root run --set sample.snr_g_min=30
    """,
    ),
    Stage(
        "label",
        "pipeline.labels.stage",
        inputs="pipeline.labels.inputs",
        makes="labels",
        needs=("sample", "observations", "photometry"),
        tables=("ridge", "labels"),
        page="labels.md",
        summary="Label the stars of the training sample as single or binary, and split them.",
        manual="""
    Fits the main-sequence ridge and labels by the distance from it; or takes the labels of a
    table of yours (inputs.labels: source_id or obsid, and label). Each label comes with the
    probability of the class binary, from the errors of the photometry.

    Writes ROOT/tables/ridge.parquet, ROOT/tables/labels/ and ROOT/reports/ridge.png (.pdf).

    Example: pairspec label --root run --set labels.seed=2
    """,
    ),
    Stage(
        "composites",
        "pipeline.composites.stage",
        makes="composites",
        steps=("composite_pool",),
        needs=("observations",),
        uses=("labels",),
        tables=("composite_pool",),
        page="composites.md",
        summary="Add up spectra of single stars in pairs: training examples with a known answer.",
        manual="""
    Takes the stars labelled as single (after `pairspec label`), else every dwarf; stars of
    different parts of the split never meet.

    Writes ROOT/composites/ and ROOT/tables/composite_pool.parquet.

    Example: pairspec composites --root run --set composites.training_couples=20000
    """,
    ),
    Stage(
        "train",
        "pipeline.network.stage",
        inputs="pipeline.network.inputs",
        makes="model",
        interim=("prepare", "examples"),
        uses=("labels", "observations", "composites"),
        page="training.md",
        summary="Train the network on the labelled spectra of the survey, or on simulated ones.",
        manual="""
    The workers of the cluster train as a gang. A lost one costs the epoch at hand: training goes
    on from the last finished epoch, as it does when this command is run again.

    Writes ROOT/model/ (model.safetensors, model.json), ROOT/reports/training.png and network.png,
    and the log and state of the training below ROOT/training/.

    Example: pairspec train --root run --set training.source=simulated
    """,
    ),
    Stage(
        "infer",
        "pipeline.inference.stage",
        inputs="pipeline.inference.inputs",
        makes="predictions",
        needs=("observations",),
        uses=("sample", "photometry"),
        tables=("predictions",),
        page="inference.md",
        summary="Give every spectrum of the sample its binary probability p_b.",
        manual="""
    Several networks form an ensemble: their logits are averaged, and their spread is kept.
    Counted are the spectra that could be read, less those of an exposure that a newer file of it
    replaces.

    Writes ROOT/predictions/, one part per shard.

    Example: pairspec infer --root run --all
    """,
    ),
    Stage(
        "evaluate",
        "pipeline.evaluation.stage",
        inputs="pipeline.evaluation.inputs",
        makes="evaluation",
        needs=("labels", "predictions"),
        page="evaluation.md",
        summary="Evaluate the network on the held-out test part of the labels.",
        manual="""
    ROC and AUC, precision at thresholds for several mixes of binaries and singles, calibration;
    intervals by bootstrap over stars; the published values beside ours.

    Writes ROOT/reports/evaluation.json, and the figures roc, scores and reliability (PNG, PDF).

    Example: pairspec evaluate --config demo/pairspec.toml
    """,
    ),
    Stage(
        "catalogue",
        "pipeline.catalogue.stage",
        makes="catalogue",
        steps=("catalogue_assignment", "catalogue_spectra", "catalogue_stars"),
        needs=("predictions", "observations"),
        uses=("photometry", "sample", "labels", "evaluation"),
        tables=("spectra", "stars", "unplaced_stars"),
        page="catalogue.md",
        summary="Write one row per star: the highest p_b of its spectra counts.",
        manual="""
    The folder of stars is a HATS catalogue that LSDB opens; DuckDB, pandas and polars read the
    same files. Columns whose inputs the run does not have are null.

    Writes ROOT/catalogue/stars/, ROOT/catalogue/spectra/ and unplaced_stars.parquet beside them.

    Example: pairspec catalogue --root run
    """,
    ),
    Stage(
        "validate",
        "pipeline.validation.stage",
        makes="validation",
        interim=(
            "injection_pool",
            "injections",
            *(
                f"validate_{name}"
                for name in (
                    "scores",
                    "velocities",
                    "gaia",
                    "false_positives",
                    "mass_ratio",
                    "eclipsing",
                    "planets",
                    "compare",
                    "training_cmd",
                    "counts",
                    "sky",
                    "distances",
                    "cmd_density",
                    "completeness",
                )
            ),
        ),
        needs=("catalogue",),
        uses=("labels", "evaluation"),
        tables=("validation", "completeness"),
        page="validation.md",
        summary="Compare the catalogue with what is known of its stars from elsewhere.",
        manual="""
    Eclipsing binaries, radial velocities, mass ratios, planet hosts, Gaia's evidence, another
    catalogue, and the paper's figures from the run's own data; the published values beside. One
    without its input is skipped and named. Stars seen in training are left out. `completeness`
    adds companions to the run's own single stars, and corrects the binary fraction for what is
    missed.

    Writes ROOT/validation/NAME/ (figure.png, figure.pdf, table.parquet, table.json) and
    ROOT/validation/validation.parquet.

    Example: pairspec validate eclipsing velocities --root run
    """,
    ),
    Stage(
        "report",
        "pipeline.report.stage",
        inputs="pipeline.report.inputs",
        makes="summary",
        needs=("catalogue",),
        uses=("sample", "labels", "evaluation", "validation"),
        page="report.md",
        summary="Write one page with figures, numbers beside the paper's, and provenance.",
        manual="""
    The page is one file that needs no connection: figures of the paper from the run's own data,
    published and obtained values, cut flow, validations, settings, versions, times. What the run
    does not have is left out.

    Writes ROOT/reports/report.html, ROOT/reports/figures/ (PNG and PDF) and
    ROOT/reports/summary.json.

    Example: pairspec report --config demo/pairspec.toml
    """,
    ),
)


def find_stage(name: str) -> Stage:
    """Return a stage by its name.

    Parameters
    ----------
    name : str
        One of the names in :data:`STAGES`.

    Raises
    ------
    KeyError
        There is no such stage.
    """
    return {stage.name: stage for stage in STAGES}[name]


def makers() -> dict[str, str]:
    """Return the name of the stage that makes each dataset."""
    return {stage.makes: stage.name for stage in STAGES}


def check_stage(name: str, settings: "Settings") -> "Datasets":
    """Check everything that a stage is given, before workers start and before a file is written.

    Parameters
    ----------
    name : str
        Name of the stage.
    settings : Settings
        Of the run.

    Returns
    -------
    Datasets
        What was asked for, for :func:`run_stage`, which then does not look at it again.

    Raises
    ------
    ValueError
        Inputs are missing or do not fit; the message names the setting.
    """
    from pipeline.core.datasets import Datasets
    from pipeline.core.root import Root

    stage = find_stage(name)
    asked = Datasets(stage, settings, Root(written_folder(stage, settings).resolve()), makers())
    asked.needs()
    if stage.inputs:
        importlib.import_module(stage.inputs).check(asked)
    return asked


def run_stage(
    name: str, settings: "Settings", client: "Client", checked: "Datasets | None" = None
) -> "StageReport":
    """Run one stage to its end.

    Parameters
    ----------
    name : str
        Name of the stage.
    settings : Settings
        Of the run.
    client : distributed.Client
        Where to run.
    checked : Datasets, optional
        From :func:`check_stage`, which is called here where it has not been before.

    Returns
    -------
    StageReport
        What was done.

    Raises
    ------
    ValueError
        Inputs are missing or do not fit; each stage says which errors it raises.
    """
    checked = checked or check_stage(name, settings)

    from pipeline.core.atomic import sweep
    from pipeline.core.run import Run

    stage, root = checked.stage, checked.root
    run = Run(stage, settings, root, client, makers(), checked.sound)
    work = importlib.import_module(stage.module).run
    # What a killed run, or a killed worker of this one, left half-written.
    sweep(root.path)
    report: StageReport = work(run)
    if not report.idle:
        sweep(root.path)
    return report


def written_folder(stage: Stage, settings: "Settings") -> Path:
    """Return the folder that a stage writes to.

    Parameters
    ----------
    stage : Stage
        Which stage.
    settings : Settings
        Of the run.
    """
    value: Any = settings
    for part in stage.folder.split("."):
        value = getattr(value, part)
    folder: Path = value
    return folder


if __name__ == "__main__":
    print("\n".join(f"{stage.name}\t{stage.summary}" for stage in STAGES))
