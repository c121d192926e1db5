import pytest

from pipeline.core.errors import InputError
from pipeline.tables.names import resolve
from pipeline.tables.source_columns import GAIA, GAIA_REQUIRED, HINTS


def find(names, **aliases):
    return resolve(names, aliases, (), "here")


def test_an_earlier_alias_wins_then_the_alias_as_it_is_written():
    assert find(["k_mag", "ks_m"], k=("ks_m", "k_mag")) == {"k": "ks_m"}
    assert find(["RA", "ra", "Ra"], ra=("ra",)) == {"ra": "ra"}
    assert find(["RA", "Ra"], ra=("ra",)) == {"ra": "RA"}
    assert find(["x"], ra=("ra",)) == {}


@pytest.mark.parametrize("names", [["b_rgeo", "B_rgeo"], ["B_rgeo", "b_rgeo"]])
def test_aliases_that_differ_in_case_alone_are_never_mixed_up(names):
    aliases = {"low": ("low", "b_rgeo"), "high": ("high", "B_rgeo")}
    assert find(names, **aliases) == {"low": "b_rgeo", "high": "B_rgeo"}
    assert find(["B_rgeo"], **aliases) == {"high": "B_rgeo"}


def test_positions_at_another_epoch_are_not_gaias():
    with pytest.raises(InputError, match=r"no column ra, dec; .*ra as RA_ICRS; dec as DE_ICRS"):
        resolve(["Source", "RAJ2000", "DEJ2000", "Gmag"], GAIA, GAIA_REQUIRED, "here")


def test_what_is_missing_is_said_with_what_to_do():
    names = [f"column_{n}" for n in range(150)]
    with pytest.raises(InputError) as caught:
        resolve(names, {"e_bv": ("my_ebv",)}, ("e_bv",), "gaia.parquet", HINTS)
    message = str(caught.value)
    assert message.startswith("gaia.parquet has no column my_ebv; it has column_0, ")
    assert "and 120 more" in message
    for part in ("photometry.reddening", "map", "lamost_column", "gaia_column", "reddening_column"):
        assert part in message
