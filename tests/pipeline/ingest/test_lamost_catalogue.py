import pyarrow.parquet as pq
import pytest

from pipeline.ingest.lamost_catalogue import Catalogue, check_catalogue, convert_catalogue

GENERAL = "obsid,uid,lmjd,planid,spid,fiberid,ra,dec,snrg,class,subclass,z,z_err,gaia_source_id"
STELLAR = f"{GENERAL},teff,teff_err,logg,logg_err,feh,feh_err,rv,rv_err"


def catalogue(tmp_path, head):
    path = tmp_path / "c.csv"
    path.write_text(head + "\n" + ",".join(["1"] * (head.count(",") + 1)) + "\n")
    return path


@pytest.mark.parametrize("head", ["obsid", "obsid,ra,dec", GENERAL])
def test_the_general_catalogue_is_refused(head, tmp_path):
    path = catalogue(tmp_path, head)
    with pytest.raises(ValueError, match=r"c.csv: no stellar parameters \(columns teff, logg, feh"):
        check_catalogue(path)
    with pytest.raises(ValueError, match=r"LRS_stellar.csv.gz, or leave it out"):
        convert_catalogue(Catalogue.at(path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_missing_columns_are_noted(tmp_path):
    assert check_catalogue(catalogue(tmp_path, STELLAR)) == ()
    (note,) = check_catalogue(catalogue(tmp_path, STELLAR.replace("logg", "lg").replace("rv", "v")))
    assert "has no columns logg, logg_err, rv, rv_err, which LAMOST's stellar" in note
    (note,) = check_catalogue(catalogue(tmp_path, "obsid,teff"))
    assert "logg" in note
    assert "snrg" in note
    assert " teff," not in note


def test_a_conversion_is_whole_and_counted(tmp_path):
    path = catalogue(tmp_path, STELLAR)
    done = convert_catalogue(Catalogue.at(path, tmp_path / "out"))
    assert done.outputs == (tmp_path / "out" / "catalogue.parquet",)
    assert done.counts["rows"] == pq.read_metadata(done.outputs[0]).num_rows
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["catalogue.parquet"]
