"""Section ``simulate``: a synthetic survey."""

from pathlib import Path

from pydantic import Field

from pipeline.settings.section import Section
from pipeline.settings.stars import PopulationSettings, ScatterSettings


class InstrumentSettings(Section):
    """What the spectrograph and its pipeline do to a spectrum."""

    resolution_min: float = Field(1650.0, gt=1000, lt=2400)
    """Lowest resolving power of a fibre. [assumed: LAMOST quotes 1800, fibres differ]"""

    resolution_max: float = Field(1950.0, gt=1000, lt=2400)
    """Highest resolving power of a fibre. [assumed]"""

    sky_snr: float = Field(12.0, ge=0)
    """S/N per g-band pixel at which the sky's photons equal the star's. [assumed: reproduces the
    S/N of real K stars from the blue to the red]"""

    sky_residual: float = Field(0.03, ge=0)
    """Scatter of a sky line's residual over the line itself. [assumed]"""

    telluric_residual: float = Field(0.01, ge=0)
    """Scatter of the depth of the telluric bands left in a spectrum. [derived: scatter of 272 real
    dwarfs about a fit in their labels]"""

    calibration_sigma: float = Field(0.013, ge=0)
    """Scatter of the flux calibration on scales of 450 Angstrom, relative; three to four times
    this below 4200 Angstrom. [derived: same stars]"""

    join_sigma: float = Field(0.02, ge=0)
    """Scatter of the step between the blue and the red arm, relative. [derived: same stars]"""

    wave_sigma: float = Field(0.05, ge=0)
    """Scatter of the wave that the join leaves between 5900 and 6250 Angstrom. [derived: same
    stars]"""

    join_free_sigma: float = Field(0.0, ge=0)
    """Scatter of a free curve at the join, knots 60 Angstrom apart from 5800 to 6280 Angstrom, on
    top of that wave; 0 leaves the wave one shape. Real spectra have several: 0.03 carries over to
    them better. [derived: same stars]"""

    flat_sigma: float = Field(0.0025, ge=0)
    """Scatter of the response on scales of 20 pixels, relative. [derived: same stars]"""

    clean_fraction: float = Field(0.34, ge=0, le=1)
    """Spectra without one bad pixel. [source: 1,336 public LAMOST files]"""

    bad_runs_median: float = Field(2.5, gt=0)
    """Median number of short runs of bad pixels in the other spectra. [source: same files]"""

    bad_runs_sigma: float = Field(1.2, ge=0)
    """Scatter of its natural logarithm. [source: same files]"""

    bad_region_fraction: float = Field(0.06, ge=0, le=1)
    """Chance that a stretch is lost: the blue end, the join of the arms, the A band, the red end,
    each by itself. [source: same files]"""

    bad_arm_fraction: float = Field(0.07, ge=0, le=1)
    """Chance that a long part of the blue arm is lost. [source: same files, of which one in ten
    has lost more than 4 % of its pixels]"""

    scale_log10_mean: float = 2.7
    """Mean log10 of the median flux, arbitrary units. [source: same files]"""

    scale_log10_sigma: float = Field(1.1, ge=0)
    """Its scatter, cut to 0.4 .. 1e8. [source: same files]"""


class CatalogueErrorSettings(Section):
    """How well the survey's parameter pipeline does, for S/N 50 in g."""

    teff_sigma_k: float = Field(70.0, ge=0)
    """Error of Teff. [assumed: LASP's at S/N 50]"""

    logg_sigma: float = Field(0.10, ge=0)
    """Error of log g. [assumed]"""

    feh_sigma: float = Field(0.07, ge=0)
    """Error of [Fe/H]. [assumed]"""

    rv_sigma_kms: float = Field(4.0, ge=0)
    """Error of the velocity. [assumed: LAMOST at R = 1800]"""


class SurveySettings(Section):
    """Where the survey looks, how often, and what it writes."""

    field_stars: int = Field(200, ge=1, le=3600)
    """Stars of one field, the unit of work."""

    g_min: float = 9.5
    """Brightest apparent G. [assumed: LAMOST saturates]"""

    g_max: float = 15.5
    """Faintest apparent G without dust. [derived: puts the median dwarf near the paper's 0.7
    kpc]"""

    density_power: float = Field(1.3, gt=0)
    """Stars within a distance d go as d to this power: 3 in a uniform space, 2 in a thin disc,
    less when looking out of it. [assumed]"""

    giant_fraction: float = Field(0.10, ge=0, le=1)
    """Share of giants. [assumed]"""

    hot_fraction: float = Field(0.04, ge=0, le=1)
    """Share of dwarfs drawn above 1.45 solar masses. [assumed]"""

    cool_fraction: float = Field(0.04, ge=0, le=1)
    """Share of dwarfs drawn below 0.55 solar masses. [assumed]"""

    eclipsing_fraction: float = Field(0.01, ge=0, le=1)
    """Share of stars put into short-period orbits seen edge-on. [assumed: far more than there are,
    so that a small survey has some]"""

    planet_fraction: float = Field(0.01, ge=0, le=1)
    """Share of stars listed as planet hosts. [assumed]"""

    repeat_fraction: float = Field(0.20, ge=0, le=1)
    """Share of stars with more than one epoch. [source: LAMOST, about a fifth]"""

    n_visits: int = Field(6, ge=1, le=8)
    """Visits of a field; a star seen again is in each later visit with a chance of 0.6.
    [assumed]"""

    table_fraction: float = Field(0.5, ge=0, le=1)
    """Share of nights in the table layout of DR9 and later; the others are images. [assumed]"""

    broken_fraction: float = Field(0.004, ge=0, le=1)
    """Broken files, beside the good ones, over good ones; one of each kind at least. [assumed]"""

    e_bv_mean: float = Field(0.12, ge=0)
    """Mean E(B-V) far outside the dust layer, in magnitudes; within, it rises over 1 kpc.
    [assumed: off the Galactic plane]"""

    parallax_offset_mas: float = -0.035
    """Zero point of the parallaxes that Lindegren et al. 2021 give none for: G below 6 or above
    21, odd colours. [source: the same, typical for G 13-17]"""

    neighbour_fraction: float = Field(0.3, ge=0)
    """Unrelated Gaia sources within 15 arcsec, a star. [assumed]"""

    gzip_level: int = Field(1, ge=0, le=3)
    """Compression of the spectra by ISA-L: 0 fastest, 3 smallest. [assumed]"""

    hats: bool = True
    """Write the source catalogues as HATS, too."""


class SimulateSettings(Section):
    """A synthetic survey in the real file formats, with known truth."""

    n_stars: int = Field(2000, ge=1)
    """Number of stars in the survey."""

    seed: int = Field(1, ge=0)
    """Seed of everything: the same seed gives the same bytes."""

    out: Path = Path("survey")
    """Folder of the survey."""

    snr_min: float = Field(10.0, gt=0)
    """Lowest S/N in g. [assumed]"""

    snr_max: float = Field(200.0, gt=0)
    """Highest S/N in g; uniform in the logarithm. [assumed]"""

    instrument: InstrumentSettings = InstrumentSettings()
    scatter: ScatterSettings = ScatterSettings()
    population: PopulationSettings = PopulationSettings()
    errors: CatalogueErrorSettings = CatalogueErrorSettings()
    survey: SurveySettings = SurveySettings()
