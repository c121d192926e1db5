"""Section ``inputs``: the files that a run is given."""

from pathlib import Path
from typing import Literal

from pipeline.settings.section import Section


class InputSettings(Section):
    """What the survey gives: all paths may be relative to the settings file."""

    spectra: Path | None = None
    """Folder of the spectra, in any depth of subfolders."""

    format: Literal["lamost", "sdss", "desi", "table"] = "lamost"
    """Whose spectra they are: FITS files of LAMOST, `spec-*.fits` of SDSS and BOSS, `coadd-*.fits`
    of DESI, or Parquet with one's own (docs/formats.md)."""

    catalogue: Path | None = None
    """LAMOST stellar catalogue (CSV or FITS, may be gzipped)."""

    multi_epoch: Path | None = None
    """LAMOST multiple-epoch catalogue."""

    gaia: Path | str | None = None
    """Gaia sources: a HATS catalogue (folder or URL), or a table (Parquet, CSV, ECSV, FITS or
    VOTable; a file or a folder of files) with the names of the archive or of VizieR."""

    tmass: Path | str | None = None
    """2MASS sources: likewise."""

    tmass_best_neighbour: Path | None = None
    """Gaia's table of best neighbours in 2MASS: `source_id` and `original_ext_source_id`."""

    bailer_jones: Path | None = None
    """Geometric distances of Bailer-Jones et al. 2021: a table with `source_id`, `r_med_geo`,
    `r_lo_geo`, `r_hi_geo`; by default columns of `gaia`, if it has them."""

    labels: Path | None = None
    """A label table of one's own instead of labels from photometry, with the columns `source_id`
    or `obsid`, and `label`: single, binary or excluded."""

    eclipsing: Path | None = None
    """Eclipsing binaries in the columns of Chen et al. 2020."""

    planets: Path | None = None
    """Planet hosts in the columns of the NASA Exoplanet Archive."""

    compare: Path | None = None
    """Another catalogue of binaries, with Gaia DR3 ids or positions; `validation.compare_...` name
    its columns."""

    gaia_evidence: Path | None = None
    """Gaia's own evidence of binaries: a table with `source_id` and any of `non_single_star`,
    `radial_velocity_error`."""

    truth: Path | None = None
    """Folder of the truth of a simulated survey; read by validation only."""

    gaia_release: str | None = None
    """Release of the catalogue's `gaia_source_id`, e.g. `DR3`. Only declared ids are used to
    tell stars apart: the survey has given ids of DR2 and of DR3. [source: lamost.org]"""
