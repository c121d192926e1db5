"""All settings of a run: one file, the environment and the command line, in rising order."""

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as EnvironmentSettingsError

from pipeline.settings.acquire import AcquireSettings
from pipeline.settings.catalogue import CatalogueSettings
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.evaluate import EvaluateSettings
from pipeline.settings.explain import Sources, explain
from pipeline.settings.infer import InferSettings
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.inputs import InputSettings
from pipeline.settings.labels import LabelSettings
from pipeline.settings.network import NetworkSettings
from pipeline.settings.paths import change_paths
from pipeline.settings.photometry import PhotometrySettings
from pipeline.settings.profiles import ClusterProfiles
from pipeline.settings.sample import SampleSettings
from pipeline.settings.simulate import SimulateSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.tables import TableSettings
from pipeline.settings.training import TrainingSettings
from pipeline.settings.validation import ValidationSettings

DEFAULT_FILE = "pairspec.toml"
_PREFIX, _DELIMITER = "PAIRSPEC_", "__"


class SettingsError(ValueError):
    """A setting is unknown or has no valid value."""


class Settings(BaseSettings):
    """Everything that a run depends on."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=_PREFIX,
        env_nested_delimiter=_DELIMITER,
        use_attribute_docstrings=True,
    )

    root: Path = Path("run")
    """Folder of everything that a run writes."""

    inputs: InputSettings = InputSettings()
    acquire: AcquireSettings = AcquireSettings()
    cluster: ClusterProfiles = ClusterProfiles()
    ingest: IngestSettings = IngestSettings()
    spectra: SpectraSettings = SpectraSettings()
    tables: TableSettings = TableSettings()
    photometry: PhotometrySettings = PhotometrySettings()
    sample: SampleSettings = SampleSettings()
    labels: LabelSettings = LabelSettings()
    composites: CompositeSettings = CompositeSettings()
    network: NetworkSettings = NetworkSettings()
    training: TrainingSettings = TrainingSettings()
    infer: InferSettings = InferSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    validation: ValidationSettings = ValidationSettings()
    simulate: SimulateSettings = SimulateSettings()

    def for_stage(self, name: str) -> "Settings":
        """Return the settings of one stage: those of the run, with the cluster of its profile.

        Parameters
        ----------
        name : str
            Name of the stage, or ``driver``.
        """
        return self.model_copy(update={"cluster": self.cluster.profile(name)})


def load_settings(
    config: Path | None = None,
    overrides: Iterable[str] = (),
    **values: Any,
) -> Settings:
    """Read the settings of a run.

    Parameters
    ----------
    config : pathlib.Path, optional
        TOML file, or what `pairspec settings` prints in a file named ``.json``; by default
        ``pairspec.toml`` here, if there is one. Relative paths in it are relative to the file.
    overrides : iterable of str
        ``section.key=value`` from the command line; the value is read as TOML, else as text.
    **values
        Top-level values that win over all others, e.g. ``root`` or ``inputs={"spectra": ...}``.

    Returns
    -------
    Settings
        Values of the command line, else of the environment (``PAIRSPEC_SECTION__KEY``), else
        of the file, else the defaults.

    Raises
    ------
    SettingsError
        A file that can't be read, an unknown key (with the nearest valid name), a bad value.
    """
    from_file = _read_file(config)
    from_set: dict[str, Any] = {}
    for text in overrides:
        _merge(from_set, _parse_override(text))
    options = {k: v for k, v in values.items() if v not in (None, {})}
    explicit: dict[str, Any] = {}
    for given in (from_set, options):
        _merge(explicit, given)

    class Sourced(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file = InitSettingsSource(settings_cls, from_file)
            return init_settings, env_settings, file, dotenv_settings, file_secret_settings

    try:
        sourced = Sourced(**explicit)
    except ValidationError as error:
        sources: Sources = (
            ("the options of the command", options),
            ("--set", from_set),
            *_environment(),
            (str(config or DEFAULT_FILE), from_file),
        )
        raise SettingsError(explain(error, Settings, sources)) from None
    except EnvironmentSettingsError as error:
        raise SettingsError(_not_json(error)) from None
    return Settings.model_construct(**{name: getattr(sourced, name) for name in _fields(Settings)})


def _read_file(config: Path | None) -> dict[str, Any]:
    path = config or Path(DEFAULT_FILE)
    if config is None and not path.exists():
        return {}
    try:
        text = path.read_text()
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise SettingsError(f"{path} is not valid {kind}: {error}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path} holds no settings: a JSON object is expected")
    base = path.resolve().parent
    change_paths(content, Settings, lambda local: str(base / local))
    return content


def _parse_override(text: str) -> dict[str, Any]:
    name, sep, value = text.partition("=")
    if not sep or not name.strip():
        raise SettingsError(f"--set takes section.key=value, not {text!r}")
    try:
        parsed = tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        parsed = value
    if isinstance(parsed, date | time):
        parsed = value  # No setting is a date; a walltime is written like a time of day.
    for key in reversed(name.strip().split(".")):
        parsed = {key: parsed}
    return parsed  # type: ignore[no-any-return]


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _fields(model: Any) -> list[str]:
    return list(model.model_fields)


def _environment() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each variable that gives a setting, and the setting as a file would have it."""
    for name, text in os.environ.items():
        if name.upper().startswith(_PREFIX):
            content: Any = text
            for key in reversed(name[len(_PREFIX) :].lower().split(_DELIMITER)):
                content = {key: content}
            yield name, content


def _not_json(error: Exception) -> str:
    """Name the variables among which one holds a list or section that cannot be read."""
    field = str(error).partition('field "')[2].partition('"')[0]
    names = [name for name, content in _environment() if field in content]
    return (
        f"{', '.join(names)} in the environment: a list is written as JSON, e.g. '[\"model\"]', "
        "and each setting of a section by a variable of its own, e.g. PAIRSPEC_CLUSTER__WORKERS=8"
    )
