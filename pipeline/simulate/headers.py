"""Header cards of a simulated spectrum, with the keys of the survey's two generations."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.simulate.survey import MJD_EPOCH, Visit
from pipeline.simulate.writer import Card

EXPOSURE_MINUTES = 30


@dataclass(frozen=True)
class Target:
    """What the header of one spectrum says about its star.

    Parameters
    ----------
    obsid, filename, spid, fiberid : int, str, int, int
        Number, name, spectrograph and fibre of the spectrum.
    ra_deg, dec_deg : float
        Position.
    designation : str
        Name of the target.
    mag : tuple of float
        Magnitudes in g, r, i.
    subclass : str
        Spectral class.
    z, z_err : float
        Redshift and its error.
    snr : tuple of float
        S/N in u, g, r, i, z.
    helio_rv_kms : float
        Heliocentric correction.
    log10_first : float
        log10 of the first wavelength in Angstrom.
    normalised : bool
        The file has the survey's normalised flux.
    """

    obsid: int
    filename: str
    spid: int
    fiberid: int
    ra_deg: float
    dec_deg: float
    designation: str
    mag: tuple[float, float, float]
    subclass: str
    z: float
    z_err: float
    snr: tuple[float, float, float, float, float]
    helio_rv_kms: float
    log10_first: float
    normalised: bool


def visit_cards(visit: Visit) -> tuple[list[Card], list[Card]]:
    """Cards that all spectra of a visit share.

    Parameters
    ----------
    visit : Visit
        When, and in which layout.

    Returns
    -------
    before, after : list of Card
        Those before and those after the star's own.
    """
    local = datetime.combine(MJD_EPOCH, datetime.min.time()) + timedelta(minutes=visit.lmjm)
    begin = local - timedelta(minutes=EXPOSURE_MINUTES)
    end = local + timedelta(minutes=EXPOSURE_MINUTES)
    utc = local - timedelta(hours=8)
    release = "LAMOST DR10" if visit.table_layout else "LAMOST DR8"
    minutes = "-".join(str(visit.lmjm + shift) for shift in (-20, 0, 20))
    before: list[Card] = [
        ("COMMENT", "", "--------FILE INFORMATION"),
        ("AUTHOR", "LAMOST Pipeline", "Who compiled the information"),
        ("DATA_V", release, "Data release version"),
        ("N_EXTEN", 2 if visit.table_layout else 1, "The extension number"),
        ("ORIGIN", "pairspec", "Simulated, not observed"),
        ("SIMULATE", True, "This spectrum is simulated"),
        ("DATE", "2023-03-13T03:43:28", "Time when this HDU is created (UTC)"),
        ("COMMENT", "", "--------TELESCOPE PARAMETERS"),
        ("TELESCOP", "LAMOST", "GuoShouJing Telescope"),
        ("LONGITUD", 117.58, "[deg] Longitude of site"),
        ("LATITUDE", 40.39, "[deg] Latitude of site"),
        ("COMMENT", "", "--------OBSERVATION PARAMETERS"),
        ("DATE-OBS", f"{utc:%Y-%m-%dT%H:%M:%S}.00", "The observation median UTC"),
        ("DATE-BEG", f"{begin:%Y-%m-%dT%H:%M:%S}.0", "The observation start local time"),
        ("DATE-END", f"{end:%Y-%m-%dT%H:%M:%S}.0", "The observation end local time"),
        ("LMJD", visit.lmjd, "Local Modified Julian Day"),
        ("MJD", visit.lmjd - 1, "Modified Julian Day"),
        ("LMJMLIST", minutes, "Local Modified Julian Minute list"),
        ("PLANID", visit.planid, "Plan ID in use"),
        ("NEXP", 3, "Number of valid exposures"),
        ("EXPTIME", 3600.0, "[s] Minimum of exposure time for all cameras"),
        ("SEEING", 3.4, "[arcsec] Seeing during exposure"),
        ("TEMPCCDB", -999.0, "[deg] The temperature of blue CCD"),
        ("DUST", "", "Reservation"),
    ]
    after: list[Card] = [
        ("VERSPIPE", "v2.9.8" if visit.table_layout else "v2.9.7", "Version of Pipeline"),
        ("CLASS", "STAR", "Class of object"),
    ]
    if not visit.table_layout:
        layers = "Flux, Inverse, Wavelength, Andmask, Ormask"
        before.insert(3, ("EXTEN0", layers, "The extension number"))
        before.insert(5, ("EXTNAME", "Flux", "The extension name"))
    return before, after


def target_cards(visit: Visit, shared: tuple[list[Card], list[Card]], target: Target) -> list[Card]:
    """All cards of one spectrum after the structural ones.

    Parameters
    ----------
    visit : Visit
        When, and in which layout.
    shared : tuple of list of Card
        As from :func:`visit_cards`.
    target : Target
        What is said about the star.

    Returns
    -------
    list of Card
        In the order of the survey's files.
    """
    before, after = shared
    own: list[Card] = [
        ("FILENAME", target.filename, ""),
        ("OBSID", target.obsid, "Unique number ID of this spectrum"),
        ("SPID", target.spid, "Spectrograph ID"),
        ("FIBERID", target.fiberid, "Fiber ID of Object"),
        ("RA", target.ra_deg, "[deg] Right ascension of object"),
        ("DEC", target.dec_deg, "[deg] Declination of object"),
        ("RA_OBS", target.ra_deg, "[deg] Right ascension during observing"),
        ("DEC_OBS", target.dec_deg, "[deg] Declination during observing"),
        ("OFFSET", False, "Whether there's a offset during observing"),
        ("OFFSET_V", 0.0, "Offset value in arcsecond"),
        ("DESIG", target.designation, "Designation of LAMOST target"),
        ("OBJTYPE", "Star", "Object type from input catalog"),
        *_photometry(visit, target),
        ("HELIO", True, "Heliocentric correction"),
        ("HELIO_RV", target.helio_rv_kms, "[km/s] Heliocentric correction"),
        ("VACUUM", True, "Wavelengths are in vacuum"),
        ("COEFF0", round(target.log10_first, 4), "Central wavelength (log10) of first pixel"),
        ("COEFF1", 0.0001, "Log10 dispersion per pixel"),
        ("DC-FLAG", 1, "Log-linear flag"),
    ]
    results: list[Card] = [
        ("SUBCLASS", target.subclass, "Subclass of object"),
        ("Z", target.z, "Redshift of object"),
        ("Z_ERR", target.z_err, "Redshift error of object"),
        ("ZFLAG", "LASP", "Which method computes the redshift"),
        *((f"SNR{b}", s, f"SNR of {b.lower()} filter") for b, s in zip("UGRIZ", target.snr,
                                                                     strict=True)),
    ]  # fmt: skip
    return [*before, *own, *after, *results]


def _photometry(visit: Visit, target: Target) -> list[Card]:
    if visit.table_layout:
        names = ("MAG_PS_G", "MAG_PS_R", "MAG_PS_I")
        return [
            ("FIB_TYPE", "Obj", "Fiber type of object"),
            ("FIB_MASK", 0, "Bitmask of warning values, 0 means good"),
            *((n, m, "[mag] Magnitude of object") for n, m in zip(names, target.mag, strict=True)),
            ("MAG_PS_Z", 99.0, "[mag] Magnitude of object"),
            ("MAG_PS_Y", -999.0, "[mag] Magnitude of object"),
            ("NORM", int(target.normalised), "1 if there exists a normalizated spectrum"),
        ]
    names = ("MAG2", "MAG3", "MAG4")
    return [
        ("FIBERTYP", "Obj", "Fiber type of object"),
        ("FIBERMAS", 0, "Bitmask of warning values, 0 means all is well"),
        ("MAGTYPE", "ugriz", "Magnitude type of object"),
        ("MAG1", 99.0, "[mag] Mag1 of object"),
        *((n, m, "[mag] Magnitude of object") for n, m in zip(names, target.mag, strict=True)),
        ("MAG5", 99.0, "[mag] Mag5 of object"),
    ]
