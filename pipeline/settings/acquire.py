"""Section ``acquire``: where data come from, and how politely they are asked for."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from pipeline.settings.section import Section

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _safe_url(url: str) -> str:
    """Refuse what would send a token in clear text over a network."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https:// (http:// is for this machine only)")
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be a plain address: https://HOST/PATH")
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_safe_url)]

Table = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./+-]+$")]


class AcquireSettings(Section):
    """Where data come from, and how politely they are asked for."""

    rate_per_s: float = Field(5.0, gt=0)
    """Requests per second, retries included. [assumed: no service states a limit]"""

    parallel: int = Field(4, ge=1, le=64)
    """Connections at the same time. [assumed]"""

    attempts: int = Field(6, ge=1)
    """Times a file is asked for before it is given up in this run. [assumed]"""

    backoff_s: float = Field(1.0, gt=0)
    """Wait before the second attempt; doubles with each further one, and carries a random part
    of up to the same size. [assumed]"""

    backoff_max_s: float = Field(60.0, gt=0)
    """Longest wait between two attempts that the server did not ask for. [assumed]"""

    retry_after_max_s: float = Field(3600.0, ge=0)
    """A server that asks to wait longer (`Retry-After`) ends the run, which can be gone on with
    later. [assumed]"""

    connect_timeout_s: float = Field(20.0, gt=0)
    """Longest wait for a connection. [assumed]"""

    read_timeout_s: float = Field(60.0, gt=0)
    """Longest silence of a server; also the time after which `min_bytes_per_s` counts. [assumed]"""

    min_bytes_per_s: float = Field(1000.0, ge=0)
    """A slower transfer is broken off and tried again. [assumed]"""

    give_up_after: int = Field(100, ge=1)
    """So many files in succession that fail for a reason that lies with the server or the token
    end the run. [assumed]"""

    batch_rows: int = Field(2048, ge=1)
    """Files whose state is held in memory together. [assumed]"""

    upload_rows: int = Field(2000, ge=1)
    """Positions or ids that are joined by one query of a TAP service. [assumed]"""

    sync_rows: int = Field(500, ge=0)
    """An upload of more rows becomes a job of the service (`async`); so does one whose answer the
    service cuts. [assumed: the Gaia archive answers 2,000 rows at once, and more by a job]"""

    job_timeout_s: float = Field(3600.0, gt=0)
    """Longest wait for a job. [assumed: half of what the Gaia archive gives to one]"""

    release: str = Field("dr10_v2.0", pattern=r"^dr[0-9]{1,2}_v[0-9.]{1,5}$")
    """LAMOST's release and version, as in the names of its catalogues."""

    lamost_url: Address = "https://www.lamost.org"
    """LAMOST's archive. [source: lamost.org]"""

    ssa_url: Address = "https://dc.zah.uni-heidelberg.de/lamost6/q/svc_lrs/ssap.xml"
    """SSA service with spectra of LAMOST that need no login: DR6. [source: GAVO data center]"""

    vizier_url: Address = "https://tapvizier.cds.unistra.fr/TAPVizieR/tap"
    """TAP service of VizieR. [source: cds.unistra.fr]"""

    gaia_tap_url: Address = "https://gea.esac.esa.int/tap-server/tap"
    """TAP service of the Gaia archive. [source: ESA, gea.esac.esa.int]"""

    gaia_table: Table = "gaiadr3.gaia_source"
    """Gaia's sources at `gaia_tap_url`. [source: ESA]"""

    tmass_tap_url: Address = "https://tapvizier.cds.unistra.fr/TAPVizieR/tap"
    """TAP service with 2MASS. [source: cds.unistra.fr]"""

    tmass_table: Table = "II/246/out"
    """2MASS's point sources at `tmass_tap_url`. [source: VizieR]"""

    exoplanet_url: Address = "https://exoplanetarchive.ipac.caltech.edu/TAP"
    """TAP service of the NASA Exoplanet Archive. [source: exoplanetarchive.ipac.caltech.edu]"""

    dust_url: Address = "https://raw.githubusercontent.com/kbarbary/sfddata/master"
    """Folder with the two files of the SFD map. [source: the copy that sfdmap uses; the originals
    are at doi:10.7910/DVN/EWCNL5, behind a redirect to another host]"""

    gaia_url: Address = "https://data.lsdb.io/hats/gaia_dr3/gaia"
    """Gaia DR3 as a HATS catalogue, which `photometry` reads by URL. [source: data.lsdb.io]"""

    tmass_url: Address = "https://data.lsdb.io/hats/two_mass"
    """2MASS as a HATS catalogue. [source: data.lsdb.io]"""
