"""What the validations of a run read, each table once per task."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from pipeline.core.root import Root
from pipeline.settings.evaluate import EvaluateSettings
from pipeline.settings.inputs import InputSettings
from pipeline.settings.validation import ValidationSettings
from pipeline.validation.stars import read_spectra, read_stars


@dataclass(frozen=True)
class RunData:
    """A run and its settings, as far as validations need them.

    Parameters
    ----------
    root : Root
        Root of the run.
    inputs : InputSettings
        Tables from elsewhere.
    settings : ValidationSettings
        What is counted.
    evaluate : EvaluateSettings
        Draws of the test part.
    injections : tuple of pathlib.Path
        Injected spectra, where the validation that needs them is to run.
    no_injections : str
        Why there are none.
    log_age : float
        log10 age in years of the isochrone that gave their masses.
    """

    root: Root
    inputs: InputSettings
    settings: ValidationSettings
    evaluate: EvaluateSettings
    injections: tuple[Path, ...] = ()
    no_injections: str = ""
    log_age: float = 9.0

    @cached_property
    def all_stars(self) -> pd.DataFrame:
        """Stars that have a p_b."""
        return read_stars(self.root, self.inputs.truth)

    @cached_property
    def stars(self) -> pd.DataFrame:
        """Those that the network was not trained on."""
        return self.all_stars[~self.all_stars["seen"]].reset_index(drop=True)

    @cached_property
    def all_spectra(self) -> pd.DataFrame:
        """Spectra that have a p_b."""
        return read_spectra(self.root)

    @cached_property
    def spectra(self) -> pd.DataFrame:
        """Those of the stars that the network was not trained on."""
        unseen = self.all_spectra["star_id"].isin(set(self.stars["star_id"]))
        return self.all_spectra[unseen].reset_index(drop=True)

    def given(self, name: str) -> Path:
        """Return the path of a table from elsewhere.

        Parameters
        ----------
        name : str
            Name in the section ``inputs``; it is there, or the validation would be skipped.
        """
        return Path(getattr(self.inputs, name))
