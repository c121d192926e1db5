"""One stellar catalogue of all public files with labels, of whatever source."""

from pathlib import Path

import numpy as np
import pandas as pd

ESTIMATED = (122.0, 0.19, 0.10)
"""Cross-validated errors of estimated Teff (K), log g, [Fe/H] (dex)."""

NO_OBSID = 9_000_000_000
"""First of our own numbers for files without OBSID, which are found by night, plan and fibre."""

KEYS = ["lmjd", "planid", "spid", "fiberid"]
LABELS = ["teff", "teff_err", "logg", "logg_err", "feh", "feh_err"]


def labelled_files(data: Path) -> pd.DataFrame:
    """Give every file the best labels that any table has for it; other files are left out.

    Parameters
    ----------
    data : pathlib.Path
        Folder with ``inventory.csv`` and ``tables/``.

    Returns
    -------
    pandas.DataFrame
        In the columns of LAMOST's stellar catalogue. Only estimated labels have errors.
    """
    tables = data / "tables"
    files = pd.read_csv(data / "inventory.csv", low_memory=False)
    # The file of the published pipeline names its rows by the OBSID.
    files["obsid"] = files["obsid"].astype("Int64")
    catalogue = pd.read_csv(tables / "dr10_stellar_subset.csv").drop(columns=["class", "subclass"])
    pipeline = pd.read_csv(tables / "dr10_pylasp_LASP_Adam_inferred.csv")
    pipeline = pd.DataFrame(
        {
            "obsid": pipeline["ID"].str.removesuffix(".fits").astype("int64"),
            "teff": pipeline["pred_Teff"],
            "logg": pipeline["pred_logg"],
            "feh": pipeline["pred_FeH"],
            "z": pipeline["pred_Rv"] / 299_792.458,
        }
    )
    # S/N and position are the catalogue's where it has the file.
    seen = files[["obsid", "subclass", "snrg", "ra", "dec", *KEYS]]
    catalogue = catalogue.merge(seen[["obsid", "subclass", *KEYS]], on="obsid")
    named = pd.concat([catalogue, seen.merge(pipeline, on="obsid")]).drop_duplicates("obsid")
    estimated = pd.read_csv(tables / "estimated_labels.csv").rename(
        columns={"teff_est": "teff", "logg_est": "logg", "feh_est": "feh"}
    )
    estimated = estimated.drop(columns=["subclass", "snrg"])
    for name, error in zip(("teff", "logg", "feh"), ESTIMATED, strict=True):
        estimated[f"{name}_err"] = error
    guessed = files.merge(estimated, on="path")
    found = pd.concat([named, guessed[~guessed["obsid"].isin(named["obsid"])]], ignore_index=True)
    missing = found["obsid"].isna()
    found.loc[missing, "obsid"] = NO_OBSID + np.arange(int(missing.sum()))
    columns = ["obsid", *KEYS, "subclass", "snrg", "ra", "dec", "z", *LABELS]
    return found[columns]


def write_catalogue(data: Path, path: Path) -> None:
    """Write the catalogue as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labelled_files(data).to_csv(path, index=False)
