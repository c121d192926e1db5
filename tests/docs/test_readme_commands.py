"""The README's own commands, on a survey whose catalogues are as they are published."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline.core.root import Root
from pipeline.simulate.merge import write_hats
from schemas.catalogue import STARS
from tests.dust import write_sfd

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("finished"),
]  # fmt: skip

# What makes the example small enough for a test; none of it is about the inputs.
SMALL = {
    "INGEST__SHARD_ROWS": "256",
    "INGEST__CHUNK_ROWS": "64",
    "CLUSTER__KIND": "inline",
    "TRAINING__MAX_EPOCHS": "1",
    "NETWORK__CHANNELS": "[4, 4]",
    "NETWORK__BLOCKS": "[1, 1]",
    "NETWORK__STRIDES": "[4, 4]",
    "NETWORK__HIDDEN": "[8]",
    "EVALUATE__N_BOOTSTRAP": "20",
}

VIZIER_GAIA = {
    "source_id": "Source", "ra": "RA_ICRS", "dec": "DE_ICRS", "pmra": "pmRA", "pmdec": "pmDE",
    "parallax": "Plx", "parallax_error": "e_Plx", "ruwe": "RUWE", "phot_g_mean_mag": "Gmag",
    "phot_bp_mean_mag": "BPmag", "phot_rp_mean_mag": "RPmag",
    "phot_g_mean_flux_over_error": "RFG", "phot_bp_mean_flux_over_error": "RFBP",
    "phot_rp_mean_flux_over_error": "RFRP", "nu_eff_used_in_astrometry": "nueff",
    "pseudocolour": "pscol", "ecl_lat": "ELAT", "astrometric_params_solved": "Solved",
}  # fmt: skip
VIZIER_TMASS = {
    "designation": "_2MASS", "ra": "RAJ2000", "dec": "DEJ2000", "j_m": "Jmag",
    "j_msigcom": "e_Jmag", "h_m": "Hmag", "h_msigcom": "e_Hmag", "k_m": "Kmag",
    "k_msigcom": "e_Kmag",
}  # fmt: skip


def readme_commands():
    """Commands of the section on one's own spectra, as `make` expands them."""
    text = (REPOSITORY / "README.md").read_text()
    section = text.partition("## On your own spectra")[2].partition("\n## ")[0]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)[1]
    commands = [part.strip() for line in block.splitlines() for part in line.split("&&")]
    found = []
    for command in commands:
        make, *words = shlex.split(command)
        assert make == "make"
        # The environment counts as made: the commands are wanted, not a new one.
        options = ["-n", "--no-print-directory", "-o", ".venv/.ready", f"PYTHON={sys.executable}"]
        expanded = subprocess.run(
            ["make", *options, *words],
            cwd=REPOSITORY, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        (line,) = expanded.splitlines()
        program, *arguments = shlex.split(line)
        assert program == ".venv/bin/pairspec"
        found.append(arguments)
    return found


def published(table, names=None):
    """Return a catalogue as its archive gives it: nothing that the simulator alone knows."""
    table = table.drop_columns([name for name in ("e_bv",) if name in table.column_names])
    if names is None:
        return table
    return table.select(list(names)).rename_columns(list(names.values()))


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    """The paths that the README names, below a folder that stands for the file system."""
    folder = tmp_path_factory.mktemp("readme")
    survey, data = finished.config.parent, folder / "data"
    data.mkdir()
    (data / "lamost").symlink_to(survey / "spectra")
    (folder / "dr10_v2.0_LRS_stellar.csv.gz").symlink_to(
        survey / "catalogues" / "dr10_sim_LRS_stellar.csv.gz"
    )
    for name, source in (("gaia_dr3_hats", "gaia_source"), ("tmass_hats", "tmass")):
        table = published(pq.read_table(survey / "catalogues" / f"{source}.parquet"))
        pq.write_table(table, data / f"{source}.parquet")
        write_hats(data / f"{source}.parquet", data / name, name)
        assert "e_bv" not in table.column_names
    # Where `dustmaps` looks by itself.
    write_sfd(folder / "dustmaps" / "sfd")
    (folder / "dustmaps.json").write_text(json.dumps({"data_dir": str(folder / "dustmaps")}))
    return folder


def run(folder, arguments):
    words = [word.replace("/data/", f"{folder}/data/") for word in arguments]
    environment = os.environ | {f"PAIRSPEC_{name}": value for name, value in SMALL.items()}
    environment |= {
        "PYTHONPATH": str(REPOSITORY), "DUSTMAPS_CONFIG_FNAME": str(folder / "dustmaps.json"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def photometry(folder, root="run"):
    table = ds.dataset(folder / root / "tables" / "photometry", format="parquet").to_table()
    return table.sort_by("row")


@pytest.fixture(scope="module")
def answers(folder):
    """What every command of the README says, by its first word."""
    return {words[0]: run(folder, words) for words in readme_commands()}


def test_the_commands_lead_from_files_to_a_catalogue(answers, folder):
    assert list(answers) == [
        "ingest", "photometry", "select", "label", "train", "infer", "evaluate", "catalogue",
        "query",
    ]  # fmt: skip
    assert "star_id" in answers["query"]
    stars = ds.dataset(Root(folder / "run").table(STARS), format="parquet").to_table()
    assert stars.num_rows > 100
    # Null only where every spectrum has too many bad pixels.
    assert stars["p_b"].is_null().equals(pc.equal(stars["n_spectra"], 0))
    assert stars["p_b"].null_count < stars.num_rows / 20


def test_the_reddening_is_that_of_the_map(answers, folder):
    table = photometry(folder)
    e_bv = table["e_bv"].drop_null().to_numpy()
    assert table["g_ks_0"].null_count < table.num_rows / 2
    # The map of the test: 0.1 + galactic latitude / 1000.
    assert e_bv.size > 100
    assert np.all((e_bv > 0.01) & (e_bv < 0.19))
    assert np.unique(e_bv).size > 100


def test_tables_of_vizier_give_the_same(answers, folder, finished):
    catalogues, data = finished.config.parent / "catalogues", folder / "data"
    gaia = published(pq.read_table(catalogues / "gaia_source.parquet"), VIZIER_GAIA)
    gaia, half = gaia.sort_by("pscol"), gaia.num_rows // 2  # rows without a value come last
    chunks = data / "gaia_chunks"
    chunks.mkdir()
    pq.write_table(gaia.slice(0, half), chunks / "a.parquet")
    # As pandas writes them: another type of float, a column without a value.
    rest = gaia.slice(half)
    place = rest.column_names.index("RUWE")
    rest = rest.set_column(place, "RUWE", rest["RUWE"].cast(pa.float32()))
    assert rest["pscol"].null_count == rest.num_rows
    rest = rest.set_column(rest.column_names.index("pscol"), "pscol", pa.nulls(rest.num_rows))
    pq.write_table(rest, chunks / "b.parquet")
    tmass = published(pq.read_table(catalogues / "tmass.parquet"), VIZIER_TMASS)
    pacsv.write_csv(tmass, data / "tmass.csv")
    # In a copy of the root, so that the files need not be read again.
    shutil.copytree(folder / "run", folder / "vizier")
    (words,) = (words for words in readme_commands() if words[0] == "photometry")
    words = [
        word.replace("gaia_dr3_hats", "gaia_chunks").replace("tmass_hats", "tmass.csv")
        for word in words
    ]
    words[words.index("--root") + 1] = "vizier"
    assert "complete already" not in run(folder, words)
    one, other = photometry(folder), photometry(folder, "vizier")
    assert one["source_id"].equals(other["source_id"])
    assert one["source_id"].null_count < one.num_rows / 2
    for name in ("g_ks_0", "m_g", "e_bv"):
        np.testing.assert_allclose(
            one[name].to_numpy().astype(float), other[name].to_numpy().astype(float), atol=1e-5
        )
