"""Star-to-star scatter: what makes two stars of the same labels differ."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.stars import ScatterSettings
from pipeline.stars.products import product
from pipeline.stars.templates import load_templates

GROUPS: dict[str, tuple[tuple[float, float], ...]] = {
    "calcium": ((3934.8, 14.0), (3969.6, 14.0), (4227.9, 5.0), (6104.4, 3.0), (6123.9, 4.0),
                (6163.9, 4.0), (6441.0, 4.0), (8500.4, 8.0), (8544.4, 10.0), (8664.5, 9.0)),
    "carbon": ((4305.0, 18.0), (4216.0, 25.0), (3872.0, 25.0), (5160.0, 18.0)),
    "magnesium": ((5169.0, 5.0), (5174.1, 5.0), (5185.0, 6.0), (5120.0, 60.0), (4704.3, 4.0),
                  (5530.0, 4.0), (8809.2, 4.0)),
    "sodium": ((5891.6, 6.0), (5897.6, 6.0), (8185.5, 4.0), (8197.1, 4.0)),
    "hydrogen": ((3890.2, 12.0), (3971.2, 14.0), (4102.9, 20.0), (4341.7, 22.0), (4862.7, 22.0),
                 (6564.6, 22.0)),
    "titanium": ((4535.0, 20.0), (4992.0, 16.0), (5036.0, 10.0), (6261.0, 6.0)),
}  # fmt: skip
"""Named groups of lines: vacuum wavelength and half width in Angstrom."""

ACTIVE_LINES = ((3934.8, 1.0), (3969.6, 0.9), (6564.6, 0.35), (8500.4, 0.10), (8544.4, 0.12),
                (8664.5, 0.11))  # fmt: skip
"""Chromospheric lines and their fill-in relative to Ca II K. [assumed]"""

PATTERN_SEED = 20120401
"""Seed of the random groups: they are part of the model, the same in every survey."""


@dataclass(frozen=True)
class StarScatter:
    """Draws for C stars.

    Parameters
    ----------
    abundance_CE : ndarray of float32, (C, E)
        Natural logarithm of the factor on the line depth of each group.
    activity_C : ndarray of float32, (C,)
        Chromospheric fill-in at Ca II K, over the continuum.
    vsini_kms_C : ndarray of float64, (C,)
        Projected rotation.
    """

    abundance_CE: NDArray[np.float32]
    activity_C: NDArray[np.float32]
    vsini_kms_C: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp] | slice) -> "StarScatter":
        """Return the draws of some of the stars.

        Parameters
        ----------
        rows : ndarray of intp or slice
            Which of them.

        Returns
        -------
        StarScatter
            In the order of ``rows``.
        """
        return StarScatter(self.abundance_CE[rows], self.activity_C[rows], self.vsini_kms_C[rows])


@lru_cache(maxsize=2)
def group_patterns(n_random: int, length_angstrom: float) -> NDArray[np.float32]:
    """Weight of each group of lines at each wavelength of the templates.

    Parameters
    ----------
    n_random : int
        Number of random groups: smooth noise of unit scatter, always the same realisation.
    length_angstrom : float
        Correlation length of the random groups.

    Returns
    -------
    ndarray of float32, (E, P)
        Named groups first, between 0 and 1; then the random ones, scaled so that their sum in
        quadrature is 1 on average.
    """
    wave_P = 10 ** load_templates().log10_wave_P
    named = [
        np.clip(sum(np.exp(-(((wave_P - w) / h) ** 4)) for w, h in lines), 0, 1)
        for lines in GROUPS.values()
    ]
    rng = np.random.default_rng(PATTERN_SEED)
    knots = np.arange(wave_P[0], wave_P[-1] + length_angstrom, length_angstrom)
    shape = (n_random, len(knots))
    active = rng.random(shape) < 0.25
    values = active * rng.standard_normal(shape) * np.sqrt(4.0 / max(n_random, 1))
    random = [np.interp(wave_P, knots, row) for row in values]
    return np.asarray([*named, *random], dtype=np.float32)


@lru_cache(maxsize=1)
def emission_pattern() -> NDArray[np.float32]:
    """Chromospheric emission at R = 2500 for unit fill-in at Ca II K.

    Returns
    -------
    ndarray of float32, (P,)
        Over the continuum.
    """
    model = load_templates()
    wave_P = 10**model.log10_wave_P
    sigma = wave_P / model.resolution / 2.3548
    lines = [f * np.exp(-0.5 * ((wave_P - w) / sigma) ** 2) for w, f in ACTIVE_LINES]
    return np.asarray(np.sum(lines, axis=0), dtype=np.float32)


def draw_scatter(
    rng: np.random.Generator,
    teff_B2: NDArray[np.float64],
    settings: ScatterSettings,
) -> list[StarScatter]:
    """Scatter of both stars of B systems.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers; as many are drawn whatever the settings' sizes.
    teff_B2 : ndarray of float64, (B, 2)
        Effective temperature in K of primaries and secondaries.
    settings : ScatterSettings
        Priors.

    Returns
    -------
    list of StarScatter
        Primaries, secondaries. The two stars of a pair share most of their abundances.
    """
    n_system = len(teff_B2)
    n_group = len(GROUPS) + settings.n_random_groups
    common_BE = rng.standard_normal((n_system, n_group))
    own_B2E = rng.standard_normal((n_system, 2, n_group))
    activity_B2 = rng.standard_normal((n_system, 2))
    vsini_B2 = rng.standard_normal((n_system, 2))
    on = float(settings.enabled)
    shared = settings.shared_fraction
    abundance_B2E = np.sqrt(shared) * common_BE[:, None] + np.sqrt(1 - shared) * own_B2E
    cooler_B2 = np.clip((6500 - teff_B2) / 1500, 0.2, 2.0)
    fill_B2 = settings.activity_median * np.exp(settings.activity_sigma * activity_B2) * cooler_B2
    rotation_B2 = settings.vsini_median_kms * np.exp(settings.vsini_sigma * vsini_B2)
    return [
        StarScatter(
            abundance_CE=(on * settings.abundance_sigma * abundance_B2E[:, s]).astype(np.float32),
            activity_C=(on * np.clip(fill_B2[:, s], 0, 0.5)).astype(np.float32),
            vsini_kms_C=on * np.clip(rotation_B2[:, s], 0, 80),
        )
        for s in (0, 1)
    ]


def scatter_lines(
    flux_CP: NDArray[np.float32], stars: StarScatter, settings: ScatterSettings
) -> NDArray[np.float32]:
    """Change the lines of normalised single-star spectra, in place.

    Each group's depth is multiplied by its own factor, then the chromosphere fills in the cores.
    The continuum does not change, so the lines alone differ.

    Parameters
    ----------
    flux_CP : ndarray of float32, (C, P)
        Normalised flux (continuum = 1) of *one component each*: never of a sum.
    stars : StarScatter
        One draw per row.
    settings : ScatterSettings
        Priors (sizes of the groups).

    Returns
    -------
    ndarray of float32, (C, P)
        ``flux_CP``.
    """
    patterns_EP = group_patterns(settings.n_random_groups, settings.group_angstrom)
    factor_CP = product(stars.abundance_CE, patterns_EP)
    np.exp(factor_CP, out=factor_CP)
    np.subtract(1, flux_CP, out=flux_CP)
    flux_CP *= factor_CP
    np.subtract(1, flux_CP, out=flux_CP)
    flux_CP += stars.activity_C[:, None] * emission_pattern()
    return np.maximum(flux_CP, np.float32(1e-3), out=flux_CP)
