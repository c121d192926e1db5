"""Systems of one or two main-sequence stars of one age and metallicity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stars.composite import Components, model_labels
from pipeline.stars.isochrone import BANDS, IsochroneStars, main_sequence
from pipeline.stars.scatter import StarScatter


@dataclass(frozen=True)
class Systems:
    """B systems.

    Parameters
    ----------
    mass1_msun, log_age, mh : ndarray of float64, (B,)
        Mass of the primary (Sun = 1), log10 age in years, [M/H] in dex.
    q : ndarray of float64, (B,)
        Mass ratio, NaN for single stars.
    primary, secondary : IsochroneStars
        Both stars; the secondary's values are NaN for single stars and for companions below the
        isochrones, which give no light.
    """

    mass1_msun: NDArray[np.float64]
    log_age: NDArray[np.float64]
    mh: NDArray[np.float64]
    q: NDArray[np.float64]
    primary: IsochroneStars
    secondary: IsochroneStars

    @property
    def light_B2(self) -> NDArray[np.float64]:
        """g-band light of both stars (10^(-0.4 M_g)), 0 where there is none: (B, 2)."""
        band = BANDS.index("sdss_g")
        mag_B2 = np.stack([self.primary.mag_BK[:, band], self.secondary.mag_BK[:, band]], axis=1)
        return np.where(np.isfinite(mag_B2), 10 ** (-0.4 * np.nan_to_num(mag_B2)), 0.0)

    @property
    def teff_B2(self) -> NDArray[np.float64]:
        """Effective temperature of both stars in K: (B, 2)."""
        return np.stack([self.primary.teff_k, self.secondary.teff_k], axis=1)

    @property
    def logg_B2(self) -> NDArray[np.float64]:
        """Surface gravity (log10 cgs) of both stars: (B, 2)."""
        return np.stack([self.primary.logg, self.secondary.logg], axis=1)

    def take(self, rows: NDArray[np.intp]) -> "Systems":
        """Return some of the systems.

        Parameters
        ----------
        rows : ndarray of intp
            Which of them.

        Returns
        -------
        Systems
            In the order of ``rows``.
        """
        return Systems(
            self.mass1_msun[rows],
            self.log_age[rows],
            self.mh[rows],
            self.q[rows],
            self.primary.take(rows),
            self.secondary.take(rows),
        )


def build_systems(
    mass1_msun: NDArray[np.float64],
    q: NDArray[np.float64],
    log_age: NDArray[np.float64],
    mh: NDArray[np.float64],
) -> Systems:
    """Put both stars of each system on the isochrone of its age and metallicity.

    Parameters
    ----------
    mass1_msun : ndarray of float64, (B,)
        Mass of the primary (Sun = 1).
    q : ndarray of float64, (B,)
        Mass ratio, NaN for single stars.
    log_age : ndarray of float64, (B,)
        log10 age in years.
    mh : ndarray of float64, (B,)
        [M/H] in dex.

    Returns
    -------
    Systems
        Stars off the main sequence are marked as not ``valid``.
    """
    secondary_mass = np.where(np.isfinite(q), q * mass1_msun, -1.0)
    return Systems(
        mass1_msun,
        log_age,
        mh,
        q,
        main_sequence(mass1_msun, log_age, mh),
        main_sequence(secondary_mass, log_age, mh),
    )


def components_of(
    systems: Systems, velocity_B2: NDArray[np.float64], scatter: list[StarScatter]
) -> Components:
    """List the stars that give light, primaries first, each with its own velocity and scatter.

    Parameters
    ----------
    systems : Systems
        B systems; the light of system b goes into spectrum b.
    velocity_B2 : ndarray of float64, (B, 2)
        Velocity of both stars in km/s.
    scatter : list of StarScatter
        Of the primaries and of the secondaries.

    Returns
    -------
    Components
        One per star that has light.
    """
    owners, labels, radii, velocities, parts = [], [], [], [], []
    for s, stars in enumerate((systems.primary, systems.secondary)):
        rows = np.flatnonzero(stars.valid)
        label_C3, radius2_C = model_labels(stars.take(rows), systems.mh[rows])
        owners.append(rows)
        labels.append(label_C3)
        radii.append(radius2_C)
        velocities.append(velocity_B2[rows, s])
        parts.append(scatter[s].take(rows))
    return Components(
        owner_C=np.concatenate(owners),
        labels_C3=np.concatenate(labels),
        radius2_C=np.concatenate(radii),
        velocity_kms_C=np.concatenate(velocities),
        scatter=StarScatter(
            np.concatenate([p.abundance_CE for p in parts]),
            np.concatenate([p.activity_C for p in parts]),
            np.concatenate([p.vsini_kms_C for p in parts]),
        ),
    )
