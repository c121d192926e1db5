"""Why a file could not be fetched, and what follows from it."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a file could not be fetched, as written into the ledger."""

    NOT_FOUND = "not_found"
    """The server does not have it (404, 410)."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105 (no password)
    """The server asks who we are (401)."""
    NO_PERMISSION = "no_permission"
    """The server does not give it to us (403)."""
    BAD_REQUEST = "bad_request"
    """The server does not understand the request (other 4xx)."""
    OTHER_HOST = "other_host"
    """A redirect leads to another host, which is not followed."""
    REDIRECT_LOOP = "redirect_loop"
    """Redirects do not end."""
    HTML = "html"
    """An HTML page (an error, a login) in place of the file."""
    EMPTY = "empty"
    """No bytes at all."""
    NOT_WANTED = "not_wanted"
    """Sound, but not the file that was asked for."""
    TOO_LARGE = "too_large"
    """More bytes than such a file can have."""
    CORRUPT = "corrupt"
    """Broken gzip, FITS or table, though the length is right."""
    WRONG_LENGTH = "wrong_length"
    """Fewer or more bytes than the server had said, or another range than was asked for."""
    CUT = "cut"
    """The connection ended in mid-file."""
    TOO_SLOW = "too_slow"
    """Below `acquire.min_bytes_per_s`."""
    BUSY = "busy"
    """The server asks to wait (429, 503)."""
    SERVER_ERROR = "server_error"
    """The server fails (5xx)."""
    NO_CONNECTION = "no_connection"
    """No connection: name, network, proxy or TLS."""


_ONCE = {
    Reason.NOT_FOUND, Reason.TOKEN_REFUSED, Reason.NO_PERMISSION, Reason.BAD_REQUEST,
    Reason.OTHER_HOST, Reason.REDIRECT_LOOP, Reason.TOO_LARGE, Reason.NOT_WANTED,
}  # fmt: skip
"""Asking again in the same run is of no use."""

_FINAL = _ONCE | {Reason.HTML, Reason.EMPTY, Reason.CORRUPT}
"""Asking again in the next run is of no use either, unless the user wants it."""

_SERVER = {
    Reason.TOKEN_REFUSED, Reason.NO_PERMISSION, Reason.OTHER_HOST, Reason.REDIRECT_LOOP,
    Reason.HTML, Reason.BUSY, Reason.SERVER_ERROR, Reason.NO_CONNECTION, Reason.TOO_SLOW,
}  # fmt: skip
"""May hold for all files alike."""


def is_retried(reason: Reason) -> bool:
    """Whether the file is asked for again in the same run."""
    return reason not in _ONCE


def is_final(reason: Reason) -> bool:
    """Whether the next run leaves the file alone."""
    return reason in _FINAL


def is_of_server(reason: Reason) -> bool:
    """Whether the reason may hold for all files alike."""
    return reason in _SERVER


class FetchError(Exception):
    """One file could not be fetched by one attempt; caught by the downloader.

    Parameters
    ----------
    reason : Reason
        What went wrong, from a closed list.
    detail : str
        What was found; carries no token.
    retry_after_s : float, optional
        Wait that the server asks for.
    """

    def __init__(self, reason: Reason, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason, self.detail, self.retry_after_s = reason, detail, retry_after_s
