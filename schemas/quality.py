"""Quality bits of an observation: why a row is to be used with care, or not at all."""

from enum import IntFlag


class QualityFlag(IntFlag):
    """Bits of the column ``quality``; the docstring of a bit is its meaning in the dictionary."""

    REFUSED = 1 << 0
    SUPERSEDED = 1 << 1
    NO_OBSID = 1 << 2
    NO_CATALOGUE = 1 << 3
    NO_VELOCITY = 1 << 4
    NOT_FINITE = 1 << 5
    NEGATIVE_IVAR = 1 << 6
    TOO_MANY_BAD_PIXELS = 1 << 7
    NO_POSITION = 1 << 8


MEANING: dict[QualityFlag, str] = {
    QualityFlag.REFUSED: "the file could not be read; the column `reason` says why",
    QualityFlag.SUPERSEDED: "a newer pipeline's file of the same exposure exists; not counted",
    QualityFlag.NO_OBSID: "the file has no OBSID and the catalogue does not supply one",
    QualityFlag.NO_CATALOGUE: "no row of the stellar catalogue belongs to this exposure",
    QualityFlag.NO_VELOCITY: "no radial velocity; the spectrum stays in the observed frame",
    QualityFlag.NOT_FINITE: "some flux or ivar is not finite (those pixels are bad)",
    QualityFlag.NEGATIVE_IVAR: "some ivar is negative (those pixels are bad)",
    QualityFlag.TOO_MANY_BAD_PIXELS: "more bad pixels in the used range than allowed; no p_b",
    QualityFlag.NO_POSITION: "no position; the spectrum forms a star of its own",
}

UNCOUNTED = QualityFlag.REFUSED | QualityFlag.SUPERSEDED
"""Rows with one of these bits are never counted downstream."""


class PhotometryFlag(IntFlag):
    """Bits of the column ``flags`` of the photometry."""

    NO_GAIA = 1 << 0
    NO_TMASS = 1 << 1
    BLENDED = 1 << 2
    NO_REDDENING = 1 << 3
    NO_ZERO_POINT = 1 << 4
    NO_DISTANCE = 1 << 5
    NO_COLOUR = 1 << 6


PHOTOMETRY_MEANING: dict[PhotometryFlag, str] = {
    PhotometryFlag.NO_GAIA: "no Gaia source within the radius, or no position",
    PhotometryFlag.NO_TMASS: "no 2MASS source",
    PhotometryFlag.BLENDED: "a second Gaia source within the radius is less than 2 mag fainter",
    PhotometryFlag.NO_REDDENING: "no E(B-V)",
    PhotometryFlag.NO_ZERO_POINT: "parallax zero point not valid; none was subtracted",
    PhotometryFlag.NO_DISTANCE: "no distance of the wanted quality",
    PhotometryFlag.NO_COLOUR: "no intrinsic colour (G-Ks)0",
}


class CutFlag(IntFlag):
    """Bits of the columns ``failed`` and ``missing`` of the cuts, in the order of the cut flow."""

    TEFF = 1 << 0
    LOGG = 1 << 1
    COLOUR = 1 << 2
    SNR_G = 1 << 3
    PARALLAX = 1 << 4
    M_G = 1 << 5


CUT_MEANING: dict[CutFlag, str] = {
    CutFlag.TEFF: "effective temperature of the A, F, G and K stars",
    CutFlag.LOGG: "surface gravity of dwarfs",
    CutFlag.COLOUR: "intrinsic colour (G-Ks)0",
    CutFlag.SNR_G: "signal-to-noise in g",
    CutFlag.PARALLAX: "parallax less its zero point; training sample only",
    CutFlag.M_G: "absolute magnitude M_G; training sample only",
}
