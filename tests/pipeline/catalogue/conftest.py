"""A run that holds nothing but a catalogue of stars, made by the functions of the stage."""

import numpy as np
import pyarrow as pa
import pytest
from hats.pixel_math.spatial_index import compute_spatial_index

from pipeline.catalogue.hats import count_pixels, describe, plan_partitions
from pipeline.core.atomic import write_parquet
from pipeline.core.published import Published, publish
from pipeline.core.root import Root
from schemas.catalogue import STARS

LARGE = 2**62
"""Source ids above 2^53: a float cannot hold them."""

MOST = 200


def random_stars(n, seed=1):
    """Rows of the table of stars, all over the sky; some values of every column are null."""
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    index = compute_spatial_index(ra, dec)
    order = np.argsort(index)
    known = {
        "_healpix_29": index[order],
        "ra_deg": ra[order],
        "dec_deg": dec[order],
        "star_id": [f"Gaia {LARGE + i}" for i in range(n)],
    }
    arrays = []
    for field in STARS.schema:
        if field.name in known:
            arrays.append(pa.array(known[field.name], field.type))
            continue
        mask = rng.random(n) < 0.2
        values = rng.uniform(0, 1, n)
        if pa.types.is_int64(field.type):
            values = LARGE + np.arange(n)
        elif pa.types.is_integer(field.type):
            values = np.arange(n)
        elif pa.types.is_boolean(field.type):
            values = values > 0.5
        elif pa.types.is_string(field.type):
            values = np.array(["", "a", "\N{GREEK SMALL LETTER DELTA} long"])[np.arange(n) % 3]
        arrays.append(pa.array(values.tolist(), field.type, mask=mask))
    return pa.Table.from_arrays(arrays, schema=STARS.schema)


@pytest.fixture(scope="session")
def stars_root(tmp_path_factory):
    """Root and rows of 3,000 stars in partitions of at most 200."""
    root, table = Root(tmp_path_factory.mktemp("stars") / "run"), random_stars(3000)
    index = table["_healpix_29"].to_numpy()
    rows = []
    for pixel in plan_partitions(count_pixels(index), MOST):
        first, last = np.searchsorted(index, [pixel.first, pixel.last + 1])
        part = table.slice(first, last - first)
        write_parquet(pixel.path(root.table(STARS)), part, 64)
        rows.append((pixel, part.num_rows))
    describe(root.table(STARS).parent, rows, MOST)
    publish(root.path, "catalogue", Published("0123456789abcdef", {"stars": 3000}))
    return root, table
