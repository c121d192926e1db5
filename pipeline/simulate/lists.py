"""Lists from the literature: eclipsing binaries and planet hosts, in the columns of the sources."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.simulate.naming import designation
from pipeline.simulate.photometry import ObservedSources
from pipeline.simulate.population import Population
from pipeline.stars.isochrone import BANDS


def eclipsing_table(
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    stars: Population,
    sources: ObservedSources,
    source_id: NDArray[np.int64],
) -> pa.Table:
    """Eclipsing binaries of types EA and EW, in columns of Chen et al. 2020 (ApJS 249, 18).

    Parameters
    ----------
    ra_deg, dec_deg : ndarray of float64, (S,)
        Positions of the field's stars.
    stars : Population
        The stars.
    sources : ObservedSources
        Their magnitudes.
    source_id : ndarray of int64, (S,)
        Their Gaia sources.

    Returns
    -------
    pyarrow.Table
        One row per eclipsing binary.
    """
    rows = np.flatnonzero(stars.eclipsing != "")
    return pa.table(
        {
            "ID": pa.array([f"ZTF{designation(ra_deg[i], dec_deg[i])}" for i in rows], pa.string()),
            "SourceID": pa.array(source_id[rows] % 10**9, pa.int64()),
            "RAdeg": pa.array(ra_deg[rows], pa.float64()),
            "DEdeg": pa.array(dec_deg[rows], pa.float64()),
            "Per": pa.array(stars.orbits.period_day[rows], pa.float64()),
            "gmag": pa.array(sources.mag_SK[rows, BANDS.index("sdss_g")], pa.float64()),
            "rmag": pa.array(sources.mag_SK[rows, BANDS.index("sdss_r")], pa.float64()),
            "Type": pa.array(stars.eclipsing[rows].tolist(), pa.string()),
        }
    )


def planet_table(
    rng: np.random.Generator,
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    stars: Population,
    sources: ObservedSources,
    source_id: NDArray[np.int64],
    share: float,
) -> pa.Table:
    """Planet hosts, in columns of the NASA Exoplanet Archive (``pscomppars``); one planet each.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    ra_deg, dec_deg : ndarray of float64, (S,)
        Positions of the field's stars.
    stars : Population
        The stars.
    sources : ObservedSources
        Their magnitudes.
    source_id : ndarray of int64, (S,)
        Their Gaia sources.
    share : float
        Share of the stars, giants left out, that are hosts.

    Returns
    -------
    pyarrow.Table
        One row per planet.
    """
    rows = np.flatnonzero((rng.random(len(source_id)) < share) & (stars.kind != "giant"))
    hosts = [f"SIM-{int(source_id[i]) % 10**10}" for i in rows]
    primary = stars.systems.primary
    return pa.table(
        {
            "pl_name": pa.array([f"{host} b" for host in hosts], pa.string()),
            "hostname": pa.array(hosts, pa.string()),
            "default_flag": pa.array([1] * len(rows), pa.int64()),
            "gaia_dr3_id": pa.array([f"Gaia DR3 {int(source_id[i])}" for i in rows], pa.string()),
            "ra": pa.array(ra_deg[rows], pa.float64()),
            "dec": pa.array(dec_deg[rows], pa.float64()),
            "sy_dist": pa.array(stars.distance_pc[rows], pa.float64()),
            "sy_gaiamag": pa.array(sources.mag_SK[rows, BANDS.index("g_mag")], pa.float64()),
            "st_teff": pa.array(primary.teff_k[rows], pa.float64()),
            "st_logg": pa.array(primary.logg[rows], pa.float64()),
            "pl_orbper": pa.array(10 ** rng.uniform(0.3, 2.5, len(rows)), pa.float64()),
            "disc_year": pa.array(rng.integers(2010, 2025, len(rows)), pa.int64()),
        }
    )
