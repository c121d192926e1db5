"""Terms of the data that a run uses, and whom to cite."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """Terms of one source of data.

    Parameters
    ----------
    data : str
        What it is.
    terms : str
        Under which terms it may be used.
    cite : str
        What to cite.
    """

    data: str
    terms: str
    cite: str


_LAMOST = Licence("LAMOST spectra and catalogue",
                  "data policy at lamost.org; some releases need an account",
                  "Cui et al. 2012 (RAA 12, 1197); Zhao et al. 2012 (RAA 12, 723); the "
                  "acknowledgement at lamost.org")  # fmt: skip
_GAIA = Licence("Gaia", "credit ESA/Gaia/DPAC",
                "Gaia Collaboration 2016 (A&A 595, A1), 2023 (A&A 674, A1)")  # fmt: skip
_OF = {
    "spectra": _LAMOST,
    "catalogue": _LAMOST,
    "multi_epoch": _LAMOST,
    "gaia": _GAIA,
    "gaia_evidence": _GAIA,
    "tmass": Licence("2MASS", "public", "Skrutskie et al. 2006 (AJ 131, 1163)"),
    "bailer_jones": Licence("Geometric distances", "rules of use at cds.unistra.fr",
                            "Bailer-Jones et al. 2021 (AJ 161, 147)"),
    "eclipsing": Licence("Eclipsing binaries of ZTF", "rules of use at cds.unistra.fr",
                         "Chen et al. 2020 (ApJS 249, 18); Ochsenbein et al. 2000 (A&AS 143, 23)"),
    "planets": Licence("Exoplanet Archive", "public",
                       "the acknowledgement at exoplanetarchive.ipac.caltech.edu"),
    "labels": Licence("Labels given by the user", "as their source says", "their source"),
    "compare": Licence("Catalogue to compare with", "as its source says", "its source"),
}  # fmt: skip
_SFD = Licence("SFD dust map", "public", "Schlegel, Finkbeiner & Davis 1998 (ApJ 500, 525)")
_SIMULATED = Licence("Simulated survey", "made by pairspec; its stellar models: MIT", "pairspec")


def licences(settings: Iterable[Mapping[str, str]]) -> tuple[Licence, ...]:
    """Return the terms of the data that a run was given, each source once.

    Parameters
    ----------
    settings : iterable of mapping of str to str
        As from :func:`pipeline.report.provenance.settings_by_stage`.
    """
    used = {one["name"]: one["value"] for one in settings}
    if "inputs.truth" in used:
        return (_SIMULATED,)
    given = [one for name, one in _OF.items() if f"inputs.{name}" in used]
    if used.get("photometry.reddening") == '"map"':
        given.append(_SFD)
    return tuple(dict.fromkeys(given))
