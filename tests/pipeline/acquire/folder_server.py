"""A folder on loopback by HTTP, with ranges, as archives of HATS catalogues serve theirs."""

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.pipeline.acquire.server import Loopback


class FolderServer(Loopback):
    """Serves the files of a folder; ``sent`` has the bytes sent of each.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: dict[str, int] = {}
        self.failing: dict[str, int] = {}
        """How often the server still fails, by the end of a file's name."""
        self.shifted = 0
        """By so many bytes is every answer another range than was asked for."""
        self.ranges = True
        self.lock = threading.Lock()
        self.serve(_handler(self))

    @property
    def url(self) -> str:
        return f"http://{self.address}"


def _handler(server: FolderServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            name = unquote(urlsplit(self.path).path).lstrip("/")
            path = server.folder / name
            if self._fails(name) or not path.is_file():
                self.send_response(404 if not path.is_file() else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            size = path.stat().st_size
            partial = server.ranges and "Range" in self.headers
            first, last = self._range(size) if partial else (0, size - 1)
            self.send_response(206 if partial else 200)
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("Accept-Ranges", "bytes" if server.ranges else "none")
            if partial:
                self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.end_headers()
            if not body:
                return
            # Counted before it is sent: a client that has it all may look at once.
            with server.lock:
                server.sent[name] = server.sent.get(name, 0) + last - first + 1
            with path.open("rb") as file:
                file.seek(first)
                self.wfile.write(file.read(last - first + 1))

        def _fails(self, name: str) -> bool:
            with server.lock:
                for end, times in server.failing.items():
                    if times > 0 and name.endswith(end):
                        server.failing[end] -= 1
                        return True
            return False

        def _range(self, size: int) -> tuple[int, int]:
            asked = self.headers.get("Range", "").removeprefix("bytes=")
            if not asked:
                return 0, size - 1
            first, _, last = asked.partition("-")
            if not first:
                return max(size - int(last), 0), size - 1
            begin = max(int(first) - server.shifted, 0)
            return begin, min(int(last) - server.shifted, size - 1) if last else size - 1

    return Handler
