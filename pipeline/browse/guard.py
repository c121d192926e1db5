"""Who may speak to the explorer: whoever knows the token, over the loopback interface."""

import hmac
import secrets
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import AnyMatches, Matcher, Rule, RuleRouter
from tornado.web import Application, RequestHandler

ADDRESS = "127.0.0.1"


def new_token() -> str:
    """Return a random token of 192 bits, as a part of a URL."""
    return secrets.token_urlsafe(24)


class TokenMatcher(Matcher):
    """Matches requests whose path begins with the token: of the page, its files, its websocket.

    Parameters
    ----------
    token : str
        The token.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return a mapping for a request with the token, else None.

        Parameters
        ----------
        request : tornado.httputil.HTTPServerRequest
            HTTP, or what becomes a websocket.
        """
        given = request.path.split("/")[1].encode() if request.path.startswith("/") else b""
        return {} if hmac.compare_digest(given, self._token) else None


class Refusal(RequestHandler):
    """Answers whatever comes without the token."""

    def prepare(self) -> None:
        """Refuse before any method is looked at."""
        self.set_status(403)
        self.finish("403: open the address that `pairspec browse` has printed, token and all\n")


def guarded(application: Application, token: str) -> RuleRouter:
    """Return a router that hands requests with the token to an application and refuses all others.

    Parameters
    ----------
    application : tornado.web.Application
        Whose paths begin with the token.
    token : str
        The token.
    """
    refusing = Application([(r".*", Refusal)])
    return RuleRouter([Rule(TokenMatcher(token), application), Rule(AnyMatches(), refusing)])
