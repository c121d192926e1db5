"""Commands that take nothing but the common options: their stages and manual pages."""

PLAIN = {
    "photometry": (
        "photometry",
        """Match every spectrum to Gaia and 2MASS; take off the dust and the distance.

    Sources come from HATS catalogues (folder or URL) or plain Parquet, which is partitioned into
    ROOT/catalogues/ first. Positions are moved to the epoch of each observation.

    Writes ROOT/tables/photometry/, one row a counted spectrum, and ROOT/crossmatch/ on the way.

    Example: pairspec photometry --config demo/pairspec.toml
    """,
    ),
    "select": (
        "sample.selection",
        """Cut the sample out of all spectra, and count what every cut costs.

    Every cut is strict; a missing value never passes one. Prints the cut flow.

    Writes ROOT/tables/sample/, ROOT/tables/cuts/ and ROOT/tables/cut_flow.parquet.

    Example: pairspec select --root run --set sample.snr_g_min=30
    """,
    ),
    "label": (
        "sample.labelling",
        """Label the stars of the training sample as single or binary, and split them.

    Fits the main-sequence ridge and labels by the distance from it; or takes the labels of a
    table of yours (inputs.labels: source_id or obsid, and label).

    Writes ROOT/tables/ridge.parquet, ROOT/tables/labels/ and ROOT/reports/ridge.png.

    Example: pairspec label --root run --set labels.seed=2
    """,
    ),
    "composites": (
        "sample.compositing",
        """Add up spectra of single stars in pairs: training examples with a known answer.

    Takes the stars labelled as single (after `pairspec label`), else every dwarf; stars of
    different parts of the split never meet.

    Writes ROOT/composites/ and ROOT/tables/composite_pool.parquet.

    Example: pairspec composites --root run --set composites.training_couples=20000
    """,
    ),
    "train": (
        "network",
        """Train the network on the labelled spectra of the survey, or on simulated ones.

    The workers of the cluster train as a gang. A lost one costs the epoch at hand: training goes
    on from the last finished epoch, as it does when this command is run again.

    Writes ROOT/model/ (model.safetensors, model.json), ROOT/reports/training.png, and the log and
    state of the training below ROOT/training/.

    Example: pairspec train --root run --set training.source=simulated
    """,
    ),
    "catalogue": (
        "catalogue",
        """Put the spectra of each star together: the highest p_b counts.

    Writes ROOT/catalogue/stars/ and ROOT/catalogue/spectra/.

    Example: pairspec catalogue --root run
    """,
    ),
    "evaluate": (
        "validation",
        """Judge the network on the held-out test part of the labels.

    ROC and AUC, precision at thresholds for several mixes of binaries and singles, calibration;
    intervals by bootstrap over stars; the published values beside ours.

    Writes ROOT/reports/evaluation.json, roc.png, scores.png and reliability.png.

    Example: pairspec evaluate --config demo/pairspec.toml
    """,
    ),
    "report": (
        "report",
        """Sum up the run; beside the truth, where the survey is simulated.

    Writes ROOT/reports/summary.json.

    Example: pairspec report --config demo/pairspec.toml
    """,
    ),
}
"""From the name of a command to the module of its stage below ``pipeline`` and its text."""
