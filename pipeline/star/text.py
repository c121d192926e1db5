"""What is printed of one star."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.time import Time

from pipeline.inference.quality import NAMED
from pipeline.star.star import Diagram, Star
from schemas.catalogue import STARS
from schemas.quality import Bits, PhotometryFlag, QualityFlag

WIDTH = 100


def star_page(star: Star, diagram: Diagram) -> str:
    """Return all that is known of a star as text: its row, spectra, and place among the others.

    Parameters
    ----------
    star : Star
        The star.
    diagram : Diagram
        Of all stars.
    """
    values = star.row
    title = f"{values['star_id']}  {values['designation'] or 'no position'}"
    if star.separation_arcsec is not None:
        title += f"  {star.separation_arcsec:.2f} arcsec from the position asked for"
    lines = [title, "", *_row(values), "", *_spectra(star), "", *_place(star, diagram)]
    return "\n".join(lines)


def words(quality: int | None, kind: type[Bits] = QualityFlag) -> str:
    """Return the bits of a column in words, ``-`` for none.

    Parameters
    ----------
    quality : int, optional
        The column's value.
    kind : type
        Whose bits they are.
    """
    names: dict[int, str] = {int(f): name for f, name in NAMED.items()}
    names = names if kind is QualityFlag else {}
    flags = kind(quality or 0)
    return ", ".join(names.get(f, (f.name or "").lower().replace("_", " ")) for f in flags) or "-"


def _row(values: Mapping[str, Any]) -> list[str]:
    bits = {"quality": QualityFlag, "flags": PhotometryFlag}
    shown, missing = [], []
    for column in STARS.columns:
        value = values[column.name]
        if value is None:
            missing.append(column.name)
            continue
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        if column.name in ("ra_deg", "dec_deg"):
            text = f"{value:.7f}"
        said = f"{value}: {words(value, bits[column.name])}" if column.name in bits else text
        shown.append(f"  {column.name:18}{said} {column.unit}".rstrip())
    lines = [f"catalogue, {len(shown)} of {len(STARS.columns)} columns:", *shown]
    if missing:
        null = "null: " + ", ".join(missing)
        lines += textwrap.wrap(null, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines


def _spectra(star: Star) -> list[str]:
    head = f"{'obsid':>11}  {'UTC':16} {'S/N g':>6} {'rv (km/s)':>15} {'p_b':>6} {'logit':>7}"
    lines = [
        f"spectra: {len(star.spectra)}, * has the highest p_b, + the highest S/N",
        f"  {head}   quality",
    ]
    likeliest, best = star.highest("p_b"), star.highest("snr_g")
    for one in star.spectra:
        mjd = one["mjd_utc"]
        date = "-" if mjd is None else Time(mjd, format="mjd").strftime("%Y-%m-%d %H:%M")
        velocity = f"{_text(one['rv_kms'], '.1f')} +- {_text(one['rv_err_kms'], '.1f')}"
        marks = (("*", one is likeliest and one["p_b"] is not None), ("+", one is best))
        mark = "".join(sign for sign, is_so in marks if is_so)
        lines.append(
            f"  {one['obsid'] or '-':>11}  {date:16} {_text(one['snr_g'], '.1f'):>6} "
            f"{velocity:>15} {_text(one['p_b'], '.3f'):>6} {_text(one['logit'], '.2f'):>7} "
            f"{mark:2}{words(one['quality'])}"
        )
        lines.append(f"  {'':13}{one['path']}")
    return lines


def _place(star: Star, diagram: Diagram) -> list[str]:
    colour, m_g = star.row["g_ks_0"], star.row["m_g"]
    if colour is None or m_g is None:
        why = words(star.row["flags"], PhotometryFlag)
        return [f"colour-magnitude diagram: no place, (G-Ks)0 or M_G is null (flags: {why})"]
    text = f"colour-magnitude diagram: (G-Ks)0 = {colour:.3f}, M_G = {m_g:.3f}"
    excess = star.excess_mag
    if np.isfinite(excess):
        text += f", {abs(excess):.2f} mag {'above' if excess < 0 else 'below'} the ridge"
    else:
        text += ", outside the ridge" if star.ridge is not None else ", no ridge"
    share = diagram.share_fainter(colour, m_g)
    if np.isfinite(share):
        text += f"; brighter than {share:.0%} of the stars of its colour"
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
