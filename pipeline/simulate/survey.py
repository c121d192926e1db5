"""The plan of the survey: fields on the sky, visits, nights, plans, fibres, numbers."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.simulate import SimulateSettings

MJD_EPOCH = date(1858, 11, 17)
FIRST_LMJD, LAST_LMJD = 55860, 59900
N_SPECTROGRAPH = 16
MINUTES_A_DAY = 1440
LOCAL_DAYS = 8 / 24
GAIA_EPOCH_MJD = 57388.5
"""2016.0."""
FIELD_RADIUS_DEG = 2.4
DEC_RANGE_DEG = (-8.0, 60.0)
SOURCE_ID_BASE = 1_152_921_504_606_846_976
"""Above 2^53, as Gaia's: neighbouring numbers are one and the same as float."""


@dataclass(frozen=True)
class Visit:
    """One night on one field.

    Parameters
    ----------
    number : int
        Counts visits of all fields; the leading digits of OBSID.
    planid : str
        Name of the plan.
    lmjd : int
        Local modified Julian day: the evening's day plus one.
    lmjm : int
        Local modified Julian minute of the middle of the exposure.
    table_layout : bool
        Files of this night are tables (DR9 and later), else images.
    """

    number: int
    planid: str
    lmjd: int
    lmjm: int
    table_layout: bool

    @property
    def mjd_utc(self) -> float:
        """UTC of the middle of the exposure as MJD."""
        return self.lmjm / MINUTES_A_DAY - LOCAL_DAYS

    @property
    def evening(self) -> date:
        """Date at which the night began; names the folder."""
        return MJD_EPOCH + timedelta(days=self.lmjd - 1)

    @property
    def folder(self) -> str:
        """Folder of the plan below the folder of spectra."""
        return f"{self.evening:%Y%m%d}/{self.planid}"


@dataclass(frozen=True)
class Field:
    """One field and its visits: the unit of work.

    Parameters
    ----------
    number : int
        Number of the field.
    n_stars : int
        Stars in it.
    ra_deg, dec_deg : float
        Its centre.
    visits : tuple of Visit
        In order of time.
    """

    number: int
    n_stars: int
    ra_deg: float
    dec_deg: float
    visits: tuple[Visit, ...]


def n_fields(settings: SimulateSettings) -> int:
    """Return the number of fields that the stars fill."""
    return -(-settings.n_stars // settings.survey.field_stars)


def field_streams(seed: int, number: int, n: int) -> list[np.random.Generator]:
    """Independent random numbers for one field, the same on every machine.

    Parameters
    ----------
    seed : int
        Seed of the survey.
    number : int
        Number of the field.
    n : int
        Number of streams.

    Returns
    -------
    list of numpy.random.Generator
        The streams.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(1_000_000 + number,))
    return [np.random.default_rng(s) for s in sequence.spawn(n)]


def plan_field(rng: np.random.Generator, number: int, settings: SimulateSettings) -> Field:
    """Choose where a field lies and when it is visited.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    number : int
        Number of the field.
    settings : SimulateSettings
        Stars per field, number of visits, share of each layout.

    Returns
    -------
    Field
        Uniform on the sky between the declinations of ``DEC_RANGE_DEG``.
    """
    survey = settings.survey
    low, high = np.sin(np.deg2rad(DEC_RANGE_DEG))
    ra, dec = 360 * rng.random(), np.rad2deg(np.arcsin(rng.uniform(low, high)))
    days = np.sort(rng.choice(LAST_LMJD - FIRST_LMJD, survey.n_visits, replace=False))
    visits = []
    for order, day in enumerate(days):
        lmjd = FIRST_LMJD + int(day)
        minute = int(rng.integers(-5 * 60, 5 * 60))
        name = f"{'HBMF'[int(rng.integers(4))]}{number:05d}{order + 1}"
        visits.append(
            Visit(
                number=number * 8 + order + 1,
                planid=name,
                lmjd=lmjd,
                lmjm=lmjd * MINUTES_A_DAY + minute,
                table_layout=bool(rng.random() < survey.table_fraction),
            )
        )
    left = settings.n_stars - number * survey.field_stars
    return Field(number, min(survey.field_stars, left), float(ra), float(dec), tuple(visits))


def draw_positions(
    rng: np.random.Generator, field: Field, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions at epoch 2016.0, uniform in the field, no two within 20 arcsec.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    field : Field
        Its centre.
    n : int
        Number of stars.

    Returns
    -------
    ra_deg, dec_deg : ndarray of float64, (S,)
        In degrees.
    """
    radius = FIELD_RADIUS_DEG * np.sqrt(rng.random(3 * n))
    angle = 2 * np.pi * rng.random(3 * n)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    keep: list[int] = []
    taken: set[tuple[int, int]] = set()
    cell = 30 / 3600
    for k, (i, j) in enumerate(zip((x // cell).astype(int), (y // cell).astype(int), strict=True)):
        around = {(int(i) + a, int(j) + b) for a in (-1, 0, 1) for b in (-1, 0, 1)}
        if len(keep) < n and not around & taken:
            keep.append(k)
            taken.add((int(i), int(j)))
    dec = field.dec_deg + y[keep]
    ra = np.mod(field.ra_deg + x[keep] / np.cos(np.deg2rad(dec)), 360)
    return ra, dec


def draw_epochs(rng: np.random.Generator, n: int, settings: SimulateSettings) -> NDArray[np.bool_]:
    """Draw which star is in which visit: all in one, some in more.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random numbers.
    n : int
        Number of stars, S.
    settings : SimulateSettings
        Number of visits, and fraction of stars with more than one.

    Returns
    -------
    ndarray of bool, (S, O)
        True where the star is observed.
    """
    n_visits = settings.survey.n_visits
    first = rng.integers(0, n_visits, n)
    seen = np.arange(n_visits) == first[:, None]
    again = rng.random(n) < settings.survey.repeat_fraction
    return np.asarray(seen | (again[:, None] & (rng.random((n, n_visits)) < 0.6)))


def source_ids(field: Field, n: int) -> NDArray[np.int64]:
    """Numbers of the field's stars as Gaia would give them.

    Parameters
    ----------
    field : Field
        The field.
    n : int
        Number of stars.

    Returns
    -------
    ndarray of int64, (S,)
        Unique over all fields.
    """
    return SOURCE_ID_BASE + (np.int64(field.number) << np.int64(20)) + np.arange(n, dtype=np.int64)


def fibres_of(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spectrograph (1-16) and fibre (1-240) of each star; fibres above 240 are free.

    Parameters
    ----------
    n : int
        Number of stars.

    Returns
    -------
    spid, fiberid : ndarray of int64, (S,)
        Spectrograph and fibre.
    """
    index = np.arange(n)
    return index % N_SPECTROGRAPH + 1, index // N_SPECTROGRAPH + 1


def obsid_of(
    visit: Visit, spid: NDArray[np.int64], fiberid: NDArray[np.int64]
) -> NDArray[np.int64]:
    """OBSID: plan, spectrograph (two digits), fibre (three digits), as in the survey.

    Parameters
    ----------
    visit : Visit
        The visit.
    spid, fiberid : ndarray of int64, (V,)
        Spectrograph and fibre.

    Returns
    -------
    ndarray of int64, (V,)
        Unique over the survey.
    """
    return visit.number * 100_000 + spid * 1000 + fiberid
