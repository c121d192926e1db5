"""All that is shown of a star, read from the run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.browse.stars import Stars
from pipeline.catalogue.query import connect

if TYPE_CHECKING:
    from pipeline.browse.companion import Components
    from pipeline.star.attribution import Attribution
    from pipeline.star.page import StarPage
    from pipeline.star.spectrum import OneSpectrum
    from pipeline.star.star import Diagram


@dataclass(frozen=True)
class Look:
    """All that is shown of a star.

    Parameters
    ----------
    page : StarPage
        Its page.
    which : mapping
        The spectrum that is shown.
    spectrum : OneSpectrum
        Its fluxes.
    attribution : Attribution, optional
        What the network looked at.
    components : Components, optional
        The two stars that it may consist of.
    """

    page: "StarPage"
    which: Mapping[str, Any]
    spectrum: "OneSpectrum"
    attribution: "Attribution | None"
    components: "Components | None"


class StarReader:
    """Reads stars for the pages; the diagram of all stars is read once.

    Parameters
    ----------
    stars : Stars
        All stars.
    models : tuple of pathlib.Path
        Networks that gave p_b.
    log_age : float
        log10 age in years of the isochrone of companions.
    """

    def __init__(self, stars: Stars, models: tuple[Path, ...], log_age: float) -> None:
        self._stars, self._models, self._log_age = stars, models, log_age
        self._diagram: Diagram | None = None

    def read(self, star: int, row: int | None) -> Look:
        """Read all that is shown of a star.

        Parameters
        ----------
        star : int
            Its position among the stars.
        row : int, optional
            Row of the store of the spectrum to show; by default that of highest S/N.
        """
        # PyTorch and others take seconds to load, which the pictures need not wait for.
        from pipeline.browse.companion import find_components
        from pipeline.star.find import Match
        from pipeline.star.page import StarPage
        from pipeline.star.star import read_diagram, read_star

        root = self._stars.root
        name, place = self._stars.star_id_S[star].as_py(), int(self._stars.healpix_S[star])
        match = Match(name, place, None, None, None, None, 0)
        with connect(root.path) as tables:
            found = read_star(root, tables, match)
            self._diagram = self._diagram or read_diagram(tables)
        page = StarPage(root, found, self._diagram, self._models, None)
        wanted = [one for one in found.spectra if one["row"] == row]
        which = wanted[0] if wanted else found.chosen(None)
        return Look(page, which, *page.look(which), find_components(found, self._log_age))
