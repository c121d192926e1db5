"""A run that is open for reading."""

import html
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from pipeline.catalogue.completeness import SelectionFunction
from pipeline.catalogue.query import connect
from pipeline.core.errors import InputError
from pipeline.core.parquet import table_files
from pipeline.core.published import outdated, read_published
from pipeline.core.root import Root
from pipeline.core.words import counted
from pipeline.door.known_spectra import known_spectra
from pipeline.door.lazy import normalised_spectra, stored_spectra
from pipeline.door.own_spectra import classify, from_specutils, own_spectra
from pipeline.door.plots import Plots
from pipeline.network.members import EnsemblePlan, plan_ensemble, predicting_networks
from pipeline.settings.spectra import SpectraSettings
from pipeline.star.find import RADIUS_ARCSEC
from pipeline.star.page import StarPage, open_page
from schemas.catalogue import PREDICTIONS, STARS
from schemas.registry import TABLES

_DATASETS = ("observations", "photometry", "sample", "labels", "predictions", "catalogue")


class OpenRun:
    """Spectra, tables, network and figures of a run; made by `pairspec.open`.

    Parameters
    ----------
    path : pathlib.Path
        Root of the run.
    models : tuple of pathlib.Path
        Networks of an ensemble; empty: those that gave the run's p_b, else its own network.

    Raises
    ------
    InputError
        There is no run.
    """

    def __init__(self, path: Path, models: tuple[Path, ...] = ()) -> None:
        if not (path / "ledger").is_dir():
            raise InputError(f"no run at {path}; give the root that `pairspec ingest` wrote to")
        self.root = Root(path)
        self._models = predicting_networks(self.root, models)

    @cached_property
    def spectra(self) -> xr.Dataset:
        """All spectra as stored, lazily: one row per file, axes row and pixel.

        ``obsid``, position, S/N and p_b are coordinates. :func:`wavelength` gives the wavelengths
        of a row.
        """
        return stored_spectra(self.root.store, self._rows(""))

    def wavelength(self, row: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the vacuum wavelengths of a stored spectrum in Angstrom, ndarray (pixels,).

        Parameters
        ----------
        row : int
            Row of the store.
        """
        one = self.spectra.isel(row=row)
        step = float(self.spectra.attrs["log10_step"])
        pixel_N = np.arange(int(one["n_pixel"]))
        return np.asarray(10 ** (float(one["log10_first"]) + step * pixel_N))

    def normalised(
        self,
        rows: Sequence[int] | None = None,
        *,
        obsid: int | Sequence[int] | None = None,
        where: str | None = None,
        frame: str | None = None,
    ) -> xr.Dataset:
        """Return normalised spectra, lazily, as the network reads them.

        Parameters
        ----------
        rows : sequence of int, optional
            Rows of the store.
        obsid : int or sequence of int, optional
            LAMOST's numbers of the exposures.
        where : str, optional
            A condition in SQL on the columns ``row``, ``obsid``, ``ra_deg``, ``dec_deg``,
            ``snr_g``, ``rv_kms`` and ``p_b``, e.g. ``"p_b > 0.9 AND snr_g > 50"``.
        frame : str, optional
            ``rest`` or ``observed``; by default that of the network.

        Returns
        -------
        xarray.Dataset
            ``flux`` (continuum = 1) and ``bad``, axes row and wave, in order of row.

        Raises
        ------
        InputError
            None or several of the three are given, or no spectrum is found.
        """
        given = [value is not None for value in (rows, obsid, where)]
        if sum(given) != 1:
            raise InputError("say which spectra by one of rows, obsid and where")
        name, wanted = ("row", rows) if rows is not None else ("obsid", obsid)
        numbers = np.atleast_1d(np.asarray(0 if wanted is None else wanted, np.int64))
        listed = ", ".join(map(str, numbers.tolist()))
        found = self._rows(where if where is not None else f"{name} IN ({listed})")
        settings = self._spectra_settings()
        if frame is not None:
            settings = SpectraSettings.model_validate(settings.model_dump() | {"frame": frame})
        if found.empty:
            raise InputError(f"no spectrum has {where or f'{name} {listed}'}")
        return normalised_spectra(self.root.store, found, settings)

    def sql(self, query: str, params: Any = None) -> pd.DataFrame:
        """Answer one statement that reads; every table of the run is a view of its name.

        Parameters
        ----------
        query : str
            In DuckDB's SQL.
        params : object, optional
            Values of its parameters.

        Returns
        -------
        pandas.DataFrame
            One row per row of the answer; integers keep every digit.
        """
        with connect(self.root.path) as tables:
            answer = tables.sql(query, params).to_arrow_table()
        frame: pd.DataFrame = answer.to_pandas(types_mapper=pd.ArrowDtype)
        return frame

    def table(self, name: str) -> Any:
        """Open a table as a Dask dataframe, lazily.

        Parameters
        ----------
        name : str
            ``stars``, ``spectra``, ``predictions``, ``observations``, ...

        Returns
        -------
        dask.dataframe.DataFrame
            Filters and columns are pushed down to the files.

        Raises
        ------
        InputError
            There is no such table, or it has not been made.
        """
        import dask.dataframe as dd

        table = next((table for table in TABLES if table.name == name), None)
        parts = table_files(self.root.table(table)) if table else []
        if not parts:
            names = [t.name for t in TABLES if table_files(self.root.table(t))]
            raise InputError(f"{self.root.path} has no table {name}; it has {', '.join(names)}")
        return dd.read_parquet([str(part) for part in parts], dtype_backend="pyarrow")

    @cached_property
    def selection(self) -> SelectionFunction:
        """Completeness and false-positive rate: ``run.selection.completeness(q, snr, teff, feh)``.

        Needs `pairspec validate completeness`.
        """
        return SelectionFunction(self.root.path)

    @property
    def stars(self) -> Any:
        """The catalogue of stars as an LSDB catalogue: cone searches and matches, lazily."""
        import lsdb

        return lsdb.open_catalog(str(self.root.table(STARS).parent))

    def predict(
        self,
        flux: Any,
        ivar: ArrayLike | None = None,
        wave_angstrom: ArrayLike | None = None,
        rv_kms: ArrayLike | None = None,
    ) -> pd.DataFrame:
        """Give your own spectra their binary probability.

        The network knows spectra like those it was trained on: dwarfs at R = 1800. Smooth sharper
        spectra first; convert wavelengths in air to vacuum.

        Parameters
        ----------
        flux : array_like of float, (N,) or (B, N), or specutils.Spectrum
            Flux per wavelength, any unit.
        ivar : array_like of float, same shape, optional
            Inverse variance; 0 marks a bad pixel.
        wave_angstrom : array_like of float, (N,) or (B, N)
            Vacuum wavelength, rising; not needed for a specutils.Spectrum.
        rv_kms : array_like of float, () or (B,)
            Radial velocity of the star; needed by networks of the rest frame.

        Returns
        -------
        pandas.DataFrame
            One row per spectrum: ``p_b``, ``logit``, ``logit_spread`` (of an ensemble) and
            ``bad_fraction``, NaN where too many pixels are bad; ``unlike_training``, the spectrum
            is unlike those that the network was trained on, so that its p_b means little.

        Raises
        ------
        InputError
            The shapes differ, wavelengths are missing or do not rise.
        ValueError
            The network needs a velocity.
        """
        if hasattr(flux, "spectral_axis"):
            flux, ivar, wave_angstrom = from_specutils(flux)
        if wave_angstrom is None:
            raise InputError("give wave_angstrom, the vacuum wavelength of every pixel")
        return classify(own_spectra(flux, ivar, wave_angstrom), rv_kms, self._plan)

    def star(self, which: str | int, radius_arcsec: float = RADIUS_ARCSEC) -> StarPage:
        """Find one star; printed, it is what `pairspec star` prints.

        Parameters
        ----------
        which : str or int
            Name, Gaia source_id, obsid, or ``"ra dec"`` in degrees.
        radius_arcsec : float
            Of a search by position.

        Returns
        -------
        StarPage
            ``star.row`` is its row of the catalogue, ``star.spectra`` its spectra.

        Raises
        ------
        InputError
            No star fits, or several do; the message names them.
        """
        found = open_page(self.root, str(which), radius_arcsec, self._models)
        if isinstance(found, StarPage):
            return found
        named = "; ".join(map(str, found))
        raise InputError(f"{len(found)} stars fit {which}, name one: {named}")

    @property
    def plot(self) -> Plots:
        """Figures of the run; each returns Matplotlib axes."""
        return Plots(self)

    def __repr__(self) -> str:
        lines = [f"pairspec run {self.root.path}"]
        lines += [f"  {name:<14}{text}" for name, text in self._holdings()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{name}</th><td>{html.escape(text)}</td></tr>"
            for name, text in self._holdings()
        )
        return f"<b>pairspec run {html.escape(str(self.root.path))}</b><table>{rows}</table>"

    def _holdings(self) -> list[tuple[str, str]]:
        held, old = [], outdated(self.root.path, _DATASETS)
        for name in _DATASETS:
            published = read_published(self.root.path, name)
            if published is not None:
                counts = list(published.counts.items())[:3]
                text = ", ".join(counted(value, what) for what, value in counts)
                held.append((name, f"{text} (outdated)" if name in old else text))
        return held

    @cached_property
    def _plan(self) -> EnsemblePlan:
        return plan_ensemble(self._models)

    def _spectra_settings(self) -> SpectraSettings:
        there = all((path / "model.json").is_file() for path in self._models)
        return self._plan.spectra if there else SpectraSettings()

    def _rows(self, where: str) -> pd.DataFrame:
        predicted = bool(table_files(self.root.table(PREDICTIONS)))
        return known_spectra(self.sql, where, predicted=predicted)
