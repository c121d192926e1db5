"""The explorer as a browser shows it, over a finished run."""

import os
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from astropy.table import Table

from pipeline.catalogue.query import connect
from tests.chromium import visited

TIMEOUT_MS = 120_000
HERE = Path(__file__).resolve().parents[3]
READY = "() => window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle"
# Where a point of a picture lies on the screen.
PLACE = """([name, x, y]) => {
    const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name));
    const inside = view.el.getBoundingClientRect();
    return [inside.x + view.frame.x_scale.compute(x), inside.y + view.frame.y_scale.compute(y)];
}"""
DATA = """([name, column]) => {
    const model = Bokeh.documents[0].get_model_by_name(name);
    return Array.from((model.source ?? model.renderers[0].data_source).data[column] ?? []);
}"""

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("finished")]


@pytest.fixture(scope="module")
def explorer(finished, tmp_path_factory):
    """Address and process of `pairspec browse`."""
    out = tmp_path_factory.mktemp("exports")
    command = [sys.executable, "-m", "pipeline", "browse", "--config", str(finished.config)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE)}
    with subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.PIPE, text=True, env=environment, cwd=out
    ) as process:
        try:
            yield process.stdout.readline().split()[1], process, out
        finally:
            process.terminate()


@pytest.fixture
def stars(finished):
    """Answer a query on the catalogue."""

    def ask(sql):
        with connect(finished.root) as tables:
            return tables.sql(sql).fetchall()

    return ask


def drag(view, name, corner, opposite):
    (x1, y1), (x2, y2) = (view.evaluate(PLACE, [name, *at]) for at in (corner, opposite))
    view.mouse.move(x1, y1)
    view.mouse.down()
    view.mouse.move(x2, y2, steps=5)
    view.mouse.up()


def lonely(rows):
    """Return the star of (name, x, y) that is farthest from its neighbours: a click cannot err."""
    at = np.array([row[1:3] for row in rows])
    at = (at - at.min(axis=0)) / np.ptp(at, axis=0)
    apart = np.linalg.norm(at[:, None] - at, axis=2)
    np.fill_diagonal(apart, np.inf)
    return rows[int(apart.min(axis=1).argmax())]


def test_what_is_selected_and_clicked_on_is_seen_everywhere(explorer, stars):
    address, _, out = explorer
    ((low, high, bright, faint),) = stars(
        "SELECT quantile_cont(g_ks_0, 0.2), quantile_cont(g_ks_0, 0.7), quantile_cont(m_g, 0.1), "
        "quantile_cont(m_g, 0.6) FROM stars"
    )
    with visited(address, viewport={"width": 1400, "height": 2000}) as (view, requests, complaints):
        view.wait_for_function(READY, timeout=TIMEOUT_MS)
        drag(view, "cmd", (low, bright), (high, faint))
        code = view.locator("code")
        code.wait_for(timeout=TIMEOUT_MS)
        condition = code.inner_text()
        assert condition.startswith("g_ks_0 BETWEEN") and "m_g BETWEEN" in condition
        rows = stars(
            f"SELECT star_id, g_ks_0, m_g FROM stars WHERE {condition} "
            "ORDER BY p_b DESC NULLS LAST, star_id"
        )
        n = len(rows)
        assert 10 < n < min(500, *stars("SELECT count(*) FROM stars")[0])
        assert view.locator("b").first.inner_text() == f"{n:,}"

        # The table follows, as data and on the screen.
        names = sorted(name for name, *_ in rows)
        view.wait_for_function(
            f"names => ({DATA})(['table', 'star_id']).sort().join() == names.join()",
            arg=names,
            timeout=TIMEOUT_MS,
        )
        view.locator(".slick-row").first.get_by_text(rows[0][0]).wait_for(timeout=TIMEOUT_MS)

        # A click in the diagram shows the star that lies there, and its spectrum.
        name, *place = lonely(rows)
        view.mouse.click(*view.evaluate(PLACE, ["cmd", *place]))
        view.locator("b", has_text=name).wait_for(timeout=TIMEOUT_MS)
        view.wait_for_function(
            f"() => ({DATA})(['saliency', 'towards']).length > 3000", timeout=TIMEOUT_MS
        )
        ((logit, p_b),) = stars(
            "SELECT s.logit, s.p_b FROM spectra AS s JOIN stars AS t USING (star_id) "
            f"WHERE t.star_id = '{name}' AND s.obsid = t.obsid_best"
        )
        # The title comes in a message after that of the data.
        view.wait_for_function(
            "said => Bokeh.documents[0].get_model_by_name('saliency').title.text.includes(said)",
            arg=f"logit of the network {logit:+.2f} =",
            timeout=TIMEOUT_MS,
        )
        view.get_by_text(f"p_b = {p_b:.3f}").first.wait_for(timeout=TIMEOUT_MS)

        view.get_by_role("button", name="Export the selection").click()
        view.get_by_text(f"{n:,} stars, ").wait_for(timeout=TIMEOUT_MS)
        assert len(Table.read(out / "selection.fits")) == n

        # SQL that reads is answered, all else refused in words.
        view.get_by_text("SQL", exact=True).click()
        field = view.locator("textarea")
        for sql, answer in (("SELECT 41 + 1 AS n", "1 row"), ("DROP TABLE stars", "not allowed")):
            field.fill(sql)
            field.blur()
            view.get_by_role("button", name="Run query").click()
            view.get_by_text(answer).wait_for(timeout=TIMEOUT_MS)
        assert requests == []
        assert not [text for text in complaints if "rror" in text]


def test_a_second_page_opens_in_dark_and_has_nothing_selected(explorer):
    with visited(explorer[0], color_scheme="dark") as (view, _, complaints):
        view.wait_for_function(READY, timeout=TIMEOUT_MS)
        paper = "() => Bokeh.documents[0].get_model_by_name('cmd').background_fill_color"
        view.wait_for_function(f"() => ({paper})() == '#17191c'", timeout=TIMEOUT_MS)
        assert view.locator("code").count() == 0
        assert not any("rror" in text for text in complaints)


def test_only_who_has_the_token_gets_anything_and_only_from_this_machine(explorer):
    address, process, _ = explorer
    at = urlsplit(address)
    token = at.path.strip("/")
    assert len(token) >= 32
    other = token[:-1] + ("A" if token[-1] != "A" else "B")

    def status(path, **headers):
        with closing(HTTPConnection(at.hostname, at.port, timeout=100)) as connection:
            connection.request("GET", path, headers=headers)
            with closing(connection.getresponse()) as answer:
                return answer.status

    socket = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": f"http://{at.netloc}",
    }  # fmt: skip
    assert status(f"/{token}/") == 200
    assert status(f"/{token}/static/js/bokeh.min.js") == 200
    assert status(f"/{token}/ws", **socket) == 101
    for path in ("/", "/ws", f"/{other}/", f"//{token}/", "/static/js/bokeh.min.js"):
        assert status(path) == 403, path
    assert status("/ws", **socket) == status(f"/{other}/ws", **socket) == 403
    assert status(f"/{token}/ws", **socket | {"Origin": "http://example.org"}) == 403
    listening = [
        one.laddr.ip for one in psutil.Process(process.pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    ]  # fmt: skip
    assert listening == ["127.0.0.1"]
