"""Files to be mutated: small ones with the structure of the survey's, of every layout."""

import numpy as np

from pipeline.simulate.writer import COLUMNS, Card, format_header, image_file, table_file
from pipeline.simulate.writer import table_header as survey_table_header

N_PIXEL = 24
"""Little data: mutations are to meet the headers."""

WAVE = 10 ** (3.5682 + 1e-4 * np.arange(N_PIXEL))
RAMP = np.linspace(1.0, 2.0, N_PIXEL)
ZERO = np.zeros(N_PIXEL)
ROWS = [np.asarray(row, np.float32) for row in (100 * RAMP, RAMP, WAVE, ZERO, ZERO, ZERO)]

CARDS: list[Card] = [
    ("COMMENT", "", "--------FILE INFORMATION"),
    ("FILENAME", "spec-55859-F5902_sp01-005.fits", ""),
    ("OBSID", 101005, "Unique number ID of this spectrum"),
    ("AUTHOR", "LAMOST Pipeline", "Who compiled the information"),
    ("DATA_V", "LAMOST DR13 Q1", "Data release version"),
    ("EXTEN0", "Flux, Inverse, Wavelength, Andmask, Ormask", ""),
    ("DATE", "2019-06-13T08:03:16", "Time when this HDU is created (UTC)"),
    ("COMMENT", "", "--------OBSERVATION PARAMETERS"),
    ("DATE-OBS", "2011-10-24T12:07:09.80", "The observation median UTC"),
    ("LMJD", 55859, "Local Modified Julian Day"),
    ("LMJMLIST", "80436692-80436737-80436775", "Local Modified Julian Minute list"),
    ("PLANID", "F5902", "Plan ID in use"),
    ("SPID", 1, "Spectrograph ID"),
    ("FIBERID", 5, "Fiber ID of Object"),
    ("RA", 332.202274, "[deg] Right ascension of object"),
    ("DEC", -2.056767, "[deg] Declination of object"),
    ("DESIG", "LAMOST J220848.54-020324.3", "Designation of LAMOST target"),
    ("FIBERTYP", "Obj", "Fiber type of object"),
    ("FIB_MASK", 64, "Bitmask of warning values, 0 means good"),
    ("EXPTIME", 5400.0, "[s] Minimum of exposure time for all cameras"),
    ("HELIO_RV", 25.04442, "[km/s] Heliocentric correction"),
    ("COEFF0", 3.5682, "Central wavelength (log10) of first pixel"),
    ("COEFF1", 0.0001, "Log10 dispersion per pixel"),
    ("VERSPIPE", "v2.9.8", "Version of Pipeline"),
    ("CLASS", "STAR", "Class of object"),
    ("SUBCLASS", "G0", "Subclass of object"),
    ("Z", -0.00025044, "Redshift of object"),
    ("Z_ERR", 2.635e-05, "Redshift error of object"),
    *((f"SNR{band}", 8.08, f"SNR of {band.lower()} filter") for band in "UGRIZ"),
]
OLD_CARDS: list[Card] = [
    (keyword, value, comment)
    for keyword, value, comment in CARDS
    if keyword not in {"OBSID", "DATA_V", "FIB_MASK"} and not keyword.startswith("SNR")
] + [("SN_G", 5.74, ""), ("FIBERMAS", 0, "")]
FIRST_CARDS: list[Card] = [
    (keyword, "Flux Inverse Subcontinuum Andmask Ormask" if keyword == "EXTEN0" else value, comment)
    for keyword, value, comment in OLD_CARDS
]
EMPTY: list[Card] = [("SIMPLE", True, ""), ("BITPIX", 8, ""), ("NAXIS", 0, ""), *CARDS]


