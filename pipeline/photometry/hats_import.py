"""A plain Parquet table as a HATS catalogue for LSDB, in bounded memory: the control of it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hats.catalog import CatalogType, PartitionInfo, TableProperties
from hats.catalog.dataset.collection_properties import CollectionProperties
from hats.io.parquet_metadata import write_parquet_metadata
from hats.pixel_math import HealpixPixel, get_margin
from hats.pixel_math.healpix_shim import margin2order
from hats.pixel_math.spatial_index import SPATIAL_INDEX_COLUMN, SPATIAL_INDEX_ORDER
from hats.pixel_tree.negative_tree import compute_negative_tree_pixels
from hats.pixel_tree.pixel_tree import PixelTree

from pipeline.core.errors import InputError
from pipeline.core.progress import track
from pipeline.core.run import Run
from pipeline.photometry.healpix_split import (
    HISTOGRAM_ORDER,
    PartitionJob,
    Plan,
    blocks_of,
    count_block,
    gather,
    route_block,
)

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
        Most rows of a partition; only a pixel of order ``HISTOGRAM_ORDER`` may have more.
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
        counts = np.zeros(12 * 4**HISTOGRAM_ORDER, dtype=np.int64)
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
    _describe(job.catalogue, main, position, {"catalog_type": CatalogType.OBJECT})
    extra = {"obs_collection": folder.name, "hats_primary_table_url": names[0]}
    if margin_arcsec > 0:
        schema_of = next(job.catalogue.rglob("Npix=*.parquet"))
        _describe(
            job.margin,
            margin,
            position,
            {
                "catalog_type": CatalogType.MARGIN,
                "primary_catalog": names[0],
                "margin_threshold": margin_arcsec,
            },
            schema_of,
        )
        extra |= {"all_margins": names[1], "default_margin": names[1]}
    CollectionProperties(**extra).to_properties_file(partial)
    shutil.rmtree(work)
    partial.rename(folder)
    return folder


def _plan(counts: np.ndarray, partition_rows: int, margin_arcsec: float) -> tuple[Plan, int]:
    """Partitions of at most so many rows, and which pixels border on which partition."""
    orders = _coarsest_orders(counts, partition_rows)
    filled = np.flatnonzero(counts)
    place = filled >> 2 * (HISTOGRAM_ORDER - orders[filled])
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


def _coarsest_orders(counts: np.ndarray, partition_rows: int) -> np.ndarray:
    """Order of the largest pixel of at most so many rows around each of the finest pixels."""
    orders = np.full(len(counts), HISTOGRAM_ORDER)
    for order in range(HISTOGRAM_ORDER - 1, -1, -1):
        fits = counts.reshape(12 * 4**order, -1).sum(axis=1) <= partition_rows
        orders[np.repeat(fits, len(counts) // len(fits))] = order
    return orders


def _describe(
    folder: Path,
    rows: list[tuple[HealpixPixel, int]],
    position: tuple[str, str],
    properties: dict[str, object],
    schema_of: Path | None = None,
) -> None:
    """Write the metadata of a catalogue whose partitions lie below a folder."""
    (folder / "dataset").mkdir(parents=True, exist_ok=True)
    PartitionInfo([pixel for pixel, _ in rows]).write_to_file(catalog_path=folder)
    if rows:
        write_parquet_metadata(folder, create_metadata=False)
    elif schema_of is not None:
        pq.write_metadata(pq.read_schema(schema_of), folder / "dataset" / "_common_metadata")
    TableProperties(
        catalog_name=folder.name,
        ra_column=position[0],
        dec_column=position[1],
        total_rows=sum(n for _, n in rows),
        healpix_column=SPATIAL_INDEX_COLUMN,
        healpix_order=SPATIAL_INDEX_ORDER,
        **properties,
    ).to_properties_file(folder)
