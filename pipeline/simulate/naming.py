"""Names that surveys make from positions."""


def _sexagesimal(value: float, digits: int) -> tuple[int, int, str]:
    """Whole units, minutes and truncated seconds as text of ``digits`` decimals."""
    ticks = int(value * 3600 * 10**digits)
    minutes, rest = divmod(ticks, 60 * 10**digits)
    whole, minute = divmod(minutes, 60)
    second = f"{rest:0{2 + digits}d}"
    return whole, minute, f"{second[:2]}.{second[2:]}" if digits else second


def designation(ra_deg: float, dec_deg: float) -> str:
    """Designation of a target in the spectroscopic survey, ``Jhhmmss.ss+ddmmss.s``.

    Parameters
    ----------
    ra_deg, dec_deg : float
        Position.

    Returns
    -------
    str
        The seconds are truncated, not rounded, as IAU names are.
    """
    hour, minute, second = _sexagesimal(ra_deg / 15, 2)
    degree, arcminute, arcsecond = _sexagesimal(abs(dec_deg), 1)
    sign = "-" if dec_deg < 0 else "+"
    return f"J{hour:02d}{minute:02d}{second}{sign}{degree:02d}{arcminute:02d}{arcsecond}"


def tmass_designation(ra_deg: float, dec_deg: float) -> str:
    """Designation in 2MASS: that of the survey without the dots."""
    return designation(ra_deg, dec_deg)[1:].replace(".", "")


def subclass_of(teff_k: float) -> str:
    """Spectral class and tenth from temperature, e.g. ``G2``: a rough scale of dwarfs."""
    bounds = (("M", 2400.0), ("K", 3900.0), ("G", 5300.0), ("F", 6000.0), ("A", 7300.0))
    tops = (3900.0, 5300.0, 6000.0, 7300.0, 10000.0)
    for (letter, low), top in zip(bounds, tops, strict=True):
        if teff_k < top:
            tenth = 9 - int(9.999 * (max(teff_k, low) - low) / (top - low))
            return f"{letter}{tenth}"
    return "A0"