def _pad(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // 2880) * 2880, b"\0")


def _double() -> bytes:
    size: list[Card] = [("SIMPLE", True, ""), ("BITPIX", -64, ""), ("NAXIS", 2, "")]
    size += [("NAXIS1", N_PIXEL, ""), ("NAXIS2", 5, "")]
    rows = np.stack(ROWS[:5]).astype(">f8")
    return format_header([*size, *OLD_CARDS]) + _pad(rows.tobytes())


def _table(
    forms: list[str], data: bytes, row_bytes: int, more: list[Card], name: str = "COADD"
) -> bytes:
    """Make a file with a table of one row, and perhaps a heap, that only astropy can unpack."""
    cards: list[Card] = [("XTENSION", "BINTABLE", ""), ("BITPIX", 8, ""), ("NAXIS", 2, "")]
    cards += [("NAXIS1", row_bytes, ""), ("NAXIS2", 1, ""), ("PCOUNT", len(data) - row_bytes, "")]
    cards += [("GCOUNT", 1, ""), ("TFIELDS", len(forms), ""), ("EXTNAME", name, "")]
    for number, form in enumerate(forms, 1):
        cards += [(f"TTYPE{number}", COLUMNS[number - 1], ""), (f"TFORM{number}", form, "")]
    return format_header(EMPTY) + format_header([*cards, *more]) + _pad(data)


def _scaled() -> bytes:
    columns = [ROWS[0].astype(">f4"), ROWS[1].astype(">f8"), ROWS[2].astype(">f8")]
    masks = np.full(N_PIXEL, -(2**31), ">i4")
    data = b"".join(column.tobytes() for column in (*columns, masks, masks))
    forms = [f"{N_PIXEL}{letter}" for letter in "EDDJJ"]
    more: list[Card] = [("TSCAL1", 2.0, ""), ("TDIM1", f"({N_PIXEL})", ""), ("TNULL4", 5, "")]
    more += [("TZERO4", 2**31, ""), ("TZERO5", 2**31, ""), ("TUNIT3", "Angstrom", "")]
    return _table(forms, data, len(data), more)


def _heap() -> bytes:
    vectors = [row.astype(">f4").tobytes() for row in ROWS[:5]]
    places = [[N_PIXEL, 4 * N_PIXEL * number] for number in range(5)]
    row = np.array(places, ">i4").tobytes()
    return _table([f"1PE({N_PIXEL})"] * 5, row + b"".join(vectors), len(row), [])


def _packed() -> bytes:
    more: list[Card] = [("ZIMAGE", True, ""), ("ZCMPTYPE", "RICE_1", ""), ("ZBITPIX", -32, "")]
    more += [("ZNAXIS", 2, ""), ("ZNAXIS1", N_PIXEL, ""), ("ZNAXIS2", 5, "")]
    return _table(["1PB(90)"], bytes(98), 8, more, "COMPRESSED_IMAGE")


def _medium() -> bytes:
    blank = _pad(bytes(24 * N_PIXEL))
    arms = [survey_table_header(name, N_PIXEL) + blank for name in ("COADD_B", "COADD_R")]
    return format_header(EMPTY) + b"".join(arms)


SPECTRA: tuple[bytes, ...] = (
    image_file(CARDS, ROWS),
    table_file(CARDS, ROWS),
    _double(),
    image_file(FIRST_CARDS, ROWS),
    _scaled(),
    _heap(),
    _packed(),
    _medium(),
)
"""Both layouts; DR1 and DR2; what is left to astropy; what is refused."""

_HEAD = "obsid,uid,lmjd,planid,spid,fiberid,snrg,class,z,z_err,ps_id,gaia_source_id,teff,logg,rv"
_STAR = "{},G1,55859,F5902,1,5,20.5,STAR,-4e-5,1e-5,107,4611686018427387905,5777.5,4.4,-12.5"
_TEXT = "\n".join([_HEAD, *(_STAR.format(101 + star) for star in range(5)), ""])


def _catalogue() -> bytes:
    names, values = _HEAD.split(","), _STAR.format(101).split(",")
    letters = {"lmjd": "J", "spid": "I", "fiberid": "B"}
    cards: list[Card] = [("XTENSION", "BINTABLE", ""), ("BITPIX", 8, ""), ("NAXIS", 2, "")]
    columns: list[Card] = []
    row = b""
    for number, (name, value) in enumerate(zip(names, values, strict=True), 1):
        text = name in {"uid", "planid", "class"}
        letter = letters.get(name, "K" if value.isdigit() else "D")
        form = f"{len(value)}A" if text else f"1{letter}"
        dtype = {"K": ">i8", "J": ">i4", "I": ">i2", "B": "u1", "D": ">f8"}[letter]
        row += value.encode() if text else np.array(float(value), dtype).tobytes()
        columns += [(f"TTYPE{number}", name, ""), (f"TFORM{number}", form, "")]
        columns += [] if text or letter == "D" else [(f"TNULL{number}", 101, "")]
    cards += [("NAXIS1", len(row), ""), ("NAXIS2", 3, ""), ("PCOUNT", 0, ""), ("GCOUNT", 1, "")]
    cards += [("TFIELDS", len(names), ""), *columns]
    return format_header(EMPTY[:3]) + format_header(cards) + _pad(row * 3)


CATALOGUES: tuple[bytes, ...] = (
    _TEXT.encode(),
    _TEXT.replace(",", "|").encode(),
    _catalogue(),
)
MULTI_EPOCH: tuple[bytes, ...] = (
    b"uid|obs_number|obsid_list|midmjm_list|rv_list\nG1|2|11-12|100-101|1.5--2.5\n",
    b'uid,obs_number,obsid_list,midmjm_list,rv_list\nG1,2,"11,12","100,101","-9999.0,7"\n',
)
