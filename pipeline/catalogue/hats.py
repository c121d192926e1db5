"""The layout of a HATS catalogue: partitions by HEALPix, and the files that describe them."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.core.atomic import PARTIAL
from pipeline.tables.healpix import FINEST_ORDER, FULL_ORDER, coarsest_orders
from schemas.catalogue import HEALPIX, STARS

PIXELS_A_FOLDER = 10_000


class Pixel(NamedTuple):
    """One partition.

    Parameters
    ----------
    order, pixel : int
        HEALPix order and number (nested).
    """

    order: int
    pixel: int

    @property
    def first(self) -> int:
        """First index of order 29 in the pixel."""
        return self.pixel << 2 * (FULL_ORDER - self.order)

    @property
    def last(self) -> int:
        """Last index of order 29 in the pixel."""
        return ((self.pixel + 1) << 2 * (FULL_ORDER - self.order)) - 1

    def path(self, dataset: Path) -> Path:
        """Return the file of the partition.

        Parameters
        ----------
        dataset : pathlib.Path
            Folder ``dataset`` of the catalogue.
        """
        folder = self.pixel // PIXELS_A_FOLDER * PIXELS_A_FOLDER
        return dataset / f"Norder={self.order}" / f"Dir={folder}" / f"Npix={self.pixel}.parquet"


def count_pixels(index_B: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count rows in the pixels of order ``FINEST_ORDER``.

    Parameters
    ----------
    index_B : ndarray of int64, (B,)
        HEALPix indices of order 29.
    """
    place = index_B >> 2 * (FULL_ORDER - FINEST_ORDER)
    return np.bincount(place, minlength=12 * 4**FINEST_ORDER).astype(np.int64)


def plan_partitions(counts: NDArray[np.int64], most_rows: int) -> list[Pixel]:
    """Choose the largest pixels that hold no more than so many rows.

    Parameters
    ----------
    counts : ndarray of int64
        As from `count_pixels`.
    most_rows : int
        Only a pixel of order ``FINEST_ORDER`` may have more.

    Returns
    -------
    list of Pixel
        Those that hold any row, in order on the sky; they do not overlap.
    """
    order = coarsest_orders(counts, most_rows)
    filled = np.flatnonzero(counts)
    place = filled >> 2 * (FINEST_ORDER - order[filled])
    found = dict.fromkeys(zip(order[filled].tolist(), place.tolist(), strict=True))
    return [Pixel(*one) for one in found]


def plan_sweeps(
    pixels: Sequence[Pixel], counts: NDArray[np.int64], most_rows: int
) -> list[list[Pixel]]:
    """Join neighbouring partitions to pieces of work of about equal size.

    Parameters
    ----------
    pixels : sequence of Pixel
        Partitions, in order on the sky.
    counts : ndarray of int64
        Rows to work on, as from `count_pixels`.
    most_rows : int
        Rows of a piece; only a single partition may have more.

    Returns
    -------
    list of list of Pixel
        At least one partition each, in order.
    """
    before = np.concatenate([[0], np.cumsum(counts)])
    sweeps: list[list[Pixel]] = []
    filled = 0
    for pixel in pixels:
        first, last = (
            index >> 2 * (FULL_ORDER - FINEST_ORDER) for index in (pixel.first, pixel.last)
        )
        n = int(before[last + 1] - before[first])
        if not sweeps or filled + n > most_rows:
            sweeps.append([])
            filled = 0
        sweeps[-1].append(pixel)
        filled += n
    return sweeps


def describe(
    folder: Path,
    rows: Sequence[tuple[Pixel, int]],
    most_rows: int,
    name: str = "stars",
    schema: pa.Schema = STARS.schema,
    **properties: object,
) -> list[Path]:
    """Write what makes a folder of partitions a HATS catalogue, its properties last.

    Parameters
    ----------
    folder : pathlib.Path
        The catalogue; its partitions lie below ``dataset``.
    rows : sequence of tuple
        Partitions and their numbers of rows.
    most_rows : int
        As for `plan_partitions`.
    name : str
        Name of the catalogue.
    schema : pyarrow.Schema
        Of a catalogue without partitions.
    **properties : object
        Further ones of `hats.catalog.TableProperties`, or others than those of a table of objects.

    Returns
    -------
    list of pathlib.Path
        Files that were written.
    """
    # Read by the driver alone: hats takes seconds to import.
    from hats.catalog import CatalogType
    from hats.pixel_math import HealpixPixel

    from pipeline.tables.hats_metadata import write_hats_metadata

    work = folder / f"description{PARTIAL}"
    shutil.rmtree(work, ignore_errors=True)
    properties = {
        "catalog_name": name,
        "catalog_type": CatalogType.OBJECT,
        "ra_column": "ra_deg",
        "dec_column": "dec_deg",
        "healpix_column": HEALPIX,
        "healpix_order": FULL_ORDER,
        "hats_max_rows": most_rows,
    } | properties
    pixels = [(HealpixPixel(*pixel), n) for pixel, n in rows]
    write_hats_metadata(folder, pixels, schema, properties, output=work, with_statistics=True)
    made = sorted(path for path in work.rglob("*") if path.is_file())
    made.sort(key=lambda path: path.suffix == ".properties" or path.name == "properties")
    placed = []
    for path in made:
        placed.append(folder / path.relative_to(work))
        placed[-1].parent.mkdir(exist_ok=True)
        path.replace(placed[-1])
    shutil.rmtree(work)
    return placed
