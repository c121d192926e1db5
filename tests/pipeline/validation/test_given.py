import pyarrow as pa
import pytest

from pipeline.core.errors import InputError
from pipeline.validation.given import read_planets
from tests.pipeline.tables.kinds import KINDS, write_table

ID = 2**60 + 1


def test_ids_of_planet_hosts_keep_all_their_digits(tmp_path):
    path = tmp_path / "planets.csv"
    path.write_text(
        f"hostname,gaia_dr3_id\na,Gaia DR3 {ID}\nb,{ID}\nc,{ID}.0\nd,Gaia DR2 {ID}\ne,{ID}.5\nf,\n"
    )
    hosts = read_planets(path)
    assert hosts["source_id"].tolist() == [ID, ID, ID, 0, 0, 0]


@pytest.mark.parametrize("column", ["gaia_id", "gaia_dr2_id"])
def test_ids_of_planet_hosts_of_an_unknown_release_are_none(tmp_path, column):
    path = tmp_path / "planets.csv"
    path.write_text(f"hostname,{column},ra,dec\na,{ID},1,2\nb,Gaia DR3 {ID},1,2\nc,,1,2\n")
    assert read_planets(path)["source_id"].tolist() == [0, ID, 0]


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"csv", "csv.gz", "tsv", "ecsv", "ecsv.gz"}))
def test_ids_of_planet_hosts_that_have_lost_digits_are_refused(tmp_path, kind):
    table = pa.table({"hostname": ["a", "b"], "gaia_dr3_id": [float(ID), 7.0]})
    path = write_table(table, tmp_path, kind)
    with pytest.raises(InputError, match=f"column gaia_dr3_id of {path} is DOUBLE"):
        read_planets(path)
