"""Which spectra of a shard are to be classified, and whose they are."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.errors import MismatchError
from pipeline.core.parquet import read_shards, read_table
from pipeline.core.root import Root
from pipeline.network.domain import PARAMETERS
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY
from schemas.quality import UNCOUNTED
from schemas.sample import SAMPLE

_COLUMNS = ["shard", "row", "obsid", "rv_kms", "quality", "obj_class", *PARAMETERS]


@dataclass(frozen=True)
class Selection:
    """What decides on the rows, the same for every shard.

    Parameters
    ----------
    root : Root
        Where the tables lie.
    sample_only : bool
        Only spectra of the sample, else all counted ones.
    photometry : bool
        The run has photometry, which gives source ids.
    """

    root: Root
    sample_only: bool
    photometry: bool


def read_rows(shard: int, selection: Selection) -> pd.DataFrame:
    """Read the spectra of one shard that are to be classified: one partition.

    Parameters
    ----------
    shard : int
        Number of the shard.
    selection : Selection
        Which spectra.

    Returns
    -------
    pandas.DataFrame
        ``shard``, ``row``, ``obsid``, ``rv_kms``, ``quality``, ``obj_class``, the parameters and
        ``source_id`` (null without photometry or match), ordered by row.

    Raises
    ------
    MismatchError
        Sample or photometry belong to other observations.
    """
    root = selection.root
    counted = pc.equal(pc.bit_wise_and(pc.field("quality"), int(UNCOUNTED)), 0)
    rows = read_table(root.part(OBSERVATIONS, shard), OBSERVATIONS, _COLUMNS, counted)
    rows = rows.sort_by("row")
    if selection.photometry:
        matched = read_table(root.part(PHOTOMETRY, shard), PHOTOMETRY, ["row", "source_id"])
        _require(rows, matched, "photometry", "photometry", root, shard)
        rows = rows.join(matched, "row", join_type="left outer").sort_by("row")
    else:
        rows = rows.append_column("source_id", pa.nulls(rows.num_rows, pa.int64()))
    if selection.sample_only:
        sample = read_shards(root, SAMPLE, range(shard, shard + 1), ["row"])
        _require(sample, rows, "sample", "select", root, shard)
        rows = rows.filter(pc.is_in(rows["row"], sample["row"].combine_chunks()))
    frame: pd.DataFrame = rows.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _require(
    wanted: pa.Table, there: pa.Table, name: str, command: str, root: Root, shard: int
) -> None:
    """Require each wanted row exactly once."""
    found = there["row"].combine_chunks()
    inside = pc.is_in(wanted["row"], found)
    if pc.all(inside, min_count=0).as_py() and len(found) == len(found.unique()):
        return
    raise MismatchError(
        f"the {name} of shard {shard} below {root.path} does not belong to the counted "
        f"observations: rows are missing or twice; run `pairspec {command}` again"
    )
