"""The base of every section of the settings."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section of ``pairspec.toml``: frozen, typed, unknown keys refused.

    The docstring under a field is its description; it names where the default comes from:
    ``[paper]``, ``[source: ...]``, ``[derived]`` or ``[assumed]``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
