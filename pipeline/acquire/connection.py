"""Requests to one host: paced, verified, never followed elsewhere."""

import re
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from pipeline.acquire.pace import Pace
from pipeline.acquire.reasons import FetchError, Reason
from pipeline.acquire.secret import Secret
from pipeline.settings.acquire import AcquireSettings

_REDIRECTS = {301, 302, 303, 307, 308}
_SEE_OTHER = {301, 302, 303}
"""After these, a form is not sent again (RFC 9110, section 15.4)."""
_MAX_REDIRECTS = 5
_SAID_BYTES = 4000
_POOL = re.compile(r"^\w+\(host=[^)]*\): ")
_TAG = re.compile(r"<[^>]*>")
_PORTS = {"http": 80, "https": 443}
_STATUS = {
    401: Reason.TOKEN_REFUSED, 403: Reason.NO_PERMISSION, 404: Reason.NOT_FOUND,
    408: Reason.SERVER_ERROR, 410: Reason.NOT_FOUND, 416: Reason.WRONG_LENGTH,
    425: Reason.SERVER_ERROR, 429: Reason.BUSY, 503: Reason.BUSY,
}  # fmt: skip

Files = Mapping[str, tuple[str, bytes, str]]


class Connection:
    """Sends requests; safe to share between threads.

    Proxies and certificates are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``,
    ``REQUESTS_CA_BUNDLE``); TLS is always verified.

    Parameters
    ----------
    settings : AcquireSettings
        Timeouts.
    secret : Secret
        Token for private files.
    pace : Pace
        When requests may start.
    """

    def __init__(self, settings: AcquireSettings, secret: Secret, pace: Pace) -> None:
        self._settings, self._secret, self._pace = settings, secret, pace
        self._local = threading.local()

    def get(self, url: str, headers: Mapping[str, str], *, private: bool) -> requests.Response:
        """Ask for a file; the body is not read yet.

        Parameters
        ----------
        url : str
            Without token.
        headers : mapping of str to str
            Further headers.
        private : bool
            Send the token.

        Returns
        -------
        requests.Response
            With status 200 or 206; to be closed by the caller.

        Raises
        ------
        FetchError
            There is no such response.
        """
        return self._ask("GET", url, private=private, headers=dict(headers))

    def post(self, url: str, fields: Mapping[str, str], files: Files) -> requests.Response:
        """Send a form, as of `get`; what it is redirected to is asked for by GET.

        Parameters
        ----------
        url : str
            Where to.
        fields : mapping of str to str
            Fields of the form.
        files : mapping of str to tuple
            Files of the form: name, content and media type of each.

        Raises
        ------
        FetchError
            There is no response with status 200.
        """
        return self._ask("POST", url, private=False, data=dict(fields), files=dict(files))

    def delete(self, url: str) -> None:
        """Delete something of ours on the server, whatever it answers."""
        with suppress(FetchError):
            self._send("DELETE", url, private=False).close()

    def _ask(self, method: str, url: str, *, private: bool, **sent: Any) -> requests.Response:
        start, public = urlsplit(url), not private
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._send(method, url, private=private, **sent)
            if response.status_code not in _REDIRECTS:
                return self._checked(response, public=public)
            location = response.headers.get("Location", "")
            response.close()
            to = _same_host(start, url, location)
            if to is None:
                shown = self._secret.hide(location.partition("?")[0])[:200]
                raise FetchError(Reason.OTHER_HOST, f"redirected to {shown}")
            # A server that repeats our query has the token in it already.
            private = private and "token=" not in (urlsplit(to).query or "")
            url = to
            if method == "POST" and response.status_code in _SEE_OTHER:
                method, sent = "GET", {}
        raise FetchError(Reason.REDIRECT_LOOP, f"more than {_MAX_REDIRECTS} redirects")

    def _send(self, method: str, url: str, *, private: bool, **sent: Any) -> requests.Response:
        if private and self._secret:
            url = f"{url}{'&' if urlsplit(url).query else '?'}{self._secret.query()}"
        timeout = (self._settings.connect_timeout_s, self._settings.read_timeout_s)
        self._pace.wait()
        try:
            return self._session().request(
                method, url, stream=True, allow_redirects=False, timeout=timeout, **sent
            )
        except requests.exceptions.ReadTimeout:
            raise FetchError(Reason.TOO_SLOW, "the server is silent") from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            detail = f"{urlsplit(url).netloc}: {_cause(error)}"
            raise FetchError(Reason.NO_CONNECTION, self._secret.hide(detail)) from None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = f"pairspec/{version('pairspec')} (acquire)"
            # What is compressed for the way alone costs the server more than it saves.
            session.headers["Accept-Encoding"] = "identity"
            self._local.session = session
        return session

    def _checked(self, response: requests.Response, *, public: bool) -> requests.Response:
        status = response.status_code
        if status in (200, 206):
            return response
        retry_after_s = _retry_after_s(response.headers.get("Retry-After"))
        # What repeats a request with a token is not for a ledger, however it is written.
        said = _said(response) if public else ""
        response.close()
        fallback = Reason.SERVER_ERROR if status >= 500 else Reason.BAD_REQUEST
        detail = f"HTTP status {status}{said}"
        raise FetchError(_STATUS.get(status, fallback), detail, retry_after_s)


def _cause(error: Exception) -> str:
    """Return why there is no connection, without the address of the request."""
    first = error.args[0] if error.args else error
    return _POOL.sub("", str(getattr(first, "reason", None) or first))


def _said(response: requests.Response) -> str:
    """Return what a service of the Virtual Observatory says of a request that it refuses."""
    if "xml" not in response.headers.get("Content-Type", ""):
        return ""
    try:
        body = response.raw.read(_SAID_BYTES, decode_content=True)
    except (HTTPError, OSError):
        return ""
    text = " ".join(_TAG.sub(" ", body.decode(errors="replace")).split())
    return f": {text[:300]}" if text else ""


def _same_host(start: SplitResult, url: str, location: str) -> str | None:
    """Return where a redirect leads; None if that is another host, less safe, or no address."""
    try:
        to = urljoin(url, location)
        parts = urlsplit(to)
        if parts.hostname != start.hostname or parts.scheme not in _PORTS or parts.username:
            return None
        same = parts.scheme == start.scheme and _port(parts) == _port(start)
        safer = parts.scheme == "https" and _port(parts) == _PORTS["https"]
    except ValueError:
        return None
    return to if same or safer else None


def _port(url: SplitResult) -> int:
    return url.port or _PORTS[url.scheme]


def _retry_after_s(value: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
