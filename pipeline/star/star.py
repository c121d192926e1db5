"""All that a run knows of one star."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue.query import Tables
from pipeline.core.parquet import read_table
from pipeline.core.root import Root
from pipeline.labels.ridge import Ridge, as_ridge
from pipeline.star.find import Match
from schemas.catalogue import HEALPIX, SPECTRA
from schemas.sample import RIDGE

FloatArray = NDArray[np.float64]

COLOUR_STEP, M_G_STEP = 0.02, 0.05
"""Cells of the colour-magnitude diagram, mag."""

_SPECTRUM = ("row", "obsid", "mjd_utc", "snr_g", "rv_kms", "rv_err_kms", "p_b", "logit", "quality")


@dataclass(frozen=True)
class Star:
    """One star with its spectra.

    Parameters
    ----------
    row : mapping of str to object
        Its row of the catalogue; None where a value is null.
    spectra : tuple of mapping
        Its spectra in order of time: ``row``, ``obsid``, ``mjd_utc``, ``snr_g``, ``rv_kms``,
        ``rv_err_kms``, ``p_b``, ``logit``, ``quality``, and ``path`` of the file.
    ridge : Ridge, optional
        Sequence of single stars; None without labels.
    separation_arcsec : float, optional
        Distance from the position that was asked for.
    """

    row: Mapping[str, Any]
    spectra: tuple[Mapping[str, Any], ...]
    ridge: Ridge | None
    separation_arcsec: float | None = None

    @property
    def file_name(self) -> str:
        """Its name without blanks, for a file."""
        return f"star-{self.row['star_id']}".replace(" ", "-")

    @property
    def excess_mag(self) -> float:
        """M_G less the ridge: the catalogue's, else by the star's own values; NaN if unknown."""
        if self.row["delta_m_g"] is not None:
            return float(self.row["delta_m_g"])
        if self.ridge is None:
            return np.nan
        colour, m_g, feh = (_number(self.row[name]) for name in ("g_ks_0", "m_g", "feh"))
        return m_g - float(self.ridge.m_g(np.array([colour]), np.array([feh]))[0])

    def chosen(self, obsid: int | None) -> Mapping[str, Any]:
        """Return one spectrum: that of an obsid if the star has it, else that of highest S/N.

        Parameters
        ----------
        obsid : int, optional
            LAMOST's number of the exposure.
        """
        wanted = [one for one in self.spectra if obsid is not None and one["obsid"] == obsid]
        return wanted[0] if wanted else self.highest("snr_g")

    def highest(self, name: str) -> Mapping[str, Any]:
        """Return the spectrum of the highest value, of those with a p_b if any.

        As ``obsid_max`` and ``obsid_best`` of the catalogue, but of spectra without an OBSID, too.

        Parameters
        ----------
        name : str
            Column of the spectra.
        """
        judged = [one for one in self.spectra if one["p_b"] is not None] or self.spectra
        return max(judged, key=lambda one: -np.inf if one[name] is None else float(one[name]))


def read_star(root: Root, tables: Tables, match: Match) -> Star:
    """Read one star.

    Parameters
    ----------
    root : Root
        Of the run.
    tables : Tables
        Of the same run.
    match : Match
        As from `pipeline.star.find.find_stars`.
    """
    view = "unplaced_stars" if match.healpix is None else "stars"
    # The place reads few row groups, the name is exact.
    place = "" if match.healpix is None else f"{HEALPIX} = {match.healpix} AND "
    which = {"star": match.star_id}
    row = tables.sql(f"FROM {view} WHERE {place}star_id = $star", which).to_arrow_table()
    columns = ", ".join(f's."{name}"' for name in _SPECTRUM)
    spectra = tables.sql(
        f"SELECT {columns}, o.path FROM "  # noqa: S608 (constants)
        f"(FROM {SPECTRA.name} WHERE {place}star_id = $star) AS s "
        'LEFT JOIN observations AS o USING ("row") ORDER BY s.mjd_utc NULLS LAST, s."row"',
        which,
    ).to_arrow_table()
    file = root.table(RIDGE)
    ridge = as_ridge(read_table(file, RIDGE)) if file.is_file() else None
    return Star(row.to_pylist()[0], tuple(spectra.to_pylist()), ridge, match.separation_arcsec)


@dataclass(frozen=True)
class Diagram:
    """Number of stars in cells of the colour-magnitude diagram.

    Parameters
    ----------
    colour_B, m_g_B : ndarray of float64, (B,)
        Centres of the filled cells, mag.
    n_B : ndarray of int64, (B,)
        Stars in each.
    """

    colour_B: FloatArray
    m_g_B: FloatArray
    n_B: NDArray[np.int64]

    def share_fainter(self, colour: float, m_g: float, width_mag: float = 0.1) -> float:
        """Return the share of the stars of about this colour that are fainter.

        Parameters
        ----------
        colour, m_g : float
            (G-Ks)0 and M_G, mag.
        width_mag : float
            Largest difference in colour.

        Returns
        -------
        float
            NaN without such stars.
        """
        near = np.abs(self.colour_B - colour) <= width_mag
        total = int(self.n_B[near].sum())
        return float(self.n_B[near & (self.m_g_B > m_g)].sum()) / total if total else np.nan


def read_diagram(tables: Tables) -> Diagram:
    """Count all stars of a run in cells; memory does not grow with the catalogue.

    Parameters
    ----------
    tables : Tables
        Of a run that has a catalogue.
    """
    answer = tables.sql(
        f"SELECT (floor(g_ks_0 / {COLOUR_STEP}) + 0.5) * {COLOUR_STEP}, "  # noqa: S608 (constants)
        f"(floor(m_g / {M_G_STEP}) + 0.5) * {M_G_STEP}, count(*) FROM stars "
        "WHERE isfinite(g_ks_0) AND isfinite(m_g) GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchnumpy()
    colour, m_g, n = answer.values()
    return Diagram(np.asarray(colour, float), np.asarray(m_g, float), np.asarray(n, np.int64))


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
