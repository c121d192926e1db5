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
    mass1_msun, log_age, mh : numpy.ndarray
        Primary's mass, log10 age in years, [M/H].
    q : numpy.ndarray
        Mass ratio, NaN for single stars.
    primary, secondary : IsochroneStars
        Both stars; the secondary's values are NaN for single stars and for companions below the
        isochrones (dark ones).
    """

    mass1_msun: NDArray[np.float64]
    log_age: NDArray[np.float64]
    mh: NDArray[np.float64]
    q: NDArray[np.float64]
    primary: IsochroneStars
    secondary: IsochroneStars

    @property
    def light_B2(self) -> NDArray[np.float64]:
        """g-band light of both stars, 0 where there is none."""
        band = BANDS.index("sdss_g")
        mag_B2 = np.stack([self.primary.mag_BK[:, band], self.secondary.mag_BK[:, band]], axis=1)
        return np.where(np.isfinite(mag_B2), 10 ** (-0.4 * np.nan_to_num(mag_B2)), 0.0)

    @property
    def teff_B2(self) -> NDArray[np.float64]:
        """Effective temperature of both stars in K."""
        return np.stack([self.primary.teff_k, self.secondary.teff_k], axis=1)

    @property
    def logg_B2(self) -> NDArray[np.float64]:
        """Surface gravity (log10 cgs) of both stars."""
        return np.stack([self.primary.logg, self.secondary.logg], axis=1)

    def take(self, rows: NDArray[np.intp]) -> "Systems":
        """Return some of the systems."""
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
    """Put both stars of each system on the isochrone of its age and metallicity."""
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
    """List the stars that shine, primaries first, each with its own velocity and scatter.

    Parameters
    ----------
    systems : Systems
        B systems; system b's light goes into spectrum b.
    velocity_B2 : numpy.ndarray
        Velocity of both stars in km/s, shape (B, 2).
    scatter : list of StarScatter
        Of the primaries and of the secondaries.
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
