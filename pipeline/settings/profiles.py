"""Section ``cluster``: where all stages run, and what differs for one of them."""

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from cluster.settings import ClusterSettings

CLUSTER_PATHS = ("log_folder", "shared_folder", "tls_ca_file", "tls_cert_file", "tls_key_file")
"""Settings that are paths on this machine."""

_OF_THE_SITE = (
    "kind", "partition", "account", "log_folder", "shared_folder", "directives", "prologue",
)  # fmt: skip
"""What the driver's job has in common with the jobs of its workers; its size is its own."""

_DRIVER = {"jobs": 1, "cores": 1, "memory": "8GB", "walltime": "24:00:00", "margin": 120}


class ClusterProfiles(ClusterSettings):
    """The engine that runs the tasks; `[cluster.train]` says what differs for `train` alone."""

    simulate: ClusterSettings | None = None
    """What differs for `simulate`."""

    ingest: ClusterSettings | None = None
    """What differs for `ingest`."""

    photometry: ClusterSettings | None = None
    """What differs for `photometry`."""

    select: ClusterSettings | None = None
    """What differs for `select`."""

    label: ClusterSettings | None = None
    """What differs for `label`."""

    composites: ClusterSettings | None = None
    """What differs for `composites`."""

    train: ClusterSettings | None = None
    """What differs for `train`."""

    infer: ClusterSettings | None = None
    """What differs for `infer`."""

    evaluate: ClusterSettings | None = None
    """What differs for `evaluate`."""

    catalogue: ClusterSettings | None = None
    """What differs for `catalogue`."""

    report: ClusterSettings | None = None
    """What differs for `report`."""

    driver: ClusterSettings | None = None
    """The job of the driver itself under `pairspec submit`. It takes kind, partition, account,
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
        merged = {key: value for key, value in data.items() if key not in PROFILES}
        common = {key: merged[key] for key in ClusterSettings.model_fields if key in merged}
        for name in PROFILES:
            own = data.get(name)
            if name == "driver" and isinstance(own or {}, Mapping):
                site = {key: common[key] for key in _OF_THE_SITE if key in common}
                merged[name] = site | _DRIVER | dict(own or {})
            elif isinstance(own, Mapping):
                merged[name] = common | dict(own)
            elif own is not None:
                merged[name] = own
        return merged

    def profile(self, name: str) -> "ClusterProfiles":
        """Return where one stage runs.

        Parameters
        ----------
        name : str
            Name of the stage, or ``driver``.
        """
        own = getattr(self, name) or self
        return ClusterProfiles(**own.model_dump(exclude_unset=True, exclude=set(PROFILES)))


PROFILES = tuple(
    name for name in ClusterProfiles.model_fields if name not in ClusterSettings.model_fields
)
"""Names of the profiles: every stage, and the driver."""
