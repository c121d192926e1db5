"""Quality bits: why a row is to be used with care, or not at all."""

from enum import IntFlag
from typing import Self


class Bits(IntFlag):
    """Bits of an integer column. Each member is given once, as its value and its meaning."""

    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Make a member that carries its meaning.

        Parameters
        ----------
        value : int
            The bit.
        meaning : str
            What it says, for the data dictionary.
        """
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class QualityFlag(Bits):
    """Bits of the column ``quality``; those of a star are the OR over its spectra."""

    REFUSED = 1 << 0, "the file could not be read; the column `reason` says why"
    SUPERSEDED = 1 << 1, "a newer pipeline's file of the same exposure exists; not counted"
    NO_OBSID = 1 << 2, "the file has no OBSID and the catalogue does not supply one"
    NO_CATALOGUE = 1 << 3, "no row of the stellar catalogue belongs to this exposure"
    NO_VELOCITY = 1 << 4, "no radial velocity; the spectrum stays in the observed frame"
    NOT_FINITE = 1 << 5, "some flux or ivar is not finite (those pixels are bad)"
    NEGATIVE_IVAR = 1 << 6, "some ivar is negative (those pixels are bad)"
    TOO_MANY_BAD_PIXELS = 1 << 7, "more bad pixels in the used range than allowed; no p_b"
    NO_POSITION = 1 << 8, "no position; the spectrum forms a star of its own"
    NO_PARAMETERS = 1 << 9, "Teff, log g or [Fe/H] is missing; whether p_b applies is unknown"
    OUTSIDE_TEFF = 1 << 10, "Teff lies outside the range of the network's training"
    OUTSIDE_LOGG = 1 << 11, "log g lies outside the range of the network's training"
    OUTSIDE_FEH = 1 << 12, "[Fe/H] lies outside the range of the network's training"
    OUTSIDE_SNR = 1 << 13, "S/N in g lies outside the range of the network's training"
    UNKNOWN_RANGE = 1 << 14, "the network's card states no training range"
    IN_TRAINING = 1 << 15, "the network was trained on this star"
    NOT_A_STAR = 1 << 16, "LAMOST's class is GALAXY, QSO or another that is not STAR"
    GIANT = 1 << 17, "log g says that the star is a giant; p_b is made for dwarfs"
    BLENDED = 1 << 18, "a second Gaia source in the fibre is less than 2 mag fainter"
    SUSPECT_DISTANCE = 1 << 19, "farther than a dwarf can be seen: a wrong parallax or a giant"
    UNLIKE_TRAINING = 1 << 20, "the spectrum is unlike those that the network was trained on"


UNCOUNTED = QualityFlag.REFUSED | QualityFlag.SUPERSEDED
"""Rows with one of these bits are never counted downstream."""


class PhotometryFlag(Bits):
    """Bits of the column ``flags`` of the photometry."""

    NO_GAIA = 1 << 0, "no Gaia source within the radius, or no position"
    NO_TMASS = 1 << 1, "no 2MASS source"
    BLENDED = 1 << 2, "a second Gaia source within the radius is less than 2 mag fainter"
    NO_REDDENING = 1 << 3, "no E(B-V)"
    NO_ZERO_POINT = 1 << 4, "parallax zero point not valid; none was subtracted"
    NO_DISTANCE = 1 << 5, "no distance of the wanted quality"
    NO_COLOUR = 1 << 6, "no intrinsic colour (G-Ks)0"


class CutFlag(Bits):
    """Bits of the columns ``failed`` and ``missing`` of the cuts, in the order of the cut flow."""

    TEFF = 1 << 0, "effective temperature of the A, F, G and K stars"
    LOGG = 1 << 1, "surface gravity of dwarfs"
    COLOUR = 1 << 2, "intrinsic colour (G-Ks)0"
    SNR_G = 1 << 3, "signal-to-noise in g"
    PARALLAX = 1 << 4, "parallax less its zero point; training sample only"
    M_G = 1 << 5, "absolute magnitude M_G; training sample only"
