"""What is true about the simulated stars; read by validation only."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.simulate.population import Population


def truth_stars(
    stars: Population,
    source_id: NDArray[np.int64],
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
) -> pa.Table:
    """One row per star: kind, masses, mass ratio, orbit, distance, reddening.

    ``light_ratio_g`` is the secondary's light over the primary's in g; 0 for single stars and for
    companions below the isochrones.

    Parameters
    ----------
    stars : Population
        S stars.
    source_id : ndarray of int64, (S,)
        Their Gaia sources.
    ra_deg, dec_deg : ndarray of float64, (S,)
        Their positions at epoch 2016.0.

    Returns
    -------
    pyarrow.Table
        S rows.
    """
    systems, orbits = stars.systems, stars.orbits
    pair = stars.kind == "pair"
    light = systems.light_B2

    def of_pairs(value: NDArray[np.float64]) -> pa.Array:
        return pa.array(np.where(pair, value, np.nan), pa.float64(), from_pandas=True)

    return pa.table(
        {
            "source_id": source_id,
            "ra": ra_deg,
            "dec": dec_deg,
            "kind": pa.array(stars.kind.tolist(), pa.string()),
            "eclipsing": pa.array([x or None for x in stars.eclipsing.tolist()], pa.string()),
            "mass1_msun": pa.array(systems.mass1_msun, from_pandas=True),
            "mass2_msun": of_pairs(systems.q * systems.mass1_msun),
            "q": of_pairs(systems.q),
            "log_age": systems.log_age,
            "mh": systems.mh,
            "teff1_k": systems.primary.teff_k,
            "logg1": systems.primary.logg,
            "teff2_k": of_pairs(systems.secondary.teff_k),
            "light_ratio_g": light[:, 1] / light[:, 0],
            "period_day": of_pairs(orbits.period_day),
            "eccentricity": of_pairs(orbits.eccentricity),
            "cos_i": of_pairs(orbits.cos_i),
            "systemic_kms": stars.systemic_kms,
            "distance_pc": stars.distance_pc,
            "e_bv": stars.e_bv,
        }
    )


def truth_observations(
    stars: Population, source_id: NDArray[np.int64], rows: dict[str, Any]
) -> pa.Table:
    """One row per spectrum: its star, its file, and the velocities of its stars.

    Parameters
    ----------
    stars : Population
        The stars of the field.
    source_id : ndarray of int64, (S,)
        Their Gaia sources.
    rows : dict of str to ndarray
        As from :func:`pipeline.simulate.observation_rows.observation_rows`, of all visits.

    Returns
    -------
    pyarrow.Table
        In the order of ``rows``.
    """
    star = rows["star"]
    return pa.table(
        {
            "obsid": rows["obsid"],
            "source_id": source_id[star],
            "uid": rows["uid"].tolist(),
            "path": rows["path"].tolist(),
            "layout": np.where(rows["table_layout"], "table", "image").tolist(),
            "mjd_utc": rows["mjd_utc"],
            "kind": stars.kind[star].tolist(),
            "q": pa.array(
                np.where(stars.kind[star] == "pair", stars.systems.q[star], np.nan),
                from_pandas=True,
            ),
            "velocity1_kms": rows["velocity1_kms"],
            "velocity2_kms": pa.array(rows["velocity2_kms"], from_pandas=True),
        }
    )
