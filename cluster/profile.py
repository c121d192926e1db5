"""Where the time of tasks went: Dask's report as one page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def profiled(page: Path | None) -> Iterator[None]:
    """Leave a page about the tasks that run meanwhile: their order, times, transfers and lines.

    Parameters
    ----------
    page : pathlib.Path or None
        HTML file, which needs no connection; None for no page.
    """
    if page is None:
        yield
        return
    from distributed import performance_report

    page.parent.mkdir(parents=True, exist_ok=True)
    partial = page.with_name(f"{page.name}.partial")
    try:
        with performance_report(filename=str(partial), mode="inline"):
            yield
        # The one thing that the page would fetch from elsewhere.
        text = partial.read_text(encoding="utf-8")
        text = re.sub(r'<link rel="shortcut icon"[^>]*>', "", text)
        partial.write_text(text, encoding="utf-8")
        partial.replace(page)
    finally:
        # Dask writes it also about what failed.
        partial.unlink(missing_ok=True)
