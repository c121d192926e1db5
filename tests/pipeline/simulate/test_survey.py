import numpy as np
from astropy.time import Time

from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.naming import designation, subclass_of, tmass_designation
from pipeline.simulate.survey import (
    draw_epochs,
    draw_positions,
    fibres_of,
    field_streams,
    obsid_of,
    plan_field,
    source_ids,
)

SETTINGS = SimulateSettings(n_stars=5000, seed=9)


def fields(n):
    return [plan_field(field_streams(9, k, 1)[0], k, SETTINGS) for k in range(n)]


def test_obsids_and_sources_are_unique():
    numbers, ids = [], []
    for field in fields(6):
        spid, fiber = fibres_of(field.n_stars)
        assert fiber.max() <= 240
        numbers += [n for visit in field.visits for n in obsid_of(visit, spid, fiber).tolist()]
        ids += source_ids(field, field.n_stars).tolist()
    assert len(set(numbers)) == len(numbers)
    assert len(set(ids)) == len(ids)
    assert min(ids) > 2**53
    assert len({float(i) for i in ids}) < len(ids)  # why they must never be floats


def test_dates_agree():
    for field in fields(4):
        for visit in field.visits:
            evening = Time(visit.lmjd - 1, format="mjd").datetime.date()
            assert visit.evening == evening
            assert visit.folder.startswith(f"{evening:%Y%m%d}/")
            assert abs(visit.mjd_utc - (visit.lmjd - 8 / 24)) < 0.25


def test_a_fifth_of_the_stars_is_seen_again():
    seen = draw_epochs(np.random.default_rng(0), 20000, SETTINGS)
    assert (seen.sum(axis=1) >= 1).all()
    assert abs((seen.sum(axis=1) > 1).mean() - 0.2) < 0.01
    assert (seen.sum(axis=1) >= 4).mean() > 0.05


def test_stars_keep_apart():
    field = fields(1)[0]
    ra, dec = draw_positions(np.random.default_rng(1), field, 200)
    assert len(ra) == 200
    x = (ra - ra[:, None]) * np.cos(np.deg2rad(dec))
    distance = np.hypot(x, dec - dec[:, None]) * 3600
    assert distance[~np.eye(200, dtype=bool)].min() > 20


def test_designations():
    assert designation(138.080956, 27.893459) == "J091219.42+275336.4"
    assert designation(332.535456, -2.116436) == "J221008.50-020659.1"
    assert tmass_designation(138.080956, 27.893459) == "09121942+2753364"


def test_subclasses_run_from_m_to_a():
    assert [subclass_of(t)[0] for t in (3500, 4500, 5700, 6500, 8000)] == list("MKGFA")
    assert subclass_of(5290) == "K0"
    assert subclass_of(5310) == "G9"
