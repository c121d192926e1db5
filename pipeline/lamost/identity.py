"""From header cards to the identity of a spectrum, the same for every generation of files."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

import pyarrow as pa

from pipeline.lamost.cards import CardValue
from pipeline.lamost.errors import Reason, SpectrumError
from pipeline.lamost.ranges import EXACT_LIMIT, column_range
from pipeline.lamost.spectrum import Header, Layout

KEYWORDS = frozenset(
    {"OBSID", "LMJD", "PLANID", "SPID", "FIBERID", "RA", "DEC", "CLASS", "SUBCLASS", "Z", "Z_ERR"}
    | {"SNRU", "SNRG", "SNRR", "SNRI", "SNRZ", "SN_U", "SN_G", "SN_R", "SN_I", "SN_Z"}
    | {"DATE-OBS", "LMJMLIST", "EXPTIME", "HELIO_RV", "FIBERTYP", "FIB_TYPE", "FIBERMAS"}
    | {"FIB_MASK", "VERSPIPE", "DATA_V", "DATE", "FILENAME", "DESIG"}
)
"""What `read_header` looks for."""

SENTINELS = frozenset({-9999.0, -999.0})
NO_SUBCLASS = "Non"
UNLABELLED_RELEASES = {"2.6.4": "DR1", "2.7.5": "DR2"}
"""Release of files that carry no DATA_V, by pipeline version."""

MINUTES_A_DAY = 1440
LOCAL_TIME_DAYS = 8 / 24
MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
MJD_RANGE = (40_000.0, 100_000.0)
MAX_TEXT = 1000
"""Characters of a text; a card has 68, more come from a chain of CONTINUE cards."""

_MEASURES = "ra_deg dec_deg z z_err snr_u snr_g snr_r snr_i snr_z exptime_s helio_rv_kms"
_NUMBERS = "obsid lmjd spid fiberid fibermask"
# Made once: looking types up for every file would cost a twentieth of the reading.
_RANGES = {name: column_range(name, pa.float64()) for name in _MEASURES.split()}
_RANGES |= {name: column_range(name, pa.int64()) for name in _NUMBERS.split()}

_RELEASE = re.compile(r"LAMOST (DR\d+)(?:[ _-](Q\d+))?")
_DIGITS = re.compile(r"[0-9]+")
_INTEGER = re.compile(r" *[+-]?[0-9]{1,18} *")


def read_header(
    cards: Mapping[str, CardValue], layout: Layout, path: str | os.PathLike[str]
) -> Header:
    """Gather the identity from a primary header.

    Parameters
    ----------
    cards : mapping
        Values by keyword, of at least those of `KEYWORDS` that the file has.
    layout : Layout
        Structure the cards came from.
    path : path-like
        For the error message.

    Raises
    ------
    SpectrumError
        If there is neither OBSID nor all of LMJD, PLANID, SPID and FIBERID.
    """
    card = cards.get
    obsid = _integer(card("OBSID"), "obsid")
    lmjd = _integer(card("LMJD"), "lmjd")
    planid = _text(card("PLANID"))
    spid = _integer(card("SPID"), "spid")
    fiberid = _integer(card("FIBERID"), "fiberid")
    if obsid is None and None in (lmjd, planid, spid, fiberid):
        detail = "no OBSID, and not all of LMJD, PLANID, SPID and FIBERID; fetch the file again"
        raise SpectrumError(Reason.MISSING_IDENTITY, path, detail)
    date_obs = _text(card("DATE-OBS"))
    version = _text(card("VERSPIPE"))
    version = version.removeprefix("v") if version else None
    z_err = _measure(card("Z_ERR"), "z_err")
    subclass = _text(card("SUBCLASS"))
    return Header(
        layout=layout,
        obsid=obsid,
        lmjd=lmjd,
        planid=planid,
        spid=spid,
        fiberid=fiberid,
        ra_deg=_measure(card("RA"), "ra_deg"),
        dec_deg=_measure(card("DEC"), "dec_deg"),
        obj_class=_text(card("CLASS")),
        subclass=None if subclass == NO_SUBCLASS else subclass,
        z=_measure(card("Z"), "z"),
        z_err=z_err if z_err is not None and z_err > 0 else None,
        snr_u=_measure(card("SNRU", card("SN_U")), "snr_u"),
        snr_g=_measure(card("SNRG", card("SN_G")), "snr_g"),
        snr_r=_measure(card("SNRR", card("SN_R")), "snr_r"),
        snr_i=_measure(card("SNRI", card("SN_I")), "snr_i"),
        snr_z=_measure(card("SNRZ", card("SN_Z")), "snr_z"),
        date_obs=date_obs,
        mjd_utc=_mjd_utc(_text(card("LMJMLIST")), date_obs),
        exptime_s=_measure(card("EXPTIME"), "exptime_s"),
        helio_rv_kms=_measure(card("HELIO_RV"), "helio_rv_kms"),
        fibertype=_text(card("FIB_TYPE", card("FIBERTYP"))),
        fibermask=_integer(card("FIB_MASK", card("FIBERMAS")), "fibermask"),
        pipeline_version=version,
        data_release=_release(_text(card("DATA_V")), version),
        created=_text(card("DATE")),
        filename=_text(card("FILENAME")),
        desig=_text(card("DESIG")),
    )


def _integer(value: CardValue, column: str) -> int | None:
    """Whole number that the column can hold, also where DR2 stores it as a string."""
    if isinstance(value, str):
        value = int(value) if _INTEGER.fullmatch(value) else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < EXACT_LIMIT else None
    if not isinstance(value, int) or isinstance(value, bool) or value in SENTINELS:
        return None
    low, high = _RANGES[column]
    return value if low <= value <= high else None


def _measure(value: CardValue, column: str) -> float | None:
    """Take a number that is no sentinel and that the column can hold: no infinity, no NaN."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < EXACT_LIMIT else None
    if not isinstance(value, float) or value in SENTINELS:
        return None
    low, high = _RANGES[column]
    return value if low <= value <= high else None


def _text(value: CardValue) -> str | None:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return None
    return value.strip() or None


@lru_cache(maxsize=64)
def _release(data_v: str | None, version: str | None) -> str | None:
    """``LAMOST DR13 Q1`` becomes ``DR13-Q1``; older files are known by their pipeline."""
    if data_v is None:
        return UNLABELLED_RELEASES.get(version or "")
    match = _RELEASE.fullmatch(data_v)
    if match is None:
        return None
    return "-".join(part for part in match.groups() if part)


@lru_cache(maxsize=1024)
def _mjd_utc(lmjm_list: str | None, date_obs: str | None) -> float | None:
    """UTC MJD of the middle of an observation.

    LMJM counts local (UTC+8) minutes; DATE-OBS is the observation's median in UTC.
    """
    low, high = MJD_RANGE
    minutes = [int(digits) for digits in _DIGITS.findall(lmjm_list or "")]
    if minutes and all(low * MINUTES_A_DAY < minute < high * MINUTES_A_DAY for minute in minutes):
        days = [minute / MINUTES_A_DAY for minute in minutes]
        return sum(days) / len(days) - LOCAL_TIME_DAYS
    try:
        moment = datetime.fromisoformat(date_obs or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    mjd = (moment - MJD_EPOCH).total_seconds() / 86_400
    return mjd if low < mjd < high else None
