"""What photometry is given, looked at before anything is matched: tables, catalogues, dust map."""

from pathlib import Path

from pipeline.core.datasets import Datasets
from pipeline.core.errors import given_by
from pipeline.photometry.lookup import open_lookup
from pipeline.photometry.plan import make_plan
from pipeline.photometry.reddening import open_dust_map
from pipeline.photometry.shard import DESIGNATION, GEOMETRIC_COLUMNS
from pipeline.settings.inputs import InputSettings
from pipeline.settings.photometry import PhotometrySettings


def lookups(
    inputs: InputSettings, own: PhotometrySettings
) -> dict[str, tuple[str, Path, tuple[str, ...]]]:
    """Return the tables that are joined by a number.

    Parameters
    ----------
    inputs, own : InputSettings, PhotometrySettings
        Settings.

    Returns
    -------
    dict of str to tuple
        By the setting that names the table: the column that it is joined by, the table, and the
        columns that are taken from it.
    """
    tables = {
        "inputs.tmass_best_neighbour": ("source_id", inputs.tmass_best_neighbour, (DESIGNATION,)),
        "inputs.bailer_jones": ("source_id", inputs.bailer_jones, GEOMETRIC_COLUMNS),
    }
    if own.reddening == "lamost_column":
        tables["inputs.catalogue"] = ("obsid", inputs.catalogue, (own.reddening_column,))
    return {
        setting: (key, path, columns)
        for setting, (key, path, columns) in tables.items()
        if path is not None
    }


def check(asked: Datasets) -> None:
    """Open every catalogue, table and map that the settings name.

    Parameters
    ----------
    asked : Datasets
        Of it: ``inputs``, ``photometry``, the observations.

    Raises
    ------
    InputError
        One is not named or not there, is of another kind or lacks a column.
    InputError
        The dust map is not there.
    """
    inputs, own = asked.settings.inputs, asked.settings.photometry
    for setting, (key, table, columns) in lookups(inputs, own).items():
        with given_by(setting):
            open_lookup(key, table, columns)
    make_plan(asked, *asked.needs())
    if own.reddening == "map":
        open_dust_map(own.dust_map, own.dust_folder)
