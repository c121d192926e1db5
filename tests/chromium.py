"""Debian's Chromium for tests of pages, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def opened(page: Path, **context: Any) -> Iterator[tuple[Any, list[str], list[str]]]:
    """Open a page from disk without a network; skips where there is no Chromium.

    Parameters
    ----------
    page : pathlib.Path
        File to open.
    **context : object
        As `playwright.sync_api.Browser.new_context` takes them.

    Yields
    ------
    page, requests, complaints
        The page as Playwright has it; what it asked for beside itself; what stands in the console.
    """
    with visited(page.as_uri(), offline=True, **context) as visit:
        yield visit


@contextmanager
def visited(address: str, **context: Any) -> Iterator[tuple[Any, list[str], list[str]]]:
    """Open an address; skips where there is no Chromium.

    Parameters
    ----------
    address : str
        Address to open.
    **context : object
        As `playwright.sync_api.Browser.new_context` takes them.

    Yields
    ------
    page, requests, complaints
        As of `opened`.
    """
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    requests: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as driver:
        # Chromium refuses to sandbox what root starts; the page is our own.
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with browser.new_context(**context) as opened_in:
            view = opened_in.new_page()
            view.on("request", lambda request: requests.append(request.url))
            view.on("console", lambda message: complaints.append(message.text))
            view.on("pageerror", lambda error: complaints.append(str(error)))
            view.goto(address, wait_until="load")
            requests[:] = [url for url in requests if not url.startswith(("data:", address))]
            yield view, requests, complaints
        browser.close()
