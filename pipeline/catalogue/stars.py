"""The catalogue of stars: one row from the spectra of each star of some partitions of the sky."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from pipeline.catalogue.groups import Groups
from pipeline.catalogue.job import CatalogueJob
from pipeline.catalogue.spectra import UNPLACED_LAST
from pipeline.core.atomic import write_parquet
from pipeline.core.ledger import Done
from pipeline.core.parquet import CHECKED, read_table
from pipeline.inference.quality import count_bits
from pipeline.labels.mass_ratio import q_fixed_colour, q_fixed_primary
from pipeline.labels.ridge import as_ridge
from pipeline.photometry.naming import designations
from schemas.catalogue import HEALPIX, SPECTRA, STARS, UNPLACED
from schemas.quality import PhotometryFlag
from schemas.sample import RIDGE

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_START = SPECTRA.names.index("ref_epoch_yr")
OF_SOURCE = tuple(SPECTRA.names[_START : SPECTRA.names.index("flags")])
"""Columns that come from the Gaia source, the same in all of its spectra."""

OF_LABEL = ("delta_m_g", "label", "q_fixed_primary", "q_fixed_colour")
PARAMETERS = ("teff_k", "teff_err_k", "logg", "logg_err", "feh", "feh_err")
THRESHOLDS = (0.5, 0.8)


def write_stars(number: int, job: CatalogueJob) -> Done:
    """Write the stars of neighbouring partitions; the last task is of stars without a position.

    Parameters
    ----------
    number : int
        Number of the task.
    job : CatalogueJob
        Where to read and write.

    Returns
    -------
    Done
        Counts: stars, spectra, stars above the thresholds, and with each quality bit.
    """
    sweeps, root = job.sweeps(), job.root
    pixels = sweeps[number] if number < len(sweeps) else []
    index = pc.field(HEALPIX)
    rows = index.is_null()
    if pixels:
        rows = (index >= pixels[0].first) & (index <= pixels[-1].last)
    files = [str(root.part(SPECTRA, block)) for block in range(len(job.blocks))]
    spectra = ds.dataset(files, format=CHECKED).to_table(filter=rows)
    n_spectra = spectra.num_rows
    stars = gather_stars(spectra, job)
    del spectra
    outputs = []
    if pixels:
        place = stars[HEALPIX].to_numpy()
        for pixel in pixels:
            first, last = np.searchsorted(place, [pixel.first, pixel.last + 1]).tolist()
            outputs.append(pixel.path(root.table(STARS)))
            part = stars.slice(first, last - first).cast(STARS.schema)
            write_parquet(outputs[-1], part, job.settings.row_group_stars)
    else:
        outputs.append(root.table(UNPLACED))
        write_parquet(outputs[0], stars.cast(UNPLACED.schema), job.settings.row_group_stars)
    p_b = stars["p_b"].to_numpy()
    counts = {
        "stars": stars.num_rows,
        "spectra": n_spectra,
        "without_position": 0 if pixels else stars.num_rows,
    }
    counts |= {f"above_{t}": int((p_b > t).sum()) for t in THRESHOLDS}
    return Done(counts | count_bits(stars["quality"]), outputs)


def gather_stars(spectra: pa.Table, job: CatalogueJob) -> pa.Table:
    """Make one row of each star.

    Parameters
    ----------
    spectra : pyarrow.Table
        Rows of the catalogue of spectra, all of each star.
    job : CatalogueJob
        Ridge and combination.

    Returns
    -------
    pyarrow.Table
        Columns of the table of stars, ordered by place on the sky, then by first row.
    """
    index = pc.fill_null(spectra[HEALPIX], UNPLACED_LAST).to_numpy()
    row = spectra["row"].to_numpy()
    name = spectra["star_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.full(int(name.max(initial=-1)) + 1, UNPLACED_LAST)
    np.minimum.at(first, name, row)
    spectra = spectra.take(pa.array(np.lexsort((row, first[name], index)))).combine_chunks()
    stars = Groups(spectra["star_id"].combine_chunks().dictionary_encode().indices.to_numpy())
    columns: dict[str, Any] = {HEALPIX: _take(spectra[HEALPIX], stars.start_S)}
    places = (_take(spectra[name], stars.start_S) for name in ("star_ra_deg", "star_dec_deg"))
    ra, dec = (_numbers(place) for place in places)
    columns |= {"ra_deg": ra, "dec_deg": dec, "designation": designations(ra, dec)}
    columns |= {n: _take(spectra[n], stars.start_S) for n in ("star_id", "source_id", "model_id")}
    flags = pc.fill_null(spectra["flags"], int(PhotometryFlag.NO_GAIA)).to_numpy()
    source = stars.first((flags & int(PhotometryFlag.NO_GAIA)) == 0)
    columns |= {n: _take(spectra[n], source) for n in OF_SOURCE}
    columns |= _parameters(spectra, stars)
    columns |= _velocity(spectra, stars)
    columns |= _scores(spectra, stars, job)
    inside = spectra["in_sample"]
    if inside.null_count < len(inside):
        columns["in_sample"] = stars.any(pc.fill_null(inside, False).to_numpy())  # noqa: FBT003
    else:
        columns["in_sample"] = pa.nulls(len(stars), pa.bool_())
    for bits in ("quality", "flags"):
        value = stars.bits(pc.fill_null(spectra[bits], 0).to_numpy().astype(np.int64))
        known = stars.any(pc.is_valid(spectra[bits]).to_numpy())
        columns[bits] = pa.array(value, mask=~known)
    columns |= _excess(spectra, stars, columns, job)
    return pa.table({f.name: _array(columns[f.name], f.type) for f in STARS.schema})


def _parameters(spectra: pa.Table, stars: Groups) -> dict[str, Any]:
    """Parameters of the spectrum of highest S/N that has them."""
    snr = _numbers(spectra["snr_g"])
    known = np.all([np.isfinite(_numbers(spectra[n])) for n in ("teff_k", "logg", "feh")], axis=0)
    best = stars.largest(snr, known)
    return {name: _take(spectra[name], best) for name in PARAMETERS}


def _velocity(spectra: pa.Table, stars: Groups) -> dict[str, Any]:
    """Mean radial velocity of the spectra, its error, and the largest difference."""
    rv, error = _numbers(spectra["rv_kms"]), _numbers(spectra["rv_err_kms"])
    known = np.isfinite(rv)
    weighted = known & (error > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(weighted, error**-2.0, 0.0)
        total = stars.sum(weight)
        mean = stars.sum(np.where(weighted, rv * weight, 0.0)) / total
        n = stars.count(known)
        plain = stars.sum(np.where(known, rv, 0.0)) / n
        highest, lowest = stars.largest(rv, known), stars.largest(-rv, known)
        span = np.where(n > 1, rv[highest] - rv[lowest], np.nan)
        return {
            "rv_kms": np.where(total > 0, mean, plain),
            "rv_err_kms": np.where(total > 0, total**-0.5, np.nan),
            "n_rv": n,
            "delta_rv_max_kms": span,
        }


def _scores(spectra: pa.Table, stars: Groups, job: CatalogueJob) -> dict[str, Any]:
    p_b, snr = _numbers(spectra["p_b"]), _numbers(spectra["snr_g"])
    known = np.isfinite(p_b)
    n = stars.count(known)
    highest = stars.largest(p_b, known)
    best = stars.largest(snr, known)
    best = np.where(best >= 0, best, stars.largest(snr, np.ones(snr.size, bool)))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = stars.sum(np.where(known, p_b, 0.0)) / n
        deviation = np.where(known, p_b - mean[stars.of_row_B], 0.0)
        spread = np.sqrt(stars.sum(deviation**2) / np.where(n > 1, n - 1, np.nan))
    combined = np.full(len(stars), np.nan)
    if job.combination is not None:
        given = (_numbers(spectra[name]) for name in ("logit", "teff_k", "snr_g"))
        evidence = job.combination.evidence(*given)
        logit_sum = stars.sum(np.where(known, evidence, 0.0))
        combined = job.combination.posterior(logit_sum, n)
        combined = np.where(n > 0, combined, np.nan)
    return {
        "p_b": _take(spectra["p_b"], highest),
        "p_b_best": _take(spectra["p_b"], best),
        "p_b_mean": mean,
        "p_b_spread": spread,
        "p_b_combined": combined,
        "n_spectra": n,
        "n_spectra_all": stars.count(np.ones(snr.size, bool)),
        "obsid_max": _take(spectra["obsid"], highest),
        "row_max": _take(spectra["row"], highest),
        "obsid_best": _take(spectra["obsid"], best),
        "snr_g_best": _take(spectra["snr_g"], best),
        "obj_class": _take(spectra["obj_class"], best),
    }


def _excess(
    spectra: pa.Table, stars: Groups, columns: dict[str, Any], job: CatalogueJob
) -> dict[str, Any]:
    """Delta M_G, label and mass ratios: by the labels, else by the ridge if in the sample."""
    labelled = stars.first(pc.is_valid(spectra["label"]).to_numpy())
    found = {name: _take(spectra[name], labelled) for name in OF_LABEL}
    ridge_table = job.root.table(RIDGE)
    if not job.has_labels or not ridge_table.is_file():
        return found
    colour, m_g, feh = (_numbers(columns[name]) for name in ("g_ks_0", "m_g", "feh"))
    inside = _array(columns["in_sample"], pa.bool_()).fill_null(False).to_numpy(False)  # noqa: FBT003
    rest = np.flatnonzero(inside & (labelled < 0))
    ridge_m_g = as_ridge(read_table(ridge_table, RIDGE)).m_g(colour[rest], feh[rest])
    delta = m_g[rest] - ridge_m_g
    computed = {
        "delta_m_g": delta,
        "q_fixed_primary": q_fixed_primary(ridge_m_g, delta, feh[rest], job.log_age),
        "q_fixed_colour": q_fixed_colour(colour[rest], delta, feh[rest], job.log_age),
    }
    for name, value in computed.items():
        whole = _numbers(found[name])
        whole[rest] = value
        found[name] = whole
    return found


def _take(column: pa.ChunkedArray, row_S: IntArray) -> pa.ChunkedArray:
    """Values of one row per star; null where the row is -1."""
    return column.take(pa.array(row_S, mask=row_S < 0))


def _numbers(column: Any) -> FloatArray:
    """Float64 array with NaN for null."""
    return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _array(values: Any, kind: pa.DataType) -> Any:
    if isinstance(values, np.ndarray):
        values = pa.array(values, from_pandas=True)
    return values.cast(kind)
