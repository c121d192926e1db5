"""The colour-magnitude diagram of a simulated survey, without its spectra: fast, with truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.photometry.extinction import LAWS
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.parameters import measure
from pipeline.simulate.photometry import observe_sources
from pipeline.simulate.population import draw_population
from pipeline.stars.isochrone import BANDS

FloatArray = NDArray[np.float64]

_G, _BP, _RP, _KS = (BANDS.index(band) for band in ("g_mag", "bp_mag", "rp_mag", "ks_mag"))


@dataclass(frozen=True)
class Diagram:
    """S stars, each as one spectrum and the source catalogues show it, and as it is.

    Parameters
    ----------
    teff_k, logg, feh, snr_g : ndarray of float64, (S,)
        As the survey's catalogue gives them.
    parallax_mas : ndarray of float64, (S,)
        Measured, less the zero point.
    colour, m_g : ndarray of float64, (S,)
        (G-Ks)0 and M_G from measured magnitudes, the true reddening and 1/parallax; M_G is NaN
        where the parallax is not positive.
    kind : ndarray of str, (S,)
        ``single``, ``pair`` or ``giant``.
    q : ndarray of float64, (S,)
        True mass ratio; NaN for all but pairs.
    """

    teff_k: FloatArray
    logg: FloatArray
    feh: FloatArray
    snr_g: FloatArray
    parallax_mas: FloatArray
    colour: FloatArray
    m_g: FloatArray
    kind: NDArray[np.str_]
    q: FloatArray


def draw_diagram(rng: np.random.Generator, n: int, settings: SimulateSettings) -> Diagram:
    """Draw stars from the priors of the survey and measure them once.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n : int
        Number of stars.
    settings : SimulateSettings
        Priors and errors of the survey.

    Returns
    -------
    Diagram
        Of n stars.
    """
    stars = draw_population(rng, n, settings.population, settings.survey)
    sources = observe_sources(rng, stars)
    snr_g = np.exp(rng.uniform(np.log(settings.snr_min), np.log(settings.snr_max), n))
    systems = stars.systems
    still = np.zeros((n, 2))
    measured = measure(
        rng,
        systems.light_B2,
        systems.teff_B2,
        systems.logg_B2,
        systems.mh,
        still,
        snr_g,
        settings.errors,
    )
    seen = sources.mag_SK
    law = LAWS["casagrande2021"]
    g_0 = seen[:, _G] - law.a_g(seen[:, _BP] - seen[:, _RP], stars.e_bv)
    ks_0 = seen[:, _KS] - law.a_ks(stars.e_bv)
    parallax = sources.parallax_mas
    modulus = 5 * np.log10(np.where(parallax > 0, 100 / np.abs(parallax), np.nan))
    return Diagram(
        teff_k=measured.teff_k,
        logg=measured.logg,
        feh=measured.feh,
        snr_g=snr_g,
        parallax_mas=parallax,
        colour=g_0 - ks_0,
        m_g=g_0 - modulus,
        kind=stars.kind,
        q=systems.q,
    )
