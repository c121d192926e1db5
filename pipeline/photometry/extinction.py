"""Laws of extinction: how much a reddening dims G and Ks."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LawName = Literal["casagrande2021", "cardelli"]


@dataclass(frozen=True)
class Law:
    """Extinction over reddening, R = A / E(B-V), as polynomials in a colour.

    Parameters
    ----------
    r_g : numpy.polynomial.Polynomial
        R of G as a polynomial in X = (BP-RP) - ``colour_shift`` E(B-V).
    r_ks : float
        R of Ks.
    colour_shift : float
        Reddening of BP-RP over E(B-V), about.
    """

    r_g: Polynomial
    r_ks: float
    colour_shift: float

    def colour(self, bp_rp: Floats, e_bv: Floats) -> Floats:
        """Return X, nearly the intrinsic BP-RP."""
        return np.asarray(bp_rp - self.colour_shift * e_bv)

    def a_g(self, bp_rp: Floats, e_bv: Floats) -> Floats:
        """Return the extinction in G in magnitudes from the observed BP-RP."""
        return np.asarray(self.r_g(self.colour(bp_rp, e_bv)) * e_bv)

    def a_ks(self, e_bv: Floats) -> Floats:
        """Return the extinction in Ks in magnitudes."""
        return np.asarray(self.r_ks * e_bv)

    def slopes(self, bp_rp: Floats, e_bv: Floats) -> tuple[Floats, Floats]:
        """Return the derivatives of A_G by E(B-V) and by BP-RP."""
        x = self.colour(bp_rp, e_bv)
        by_colour = self.r_g.deriv()(x) * e_bv
        return np.asarray(self.r_g(x) - self.colour_shift * by_colour), np.asarray(by_colour)


LAWS: dict[LawName, Law] = {
    "casagrande2021": Law(Polynomial([2.609, -0.475, 0.053]), 0.306, 0.8),
    "cardelli": Law(Polynomial([3.071, -0.511, 0.058]), 0.366, 1.0),
}
"""Both of Casagrande et al. 2021, MNRAS 507, 2684, as in their code ``colte``: the first for
E(B-V) on the scale of SFD, the second after Cardelli et al. 1989 and O'Donnell 1994."""
