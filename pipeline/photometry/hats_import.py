"""A plain Parquet table as a HATS catalogue for LSDB, in bounded memory: the control of it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hats.catalog import CatalogType
from hats.catalog.dataset.collection_properties import CollectionProperties
from hats.pixel_math import HealpixPixel, get_margin
from hats.pixel_math.healpix_shim import margin2order
from hats.pixel_math.spatial_index import SPATIAL_INDEX_COLUMN, SPATIAL_INDEX_ORDER
from hats.pixel_tree.negative_tree import compute_negative_tree_pixels
from hats.pixel_tree.pixel_tree import PixelTree

from pipeline.core.errors import InputError
from pipeline.core.progress import track
from pipeline.core.run import Run
from pipeline.photometry.healpix_split import (
    PartitionJob,
    Plan,
    blocks_of,
    count_block,
    gather,
    route_block,
)
from pipeline.tables.hats_metadata import write_hats_metadata
from pipeline.tables.healpix import FINEST_ORDER, coarsest_orders

IMPORTING = ".importing"
"""Ending of collections in the making; what a killed run left is made anew."""


def import_parquet(
    run: Run,
    files: Sequence[Path],
    folder: Path,
    columns: Sequence[str],
    position: tuple[str, str],
    *,
    partition_rows: int,
    margin_arcsec: float = 0.0,
) -> Path:
    """Write Parquet files as one HATS collection; one that is there is left alone.

    Parameters
    ----------
    run : Run
        Whose cluster does it.
    files : sequence of pathlib.Path
        Parquet files of one schema.
    folder : pathlib.Path
        Collection to write; it appears when it is complete.
    columns : sequence of str
        Columns to keep.
    position : tuple of str
        Names of right ascension and declination in degrees.
    partition_rows : int
        Most rows of a partition; only a pixel of order ``FINEST_ORDER`` may have more.
    margin_arcsec : float
        Width of the margin; 0 for none.

    Returns
    -------
    pathlib.Path
        ``folder``.

    Raises
    ------
    InputError
        There is no row with a position, or the margin is wider than a partition can have.
    """
    if folder.exists():
        return folder
    partial = folder.with_name(folder.name + IMPORTING)
    shutil.rmtree(partial, ignore_errors=True)
    work = partial / "work"
    work.mkdir(parents=True)
    names = (folder.name, f"{folder.name}_margin")
    places = [(partial / name).resolve() for name in names]
    job = PartitionJob(work.resolve(), places[0], places[1], tuple(columns), *position)
    blocks = blocks_of(list(files))
    with track("partition", 2 * len(blocks), 0, "blocks") as advance:
        counts = np.zeros(12 * 4**FINEST_ORDER, dtype=np.int64)
        for pixels, rows in run.tasks(count_block, blocks, job):
            counts[pixels] += rows
            advance()
        if not counts.any():
            raise InputError(f"no row of {files[0] if files else 'no file'} has a position")
        plan, n_main = _plan(counts, partition_rows, margin_arcsec)
        plan.save(work / "plan.npz")
        for _ in run.tasks(route_block, blocks, job):
            advance()
    main, margin = [], []
    numbers = sorted({int(piece.name) for piece in work.glob("*/*") if piece.is_dir()})
    for number, n_rows, n_margin in run.tasks(gather, numbers, job):
        pixel = HealpixPixel(int(plan.order[number]), int(plan.pixel[number]))
        if number < n_main:
            main.append((pixel, n_rows))
        if n_margin:
            margin.append((pixel, n_margin))
    common: dict[str, object] = {
        "ra_column": position[0],
        "dec_column": position[1],
        "healpix_column": SPATIAL_INDEX_COLUMN,
        "healpix_order": SPATIAL_INDEX_ORDER,
    }
    own = {"catalog_name": names[0], "catalog_type": CatalogType.OBJECT}
    write_hats_metadata(job.catalogue, main, None, common | own)
    extra = {"obs_collection": folder.name, "hats_primary_table_url": names[0]}
    if margin_arcsec > 0:
        schema = pq.read_schema(next(job.catalogue.rglob("Npix=*.parquet")))
        own = {
            "catalog_name": names[1],
            "catalog_type": CatalogType.MARGIN,
            "primary_catalog": names[0],
            "margin_threshold": margin_arcsec,
        }
        write_hats_metadata(job.margin, margin, schema, common | own)
        extra |= {"all_margins": names[1], "default_margin": names[1]}
    CollectionProperties(**extra).to_properties_file(partial)
    shutil.rmtree(work)
    partial.rename(folder)
    return folder


def _plan(counts: np.ndarray, partition_rows: int, margin_arcsec: float) -> tuple[Plan, int]:
    """Partitions of at most so many rows, and which pixels border on which partition."""
    orders = coarsest_orders(counts, partition_rows)
    filled = np.flatnonzero(counts)
    place = filled >> 2 * (FINEST_ORDER - orders[filled])
    homes, number = np.unique(np.stack([orders[filled], place]), axis=1, return_inverse=True)
    home = np.full(len(counts), -1)
    home[filled] = number.ravel()
    pixels = [HealpixPixel(*one) for one in homes.T.tolist()]
    n_main = len(pixels)
    order, border, owner = -1, np.empty(0, np.int64), np.empty(0, np.int64)
    if margin_arcsec > 0:
        order = int(margin2order(margin_arcsec / 60))
        pixels += compute_negative_tree_pixels(PixelTree.from_healpix(pixels))
        if order <= max(pixel.order for pixel in pixels):
            raise InputError(
                f"a margin of {margin_arcsec:.0f} arcsec is too wide for partitions of "
                f"{partition_rows} rows; raise photometry.partition_rows"
            )
        borders = [get_margin(p.order, p.pixel, order - p.order) for p in pixels]
        owner = np.repeat(np.arange(len(pixels)), [len(b) for b in borders])
        border = np.concatenate(borders).astype(np.int64)
        by_pixel = np.argsort(border, kind="stable")
        border, owner = border[by_pixel], owner[by_pixel]
    places = np.array([(p.order, p.pixel) for p in pixels], dtype=np.int64)
    return Plan(places[:, 0], places[:, 1], home, order, border, owner), n_main
