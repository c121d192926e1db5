"""The margin of a HATS catalogue: stars just outside of each partition, for matches."""

from collections.abc import Sequence
from pathlib import Path

import hats
import numpy as np
import pyarrow as pa
from cdshealpix.nested import external_neighbours
from hats.catalog import CatalogType
from hats.catalog.dataset.collection_properties import CollectionProperties
from numpy.typing import NDArray

from pipeline.catalogue.export.content import Content
from pipeline.catalogue.hats import Pixel, describe
from pipeline.core.atomic import write_parquet
from pipeline.core.errors import InputError
from pipeline.tables.healpix import FULL_ORDER
from schemas.catalogue import HEALPIX
from schemas.table import Table

LEAST_ARCSEC, MOST_ARCSEC = 1.0, 250.0
"""Thinner ones have too many pixels, wider ones more than the neighbours of a partition."""

_SIDE_ARCSEC, _NARROWEST = 3518 * 60, 1.6
"""Side of a pixel of order 0, and by how much the narrowest pixel is narrower than the mean."""


def margin_order(margin_arcsec: float) -> int:
    """Return the finest order whose pixels are nowhere narrower than the margin.

    Parameters
    ----------
    margin_arcsec : float
        Width of the margin.

    Raises
    ------
    InputError
        Too thin or too wide.
    """
    if not LEAST_ARCSEC <= margin_arcsec <= MOST_ARCSEC:
        raise InputError(
            f"--margin {margin_arcsec:g}: give it in arcsec, from {LEAST_ARCSEC:g} to "
            f"{MOST_ARCSEC:g}"
        )
    return int(np.log2(_SIDE_ARCSEC / _NARROWEST / margin_arcsec))


def write_margin(content: Content, table: Table, main: Path, margin_arcsec: float) -> None:
    """Write the margin beside a catalogue, and the properties of the two as a collection.

    Parameters
    ----------
    content : Content
        Rows of the catalogue.
    table : Table
        Its columns.
    main : pathlib.Path
        The catalogue, complete, in the folder of the collection.
    margin_arcsec : float
        Stars closer than this to a partition are in its margin, with some that are farther.
    """
    order = margin_order(margin_arcsec)
    found = hats.read_hats(main)
    # A place without stars of its own may have neighbours that match.
    around = [*found.get_healpix_pixels(), *found.generate_negative_tree_pixels()]
    pixels = [Pixel(int(pixel.order), int(pixel.pixel)) for pixel in around]
    name = f"{main.name}_{margin_arcsec:g}arcs"
    folder, written = main.parent / name, []
    for pixel, near in zip(pixels, _rows(content, pixels, order), strict=True):
        if near.num_rows:
            rows = near.sort_by(HEALPIX).cast(table.schema)
            write_parquet(pixel.path(folder / "dataset"), rows)
            written.append((pixel, rows.num_rows))
    written.sort(key=lambda one: one[0].first)
    margin = {
        "catalog_type": CatalogType.MARGIN,
        "primary_catalog": main.name,
        "margin_threshold": margin_arcsec,
    }
    describe(folder, written, content.n_rows, name=name, schema=table.schema, **margin)
    CollectionProperties(
        name=main.name,
        hats_primary_table_url=main.name,
        all_margins=[name],
        default_margin=name,
    ).to_properties_file(main.parent)


def _rows(content: Content, pixels: Sequence[Pixel], order: int) -> list[pa.Table]:
    """Return the rows in the border of each pixel; they are few, and held in memory."""
    borders = [_border(pixel, order) for pixel in pixels]
    number = np.repeat(np.arange(len(pixels)), [border.size for border in borders])
    border = np.concatenate([*borders, np.zeros(0, np.int64)])
    by_place = np.argsort(border, kind="stable")
    border, number = border[by_place], number[by_place]
    held: list[list[pa.RecordBatch]] = [[] for _ in pixels]
    schema = None
    for batch in content.batches():
        schema = batch.schema
        place = batch[HEALPIX].to_numpy() >> 2 * (FULL_ORDER - order)
        first, end = (np.searchsorted(border, place, side=side) for side in ("left", "right"))
        row = np.repeat(np.arange(place.size), end - first)
        nth = np.arange(row.size) - np.repeat(np.cumsum(end - first) - (end - first), end - first)
        owner = number[first[row] + nth]
        for one in np.unique(owner):
            held[one].append(batch.take(pa.array(row[owner == one])))
    empty = schema.empty_table() if schema is not None else pa.table({})
    return [pa.Table.from_batches(batches) if batches else empty for batches in held]


def _border(pixel: Pixel, order: int) -> NDArray[np.int64]:
    edges, corners = external_neighbours(pixel.pixel, pixel.order, order - pixel.order)
    around = np.concatenate([np.asarray(edges[0]), np.asarray(corners[0])]).astype(np.int64)
    # Pixels at the corners of the base pixels have fewer neighbours.
    return around[around >= 0]
