"""Page and figure of one star of a run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.catalogue.answer import check_place
from pipeline.catalogue.query import Tables, connect
from pipeline.core.atomic import write_bytes
from pipeline.core.errors import InputError
from pipeline.core.published import require_published
from pipeline.core.root import Root
from pipeline.network.members import EnsemblePlan, plan_ensemble
from pipeline.settings.spectra import SpectraSettings
from pipeline.star.find import RADIUS_ARCSEC, Match, find_stars
from pipeline.star.star import Diagram, Star, read_diagram, read_star
from pipeline.star.text import star_page
from pipeline.star.wanted import Number, parse_wanted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipeline.star.attribution import Attribution
    from pipeline.star.spectrum import OneSpectrum

DPI = 130
ENDINGS = (".png", ".pdf")


@dataclass(frozen=True)
class StarPage:
    """One star, to be printed and drawn.

    Parameters
    ----------
    root : Root
        Of the run.
    star : Star
        All that is known of it.
    diagram : Diagram
        Of all stars.
    models : tuple of pathlib.Path
        Networks that gave p_b.
    obsid : int, optional
        Exposure that was asked for.
    """

    root: Root
    star: Star
    diagram: Diagram
    models: tuple[Path, ...]
    obsid: int | None

    def __str__(self) -> str:
        return star_page(self.star, self.diagram)

    @property
    def network_note(self) -> str | None:
        """Why it cannot be shown what the network looked at; None where it can."""
        return self._networks if isinstance(self._networks, str) else None

    @cached_property
    def _networks(self) -> EnsemblePlan | str:
        """Those that gave p_b; or why they are not at hand."""
        named = ", ".join(str(path) for path in self.models)
        if not all((path / "model.json").is_file() for path in self.models):
            return f"there is no network in {named}; name the folder of that of p_b by --model"
        plan, wanted = plan_ensemble(self.models), self.star.row["model_id"]
        if plan.model_id != wanted:
            return (
                f"{named} holds the network {plan.model_id}, but p_b is of {wanted}; name the "
                "folder of that one by --model"
            )
        return plan

    def look(self, which: Mapping[str, Any]) -> "tuple[OneSpectrum, Attribution | None]":
        """Read one spectrum, and what the network looked at in it.

        Parameters
        ----------
        which : mapping
            One of the star's spectra.

        Returns
        -------
        tuple of OneSpectrum and Attribution
            None in place of the latter without the network that gave p_b.
        """
        from pipeline.star.attribution import attribute
        from pipeline.star.spectrum import read_spectrum

        plan = None if isinstance(self._networks, str) else self._networks
        settings = plan.spectra if plan else SpectraSettings()
        one = read_spectrum(self.root.store, which["row"], which["rv_kms"], settings)
        return one, attribute(plan.members, one.normal_L) if plan else None

    def draw(self, figure: "Figure") -> None:
        """Draw the star into an empty figure.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            Empty, with a constrained layout.
        """
        from pipeline.star.figure import draw_star

        which = self.star.chosen(self.obsid)
        draw_star(figure, self.star, self.diagram, which, *self.look(which))

    def save(self, output: Path | None) -> Path:
        """Write the figure and return its file.

        Parameters
        ----------
        output : pathlib.Path, optional
            File that ends in ``.png`` or ``.pdf``; by default one in this folder by the star's
            name.

        Raises
        ------
        InputError
            Another ending, no such folder, or a file of a run.
        """
        path = check_figure(self.root, output or Path(f"{self.star.file_name}.png"))
        from matplotlib.figure import Figure

        from pipeline.core.figures import as_bytes
        from pipeline.star.figure import SIZE_INCHES

        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        self.draw(figure)
        write_bytes(path, as_bytes(figure, path.suffix[1:], DPI))
        return path


def check_figure(root: Root, output: Path) -> Path:
    """Return the resolved path of a figure.

    Parameters
    ----------
    root : Root
        Of the run that is asked.
    output : pathlib.Path
        File to write.

    Raises
    ------
    InputError
        Another ending, no such folder, or a file of a run.
    """
    if output.suffix not in ENDINGS:
        raise InputError(f"--output must end in {' or '.join(ENDINGS)}, not {output.name!r}")
    return check_place(root.path, output)


def open_page(
    root: Root, asked: str, radius_arcsec: float = RADIUS_ARCSEC, models: Sequence[Path] = ()
) -> StarPage | list[Match]:
    """Find one star and read all that is known of it.

    Parameters
    ----------
    root : Root
        Of the run.
    asked : str
        As `pipeline.star.wanted.parse_wanted` reads it.
    radius_arcsec : float
        Of a search by position.
    models : sequence of pathlib.Path
        Networks that gave p_b; by default the run's own.

    Returns
    -------
    StarPage or list of Match
        The star, or several that fit.

    Raises
    ------
    InputError
        There is no such star.
    NotReadyError
        The run has no catalogue.
    """
    wanted = parse_wanted(asked)
    with _catalogue(root) as tables:
        found = find_stars(tables, wanted, radius_arcsec)
        if len(found) > 1:
            return found
        star = read_star(root, tables, found[0])
        obsid = wanted.value if isinstance(wanted, Number) else None
        return StarPage(root, star, read_diagram(tables), tuple(models) or (root.model,), obsid)


@contextmanager
def _catalogue(root: Root) -> Iterator[Tables]:
    require_published(root.path, "catalogue", "catalogue")
    with connect(root.path) as tables:
        yield tables
