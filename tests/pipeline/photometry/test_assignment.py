import pyarrow as pa
import pytest

from pipeline.core.atomic import write_parquet
from pipeline.core.errors import MismatchError
from pipeline.photometry.assignment import assign_stars
from schemas.observations import OBSERVATIONS
from schemas.photometry import PHOTOMETRY

# Four spectra: two of one star 1 arcsec apart, one alone, one refused.
OBSERVED = [
    {"row": 0, "ra_deg": 10.0, "dec_deg": 20.0, "quality": 0, "gaia_source_id": 7},
    {"row": 1, "ra_deg": 10.0, "dec_deg": 20.0 + 1 / 3600, "quality": 0, "gaia_source_id": 8},
    {"row": 2, "ra_deg": 50.0, "dec_deg": 20.0, "quality": 0, "gaia_source_id": 9},
    {"row": 3, "ra_deg": None, "dec_deg": None, "quality": 1, "gaia_source_id": None},
]


@pytest.fixture
def tables(tmp_path):
    """Write both tables, each in two parts; return the folders."""

    def write(matched):
        rows = [{"row": row, "source_id": source} for row, source in matched.items()]
        for name, schema, content in (
            ("observations", OBSERVATIONS.schema, OBSERVED),
            ("photometry", PHOTOMETRY.schema, rows),
        ):
            # Parts in another order than their rows: readers must not rely on it.
            for part, piece in enumerate((content[2:], content[:2])):
                table = pa.Table.from_pylist(piece, schema)
                write_parquet(tmp_path / name / f"part-{part:06d}.parquet", table)
        return tmp_path / "observations", tmp_path / "photometry"

    return write


def stars(observations, **options):
    return assign_stars(observations, 3.0, **options).table(0, 100).to_pylist()


def test_the_photometry_is_believed_before_the_declared_ids(tables):
    observations, photometry = tables({0: 2**60 + 1, 1: 2**60 + 1, 2: None})
    declared = stars(observations, trust_ids=True)
    assert [r["star_id"] for r in declared] == ["Gaia 7", "Gaia 8", "Gaia 9"]
    for trust in (True, False):
        found = stars(observations, trust_ids=trust, photometry=photometry)
        assert [r["star_id"] for r in found] == [
            f"Gaia {2**60 + 1}", f"Gaia {2**60 + 1}", "J032000.00+200000.0"
        ]  # fmt: skip
        assert [r["source_id"] for r in found] == [2**60 + 1, 2**60 + 1, None]


def test_an_unmatched_spectrum_follows_the_only_source_at_its_place(tables):
    observations, photometry = tables({0: 5, 1: None, 2: None})
    found = stars(observations, trust_ids=False, photometry=photometry)
    assert [r["source_id"] for r in found] == [5, 5, None]


def test_two_sources_at_one_place_are_two_stars(tables):
    observations, photometry = tables({0: 5, 1: 6, 2: None})
    found = stars(observations, trust_ids=False, photometry=photometry)
    assert [r["star_id"] for r in found[:2]] == ["Gaia 5", "Gaia 6"]


@pytest.mark.parametrize("matched", [{0: 5, 1: 6}, {0: 5, 1: 6, 2: 7, 3: 8}])
def test_photometry_of_other_observations_is_refused(tables, matched):
    observations, photometry = tables(matched)
    with pytest.raises(MismatchError, match="run `pairspec photometry` again"):
        stars(observations, trust_ids=False, photometry=photometry)
