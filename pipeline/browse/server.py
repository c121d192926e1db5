"""The server of the explorer, on the loopback interface."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bokeh.resources import Resources
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from pipeline.browse.guard import ADDRESS, guarded, new_token
from pipeline.browse.page import Explorer
from pipeline.browse.star_reader import StarReader
from pipeline.browse.stars import read_stars
from pipeline.core.errors import InputError
from pipeline.core.root import Root

THREADS = 2
COMPONENTS = ["bokeh", "bokeh-widgets", "bokeh-tables"]
"""Of BokehJS, all that the page uses: without MathJax and WebGL half as large."""


class LocalApplication(BokehTornado):
    """Bokeh's application, whose pages load scripts from itself, whatever Bokeh's settings say."""

    def resources(self, absolute_url: str | bool | None = None) -> Resources:  # noqa: ARG002
        """Return where a page finds its scripts.

        Parameters
        ----------
        absolute_url : str or bool, optional
            Not used: addresses are relative to this server.
        """
        return Resources(mode="server", root_url=f"{self.prefix}/", components=COMPONENTS)


def browse(
    root: Root,
    models: tuple[Path, ...],
    log_age: float,
    port: int,
    folder: Path,
    ready: Callable[[str], None],
) -> None:
    """Serve the explorer until the process is stopped.

    Parameters
    ----------
    root : Root
        Of a run that has a catalogue.
    models : tuple of pathlib.Path
        Networks that gave p_b.
    log_age : float
        log10 age in years of the isochrone of companions.
    port : int
        Port to listen on; 0: any free one.
    folder : pathlib.Path
        Where exports go.
    ready : callable
        Called with the address of the page once it can be opened.

    Raises
    ------
    InputError
        The port is taken.
    NotReadyError
        The run has no catalogue.
    """
    stars = read_stars(root)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="explorer")
    explorer = Explorer(stars, StarReader(stars, models, log_age), folder, pool)
    explorer.prepare()
    try:
        listening = socket.create_server((ADDRESS, port))
    except OSError as error:
        raise InputError(f"cannot listen on port {port} ({error}); --port names another") from None
    listening.setblocking(False)  # noqa: FBT003 (its only argument)
    bound = listening.getsockname()[1]
    token = new_token()
    application = LocalApplication(
        {"/": explorer.open_page},
        prefix=token,
        # A tunnel of SSH may have the same port under the other name.
        extra_websocket_origins=[f"{host}:{bound}" for host in (ADDRESS, "localhost")],
    )
    http = HTTPServer(guarded(application, token))
    http.add_socket(listening)
    server = BaseServer(IOLoop.current(), application, http)
    server.start()
    server.io_loop.add_callback(ready, f"http://{ADDRESS}:{bound}/{token}/")
    server.io_loop.start()
