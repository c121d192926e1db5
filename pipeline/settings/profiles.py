"""Section ``cluster``: where all stages run, and what differs for one of them."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cluster.settings import ClusterSettings

_OF_THE_SITE = (
    "kind", "partition", "account", "log_folder", "shared_folder", "directives", "prologue",
)  # fmt: skip
"""What the driver's job has in common with the jobs of its workers; its size is its own."""

_DRIVER = {"jobs": 1, "cores": 1, "memory": "8GB", "walltime": "24:00:00", "margin": 120}


Profile = Literal[
    "simulate",
    "ingest",
    "photometry",
    "select",
    "label",
    "composites",
    "train",
    "infer",
    "evaluate",
    "catalogue",
    "validate",
    "report",
    "driver",
]
PROFILES: tuple[str, ...] = get_args(Profile)
"""Names of the profiles: every stage, and the driver."""


class ClusterProfiles(ClusterSettings):
    """The engine that runs the tasks; `[cluster.train]` says what differs for `train` alone."""

    by_stage: dict[Profile, ClusterSettings] = Field({}, title="STAGE")
    """What differs for one stage: `[cluster.train]`, `[cluster.infer]`, ... `[cluster.driver]` is
    the job of the driver itself under `pairspec submit`. It takes kind, partition, account,
    directives, prologue and folders from `[cluster]`; its size is 1 core, 8GB and 24:00:00 unless
    given here."""

    @model_validator(mode="before")
    @classmethod
    def _merge(cls, data: Any) -> Any:
        """Lay each profile over what holds for all stages."""
        if isinstance(data, ClusterSettings):
            data = data.model_dump(exclude_unset=True)
        if not isinstance(data, Mapping):
            return data
        # Nobody names the field itself: whoever does so is told that there is no such stage.
        names = (*PROFILES, "by_stage")
        merged = {key: value for key, value in data.items() if key not in names}
        common = {key: merged[key] for key in ClusterSettings.model_fields if key in merged}
        own = {name: data[name] for name in names if data.get(name) is not None}
        site = {key: common[key] for key in _OF_THE_SITE if key in common} | _DRIVER
        own.setdefault("driver", {})
        for name, value in own.items():
            if isinstance(value, Mapping):
                own[name] = (site if name == "driver" else common) | dict(value)
        return merged | {"by_stage": own}

    @model_serializer(mode="wrap")
    def _as_in_a_file(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialise(self)
        profiles: dict[str, Any] = content.pop("by_stage", {})
        return content | profiles

    def profile(self, name: str) -> "ClusterProfiles":
        """Return where one stage runs.

        Parameters
        ----------
        name : str
            Name of the stage, or ``driver``.
        """
        own = next((each for stage, each in self.by_stage.items() if stage == name), self)
        return ClusterProfiles(**own.model_dump(exclude_unset=True, exclude={"by_stage"}))
