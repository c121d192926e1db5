"""The base of every section of the settings."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One section of ``pairspec.toml``: frozen, typed, unknown keys refused.

    The docstring under a field is its description; it names where the default comes from:
    ``[paper]``, ``[source: ...]``, ``[derived]`` or ``[assumed]``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def changed(self) -> dict[str, Any]:
        """Return the values, as JSON has them, that make this section of the defaults."""
        return self.model_dump(mode="json", exclude_defaults=True)
