"""The page of a report as a browser shows it: nothing missing, nothing asked for."""

import pytest

from tests.chromium import opened

PHONE = {"width": 390, "height": 844}
SIZES = """() => [...document.images].map(one =>
    [one.naturalWidth, one.getBoundingClientRect().width, one.alt])"""

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("finished")]


@pytest.fixture(scope="module")
def page(finished):
    return finished.root / "reports" / "report.html"


def test_all_pictures_are_there_and_nothing_leaves_the_page(page):
    with opened(page) as (view, requests, complaints):
        pictures = view.evaluate(SIZES)
        figures = page.parent / "figures"
        assert len(pictures) == len(list(figures.glob("*.png"))) >= 6
        assert all(natural > 500 and len(alt) > 40 for natural, _, alt in pictures)
        assert view.title() == "pairspec: report of a run"
        for link in view.locator("nav a").all():
            link.click()
            assert view.locator(link.get_attribute("href")).is_visible()
        assert (requests, complaints) == ([], [])


def test_a_phone_needs_no_sideways_scrolling(page):
    with opened(page, viewport=PHONE) as (view, *_):
        assert view.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert all(250 < width <= PHONE["width"] for _, width, _ in view.evaluate(SIZES))


def test_light_dark_and_print_are_readable(page):
    look = "() => [getComputedStyle(document.body).color, "
    look += "getComputedStyle(document.body).backgroundColor]"
    brightness = []
    with opened(page) as (view, *_):
        for scheme, media in (("light", "screen"), ("dark", "screen"), ("dark", "print")):
            view.emulate_media(color_scheme=scheme, media=media)
            pair = [sum(map(int, rgb[4:-1].split(","))) / 3 for rgb in view.evaluate(look)]
            assert abs(pair[0] - pair[1]) > 150, (scheme, media)
            brightness.append(pair[1])
    assert brightness[0] > 200 > 60 > brightness[1] and brightness[2] > 200
    assert page.stat().st_size < 5_000_000
