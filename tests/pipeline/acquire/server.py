"""HTTP servers on loopback that misbehave as real ones do, by a fixed schedule."""

import gzip
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients may go away as they like."""


class Loopback:
    """A server that runs inside a ``with``."""

    def serve(self, handler: type[BaseHTTPRequestHandler]) -> None:
        """Take a port; the answers are the handler's."""
        self._server = QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Server(Loopback):
    """Serves ``files`` (path to bytes); ``faults`` says how it fails on which attempt.

    Parameters
    ----------
    files : dict of str to bytes
        What is there.
    faults : callable
        From a path and the number of the attempt (from 0) to the name of a fault, or None.
    token : str, optional
        Without it in the query, nothing is given.
    answer : callable
        From a path and its query to what is there, where ``files`` has nothing.
    ranges : bool
        Ranges are obeyed.
    tls : ssl.SSLContext, optional
        For https.
    """

    def __init__(
        self,
        files: dict[str, bytes],
        faults: Callable[[str, int], str | None] = lambda path, attempt: None,
        token: str | None = None,
        *,
        ranges: bool = True,
        tls: ssl.SSLContext | None = None,
        answer: Callable[[str, dict[str, str]], bytes | None] = lambda path, query: None,
    ) -> None:
        self.files, self.faults, self.token, self.ranges = files, faults, token, ranges
        self.answer = answer
        self.retry_after = "0"
        self.location = ""
        self._scheme = "http" if tls is None else "https"
        self.attempts: Counter[str] = Counter()
        self.complete: Counter[str] = Counter()
        self.times: list[float] = []
        self.ranges_asked: list[str] = []
        self.sent_bytes = 0
        self.lock = threading.Lock()
        self.serve(_handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.address}"


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            try:
                self._answer()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            with server.lock:
                attempt = server.attempts[parts.path]
                server.attempts[parts.path] += 1
                server.times.append(time.monotonic())
            if server.token is not None:
                given = parse_qs(parts.query).get("token", [""])[0]
                if given != server.token:
                    xml = {"Content-Type": "application/xml"}
                    return self._send(401, f"<error>bad token {given}</error>".encode(), xml)
            fault = server.faults(parts.path, attempt)
            content = server.files.get(parts.path)
            if content is None:
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                content = server.answer(parts.path, query)
            if content is None:
                return self._send(404, b"not here")
            if fault is not None:
                return getattr(self, f"_{fault}")(content)
            return self._whole(content)

        def _whole(self, content: bytes) -> None:
            asked = self.headers.get("Range")
            headers = {"ETag": f'"{hash(content)}"', "Accept-Ranges": "bytes"}
            if asked:
                server.ranges_asked.append(asked)
            if asked and server.ranges and self.headers.get("If-Range") == headers["ETag"]:
                first = int(asked.removeprefix("bytes=").rstrip("-"))
                headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
                self._send(206, content[first:], headers)
            else:
                self._send(200, content, headers)
            with server.lock:
                server.complete[urlsplit(self.path).path] += 1

        def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            server.sent_bytes += len(body)

        def _forbidden(self, content: bytes) -> None:
            self._send(403, b"not yours")

        def _busy(self, content: bytes) -> None:
            self._send(429, b"slow down", {"Retry-After": server.retry_after})

        def _busy_a_second(self, content: bytes) -> None:
            self._send(503, b"slow down", {"Retry-After": "1"})

        def _busy_for_a_day(self, content: bytes) -> None:
            self._send(429, b"slow down", {"Retry-After": "86400"})

        def _error(self, content: bytes) -> None:
            self._send(500, b"oh")

        def _empty(self, content: bytes) -> None:
            self._send(200, b"")

        def _html(self, content: bytes) -> None:
            self._send(200, HTML, {"Content-Type": "text/html"})

        def _cut(self, content: bytes) -> None:
            """Half of the file, then the connection is gone."""
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hash(content)}"')
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True

        def _short(self, content: bytes) -> None:
            """Less than the file, said to be all of it."""
            self._send(200, content[:-20])

        def _drip(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for i in range(40):
                self.wfile.write(content[i : i + 1])
                self.wfile.flush()
                time.sleep(0.05)
            self.close_connection = True

        def _silent(self, content: bytes) -> None:
            time.sleep(1.0)
            self.close_connection = True

        def _loop(self, content: bytes) -> None:
            self._send(302, b"", {"Location": self.path})

        def _elsewhere(self, content: bytes) -> None:
            port = server.url.rpartition(":")[2]
            self._send(302, b"", {"Location": f"http://localhost:{port}{self.path}"})

        def _moved(self, content: bytes) -> None:
            self._send(302, b"", {"Location": server.location or self.path})

        def _encoded(self, content: bytes) -> None:
            self._send(200, gzip.compress(content, 1), {"Content-Encoding": "gzip"})

        def _chunked(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (content[:100], content[100:]):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def _other_range(self, content: bytes) -> None:
            headers = {"Content-Range": f"bytes 0-{len(content) - 6}/{len(content)}"}
            self._send(206, content[:-5], headers)

    return Handler
