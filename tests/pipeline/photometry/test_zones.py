import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.photometry.positions import degrees, propagate, separation_arcsec, unit_vectors
from pipeline.photometry.target_index import Targets, in_order, marks_of
from pipeline.photometry.targets import TARGETS
from pipeline.photometry.zones import Zones, spread

declinations = st.one_of(
    st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999, 89.9995])
)
ascensions = st.one_of(st.floats(0, 359.999999), st.sampled_from([0.0, 1e-12, 359.9999999999]))


@given(ascensions, declinations, st.floats(0.001, 2000), st.integers(0, 10**6))
@settings(max_examples=60)
def test_what_lies_in_a_circle_lies_in_its_ranges_and_in_the_cells_it_touches(
    ra, dec, radius, seed
):
    rng, n = np.random.default_rng(seed), 200
    # Within the circle, as far as its edge.
    distance, angle = radius * 1000 * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    distance[:20] = radius * 1000
    step = distance * np.cos(angle), distance * np.sin(angle)
    here = (np.full(n, ra), np.full(n, dec))
    inside = degrees(propagate(*here, *step, np.ones(n)))
    for zones in (Zones(18.0), Zones(1800.0)):
        centre = np.array([ra]), np.array([dec]), radius
        keys = zones.keys(*inside)
        _, low, high = zones.ranges(*centre)
        times = np.sum((keys >= low[:, None]) & (keys <= high[:, None]), axis=0)
        assert (times == 1).all()
        assert np.isin(zones.cells(*inside), zones.touched(*centre)).all()


@pytest.mark.parametrize("height", [18.0, 1800.0, 400_000.0, 10_000_000.0])
def test_every_place_has_a_cell(height):
    zones = Zones(height)
    ra, dec = np.meshgrid([0.0, 90.0, np.nextafter(360, 0), 360.0], [-90.0, -1e-9, 0.0, 90.0])
    cells = zones.cells(ra.ravel(), dec.ravel())
    assert cells.min() >= 0 and cells.max() < zones.n_cells


def test_few_pairs_are_far_apart_and_none_is_missing():
    rng, n = np.random.default_rng(3), 20_000
    ra, dec = 10 + rng.random((2, n))
    row = np.arange(n)
    table = pa.table([row, row * 0, ra, dec, row * 0 + 2016], names=TARGETS.names).cast(TARGETS)
    table = in_order(table, 3.0)
    targets = Targets(table, marks_of(table, 3.0), 3.0)
    places = 10 + rng.random((2, n))
    source, target = targets.within(*places, np.full(n, 3.1))
    apart = separation_arcsec(unit_vectors(*places)[source], targets.place_B3[target])
    assert 500 < np.sum(apart <= 3.1) < len(source) < 8 * np.sum(apart <= 3.1)
    everywhere = separation_arcsec(unit_vectors(*places)[:500, None], targets.place_B3[None])
    expected = {(int(s), int(t)) for s, t in np.argwhere(everywhere <= 3.1)}
    assert expected == {
        (int(s), int(t))
        for s, t, a in zip(source, target, apart, strict=True)
        if s < 500 and a <= 3.1
    }


def test_ranges_are_spread():
    index, number = spread(np.array([5, 0, 7]), np.array([2, 0, 3]))
    assert index.tolist() == [0, 0, 2, 2, 2]
    assert number.tolist() == [5, 6, 7, 8, 9]
