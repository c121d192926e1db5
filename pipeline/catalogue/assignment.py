"""Which star each spectrum is of, and where on the sky that star is."""

import shutil

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.catalogue.hats import count_pixels, plan_partitions, plan_sweeps
from pipeline.catalogue.job import CatalogueJob
from pipeline.core.atomic import write_json, write_parquet
from pipeline.core.errors import MismatchError
from pipeline.core.ledger import Done
from pipeline.core.parquet import FILES, read_files, read_table, table_files
from pipeline.core.root import Root
from pipeline.photometry.assignment import Assignment, assign_stars
from schemas.catalogue import HEALPIX, PREDICTIONS, SPECTRA, STARS
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_PLACED = 500_000
"""Positions that are worked on together."""

_GAIA = ("row", "gaia_ra_deg", "gaia_dec_deg")


def assign(job: CatalogueJob) -> Done:
    """Write the star of each predicted spectrum, a part per block, and the layout of the stars.

    Holds row, star and position of all spectra of the survey: about 80 bytes per spectrum.

    Parameters
    ----------
    job : CatalogueJob
        Where to read and write.

    Raises
    ------
    MismatchError
        A prediction is of no counted spectrum.
    """
    from hats.pixel_math.spatial_index import compute_spatial_index

    root = job.root
    # The files of another layout must not lie beside the new ones.
    for folder in (root.table(STARS).parent, root.table(SPECTRA), job.layout.parent):
        shutil.rmtree(folder, ignore_errors=True)
    stars = assign_stars(
        root.table(OBSERVATIONS),
        job.settings.star_radius_arcsec,
        trust_ids=job.trust_ids,
        photometry=root.table(PHOTOMETRY) if job.has_photometry else None,
    )
    row_B = stars.row_B
    n_stars, star_B = stars.numbers()
    ra_S, dec_S = _star_positions(job, stars, n_stars, star_B)
    placed_S = np.isfinite(ra_S)
    index_S = np.full(ra_S.size, -1, np.int64)
    for first in range(0, ra_S.size, _PLACED):
        some = first + np.flatnonzero(placed_S[first : first + _PLACED])
        index_S[some] = compute_spatial_index(ra_S[some], dec_S[some])
    wanted_B = _predicted(root, row_B)
    used_S = np.zeros(ra_S.size, bool)
    used_S[star_B[wanted_B]] = True
    pixels = plan_partitions(count_pixels(index_S[used_S & placed_S]), job.settings.part_stars)
    index_B = index_S[star_B[wanted_B]]
    spectra = count_pixels(index_B[index_B >= 0])
    sweeps = plan_sweeps(pixels, spectra, job.settings.block_spectra)
    write_json(job.layout, sweeps)
    n_blocks = len(job.blocks)
    for block in range(n_blocks):
        shards = job.blocks.shards(block)
        first, last = shards[0] * job.shard_rows, (shards[-1] + 1) * job.shard_rows
        here = slice(*np.searchsorted(row_B, [first, last]))
        wanted = wanted_B[here]
        table, star = stars.short_table(first, last).filter(pa.array(wanted)), star_B[here][wanted]
        for name, value_S in ((HEALPIX, index_S), ("star_ra_deg", ra_S), ("star_dec_deg", dec_S)):
            table = table.append_column(name, pa.array(value_S[star], mask=~placed_S[star]))
        write_parquet(job.assignment(block), table, dictionary=False)
    outputs = (job.layout, *(job.assignment(block) for block in range(n_blocks)))
    return Done({"partitions": len(pixels), "sweeps": len(sweeps)}, outputs)


def _star_positions(
    job: CatalogueJob, stars: Assignment, n_stars: int, star_B: NDArray[np.int32]
) -> tuple[FloatArray, FloatArray]:
    """Return each star's position: Gaia's, else that of its first fibre; NaN without one."""
    ra_S, dec_S = np.full(n_stars, np.nan), np.full(n_stars, np.nan)

    def place(row: IntArray, ra: FloatArray, dec: FloatArray) -> None:
        known = np.flatnonzero(np.isfinite(ra) & (np.abs(dec) <= 90))
        # Of several spectra of a star the first counts: it is written last.
        known = known[np.argsort(-row[known], kind="stable")]
        star = star_B[np.searchsorted(stars.row_B, row[known])]
        ra_S[star], dec_S[star] = np.mod(ra[known], 360.0), dec[known]

    for first in reversed(range(0, star_B.size, _PLACED)):
        some = slice(first, first + _PLACED)
        place(stars.row_B[some], stars.ra_deg_B[some], stars.dec_deg_B[some])
    if job.has_photometry:
        parts = table_files(job.root.table(PHOTOMETRY))
        for first in reversed(range(0, len(parts), FILES)):
            found = read_files(parts[first : first + FILES], "photometry", _GAIA)
            place(*(found[name].to_numpy() for name in _GAIA))
    return ra_S, dec_S


def _predicted(root: Root, row_B: IntArray) -> NDArray[np.bool_]:
    """Return which of the counted spectra, by rising row, have a prediction."""
    row = read_table(root.table(PREDICTIONS), PREDICTIONS, ["row"])["row"]
    wanted = np.zeros(row_B.size, bool)
    place = np.searchsorted(row_B, row.to_numpy())
    inside = place < row_B.size
    if not inside.all() or (row_B[place] != row.to_numpy()).any():
        raise MismatchError(
            f"{root.table(PREDICTIONS)} has spectra that are not among the counted observations: "
            "run `pairspec infer` again"
        )
    wanted[place] = True
    return wanted
