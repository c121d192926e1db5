"""Rows of the stellar catalogue: what the survey publishes about each spectrum."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.lamost.names import ExposureName, format_name
from pipeline.simulate.catalogues import LRS_STELLAR
from pipeline.simulate.exposures import Exposures
from pipeline.simulate.naming import designation, subclass_of
from pipeline.simulate.survey import Visit, obsid_of
from pipeline.spectra.velocity import SPEED_OF_LIGHT_KMS
from pipeline.stars.isochrone import BANDS

MISSING = -9999.0
NO_PARAMETERS = 0.01
"""Share of rows without Teff, log g, [Fe/H] and velocity."""

NO_REDSHIFT = 0.003
NO_SNR = 0.003
TEFF_VALID_K = (3700.0, 8500.0)
"""The parameter pipeline gives nothing outside; real catalogues of A to K stars are alike."""


def observation_rows(
    rng: np.random.Generator,
    visit: Visit,
    spectra: Exposures,
    spid: NDArray[np.int64],
    fiberid: NDArray[np.int64],
    ra_deg: NDArray[np.float64],
    dec_deg: NDArray[np.float64],
    source_id: NDArray[np.int64],
    mag_VK: NDArray[np.float64],
) -> dict[str, Any]:
    """Columns of the stellar catalogue for one visit, and ``path`` and ``midmjm``.

    Parameters
    ----------
    rng : numpy.random.Generator
        Decides where values are missing (-9999; errors -9999 with them).
    visit, spectra : Visit, Exposures
        When, and what was measured.
    spid, fiberid, source_id : ndarray of int64, (V,)
        Spectrograph, fibre and Gaia source of the spectra.
    ra_deg, dec_deg : ndarray of float64, (V,)
        Positions.
    mag_VK : ndarray of float64, (V, K)
        Apparent magnitudes in ``BANDS``.

    Returns
    -------
    dict of str to ndarray
        Columns of V entries each.
    """
    n = len(spid)
    measured = spectra.measured
    bad = rng.random((3, n))
    none = (bad[0] < NO_PARAMETERS) | (measured.teff_k < TEFF_VALID_K[0])
    none |= measured.teff_k > TEFF_VALID_K[1]
    obsid = obsid_of(visit, spid, fiberid)
    names = [designation(a, d) for a, d in zip(ra_deg.tolist(), dec_deg.tolist(), strict=True)]

    def given(value: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
        return np.where(none, MISSING, np.round(value, digits))

    def constant(value: Any) -> NDArray[Any]:
        return np.full(n, value)

    no_redshift = bad[1] < NO_REDSHIFT
    snr = np.round(spectra.snr_V5, 2)
    snr[:, 1] = np.where(bad[2] < NO_SNR, MISSING, snr[:, 1])
    exposures = [
        format_name(ExposureName(visit.lmjd, visit.planid, int(s), int(f)))
        for s, f in zip(spid, fiberid, strict=True)
    ]
    bands = [BANDS.index(f"sdss_{b}") for b in "gri"]
    subclass = np.array([subclass_of(t) for t in measured.teff_k.tolist()])
    return {
        "obsid": obsid,
        "uid": np.array([f"G{i % 10**14:014d}" for i in source_id.tolist()]),
        "gp_id": np.array([str(i % 10**14) for i in source_id.tolist()]),
        "designation": np.array(names),
        "obsdate": constant(visit.evening.isoformat()),
        "lmjd": constant(visit.lmjd),
        "mjd": constant(visit.lmjd - 1),
        "planid": constant(visit.planid),
        "spid": spid,
        "fiberid": fiberid,
        "ra_obs": ra_deg,
        "dec_obs": dec_deg,
        **{f"snr{b}": snr[:, i] for i, b in enumerate("ugriz")},
        "class": constant("STAR"),
        "subclass": np.where(no_redshift, "Non", subclass),
        "z": np.where(no_redshift, MISSING, np.round(measured.rv_kms / SPEED_OF_LIGHT_KMS, 8)),
        "z_err": np.where(
            no_redshift, MISSING, np.round(measured.rv_error_kms / SPEED_OF_LIGHT_KMS, 8)
        ),
        "ps_id": source_id // 7,
        **{f"mag_ps_{b}": np.round(mag_VK[:, k], 2) for b, k in zip("gri", bands, strict=True)},
        "mag_ps_z": constant(99.0),
        "mag_ps_y": constant(-999.0),
        "gaia_source_id": source_id,
        "gaia_g_mean_mag": np.round(mag_VK[:, BANDS.index("g_mag")], 3),
        "fibertype": constant("Obj"),
        "offsets": constant("f"),
        "offsets_v": constant(0.0),
        "ra": ra_deg,
        "dec": dec_deg,
        "teff": given(measured.teff_k, 2),
        "teff_err": given(measured.teff_error_k, 2),
        "logg": given(measured.logg, 3),
        "logg_err": given(measured.logg_error, 3),
        "feh": given(measured.feh, 3),
        "feh_err": given(measured.feh_error, 3),
        "rv": given(measured.rv_kms, 2),
        "rv_err": given(measured.rv_error_kms, 2),
        "alpha_m": constant(MISSING),
        "alpha_m_err": constant(MISSING),
        "vsini_lasp": constant(MISSING),
        "path": np.array([f"{visit.folder}/{name}" for name in exposures]),
        "midmjm": constant(visit.lmjm),
        "velocity1_kms": spectra.velocity_V2[:, 0],
        "velocity2_kms": spectra.velocity_V2[:, 1],
        "star": spectra.star_V,
        "mjd_utc": constant(visit.mjd_utc),
        "table_layout": constant(visit.table_layout),
    }


def stellar_table(rows: dict[str, Any]) -> pa.Table:
    """Rows of one field in the columns of ``LRS_stellar``, in their order."""
    return pa.table({name: pa.array(rows[name]) for name in LRS_STELLAR})
