"""The token of an archive: it goes into requests, and into nothing else."""

import logging
import os
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

TOKEN_VARIABLE = "LAMOST_TOKEN"  # noqa: S105 (the variable's name)
SERVICE = "pairspec"
_HIDDEN = "***"
_LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry", "requests")
"""Those that may log addresses of requests."""


class Secret:
    """A token that shows itself to nobody.

    Parameters
    ----------
    value : str
        The token; empty for none.
    """

    __slots__ = ("_forms", "_value")

    def __init__(self, value: str = "") -> None:
        self._value = value.strip()
        # The longest first, so that no part of one is left.
        forms = {self._value, quote(self._value, safe=""), quote_plus(self._value)} - {""}
        self._forms = sorted(forms, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN if self._value else 'none'})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def query(self) -> str:
        """Return ``token=...`` for the address of a request."""
        return f"token={quote(self._value, safe='')}"

    def hide(self, text: str) -> str:
        """Return a text without the token."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return text


def token_of(environment: Mapping[str, str] = os.environ, *, keyring: bool = True) -> Secret:
    """Return the token of the environment's variable ``LAMOST_TOKEN``, else that of the keyring.

    There it has the service ``pairspec`` and the user ``LAMOST_TOKEN``; the package ``keyring`` is
    optional, and a machine without a keyring has no token.

    Parameters
    ----------
    environment : mapping of str to str
        Variables.
    keyring : bool
        Ask the keyring, which may ask the user to unlock it.
    """
    given = environment.get(TOKEN_VARIABLE)
    if given is None:
        given = _of_keyring() if keyring else ""
    return Secret(given)


def _of_keyring() -> str:
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, TOKEN_VARIABLE) or ""
    except keyring.errors.KeyringError:
        return ""


class HideInLogs(logging.Filter):
    """Keeps a token out of what libraries log, also at the level of debugging.

    Parameters
    ----------
    secret : Secret
        The token.
    """

    def __init__(self, secret: Secret) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the token in a record's text; keep the record."""
        record.msg, record.args = self._secret.hide(record.getMessage()), None
        return True

    def install(self) -> None:
        """Put the filter before everything that may log an address."""
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            for old in [own for own in logger.filters if isinstance(own, HideInLogs)]:
                logger.removeFilter(old)
            logger.addFilter(self)
