"""Short digests of settings and inputs, to tell whether an output still belongs to them."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def digest_of(*parts: Any) -> str:
    """Return 16 hex digits of the SHA-256 of the parts: settings, strings, numbers, lists.

    Parameters
    ----------
    *parts
        Anything that JSON can hold, or a pydantic model.

    Returns
    -------
    str
        The same for equal parts, on every machine.
    """
    plain = [p.model_dump(mode="json") if isinstance(p, BaseModel) else p for p in parts]
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
