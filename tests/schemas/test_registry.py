from pathlib import Path

import pytest
from astropy.io.votable.ucd import check_ucd

from schemas.quality import UNCOUNTED, CutFlag, PhotometryFlag, QualityFlag
from schemas.registry import MADE_BY, TABLES, data_dictionary

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_published_dictionary_is_the_one_that_the_schemas_give():
    assert (DOCS / "data-dictionary.md").read_text() == data_dictionary()


def test_every_column_is_documented_and_stands_once():
    for table in TABLES:
        assert len(set(table.names)) == len(table.names), table.name
        for field in table.schema:
            assert len(field.metadata[b"description"]) > 5, (table.name, field.name)


def test_units_stand_where_the_name_promises_them():
    units = {"_deg": "deg", "_kms": "km/s", "_angstrom": "Angstrom", "_k": "K", "_s": "s"}
    for table in TABLES:
        for column in table.columns:
            for ending, unit in units.items():
                if column.name.endswith(ending):
                    assert column.unit == unit, (table.name, column.name)


def test_ucds_are_those_of_the_ivoa():
    for table in TABLES:
        for column in table.columns:
            assert not column.ucd or check_ucd(
                column.ucd, check_controlled_vocabulary=True, has_colon=False
            ), (table.name, column.name, column.ucd)


@pytest.mark.parametrize("bits", [QualityFlag, PhotometryFlag, CutFlag])
def test_every_bit_is_one_and_carries_its_meaning(bits):
    assert [flag.value for flag in bits] == [1 << n for n in range(len(bits))]
    assert all(len(flag.meaning) > 5 for flag in bits)
    assert len({flag.meaning for flag in bits}) == len(bits)


def test_bits_combine_as_numbers_do():
    assert int(UNCOUNTED) == 3
    assert QualityFlag(3) == UNCOUNTED
    assert list(UNCOUNTED) == [QualityFlag.REFUSED, QualityFlag.SUPERSEDED]
    assert 5 & QualityFlag.NO_OBSID == QualityFlag.NO_OBSID
    assert int(~QualityFlag.NO_OBSID & 7) == 3


def test_every_table_names_the_command_that_makes_it():
    assert set(MADE_BY) == {table.name for table in TABLES}
