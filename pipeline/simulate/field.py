"""One field of the survey, from random numbers to files: the work of one task."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.atomic import PARTIAL, write_parquet
from pipeline.core.ledger import Done
from pipeline.settings.simulate import SimulateSettings
from pipeline.simulate.broken import broken_files
from pipeline.simulate.catalogues import gaia_table, multi_epoch_table, tmass_tables
from pipeline.simulate.exposures import Exposures, expose, wavelengths
from pipeline.simulate.headers import Target, target_cards, visit_cards
from pipeline.simulate.lists import eclipsing_table, planet_table
from pipeline.simulate.observation_rows import observation_rows, stellar_table
from pipeline.simulate.photometry import ObservedSources, observe_sources
from pipeline.simulate.population import draw_population
from pipeline.simulate.survey import (
    GAIA_EPOCH_MJD,
    Field,
    Visit,
    draw_epochs,
    draw_positions,
    fibres_of,
    field_streams,
    plan_field,
    source_ids,
)
from pipeline.simulate.truth import truth_observations, truth_stars
from pipeline.simulate.writer import compress, image_file, table_file
from pipeline.stars.scatter import draw_scatter

NO_NORMALISATION = 0.03
"""Share of table files without a normalised spectrum (all -9999)."""

MISSING = -9999.0


@dataclass(frozen=True)
class SimulateJob:
    """What every task of the stage needs.

    Parameters
    ----------
    out : pathlib.Path
        Folder of the survey.
    settings : SimulateSettings
        Priors.
    """

    out: Path
    settings: SimulateSettings

    def part(self, table: str, number: int) -> Path:
        """Return the path of one field's rows of a table."""
        return self.out / "parts" / table / f"part-{number:06d}.parquet"


def simulate_field(number: int, job: SimulateJob) -> Done:
    """Simulate and write one field: its spectra, and its rows of every table.

    Everything depends on the seed and the field's number alone, so a second run writes the same.

    Parameters
    ----------
    number : int
        Number of the field.
    job : SimulateJob
        Where to write, and the priors.

    Returns
    -------
    Done
        Counts of stars, spectra and broken files.
    """
    settings = job.settings
    streams = field_streams(settings.seed, number, 8)
    plan, people, skies, looks, telescope, pipeline, lists, breaker = streams
    field = plan_field(plan, number, settings)
    stars = draw_population(people, field.n_stars, settings.population, settings.survey)
    ra, dec = draw_positions(plan, field, field.n_stars)
    seen_SO = draw_epochs(plan, field.n_stars, settings)
    ids = source_ids(field, field.n_stars)
    sources = observe_sources(skies, stars)
    teff_S2 = np.nan_to_num(stars.systems.teff_B2, nan=5000.0)
    scatter = draw_scatter(looks, teff_S2, settings.scatter)

    rows: list[dict[str, Any]] = []
    for order, visit in enumerate(field.visits):
        observed = np.flatnonzero(seen_SO[:, order])
        if len(observed) == 0:
            continue
        spectra = expose(telescope, pipeline, stars, scatter, observed, visit.mjd_utc, settings)
        rows.append(_write_visit(telescope, job, field, visit, spectra, (ra, dec), ids, sources))
    observations: dict[str, Any] = {
        name: np.concatenate([row[name] for row in rows]) for name in rows[0]
    }
    broken = broken_files(
        breaker, job.out / "spectra", field, observations["path"].tolist(), settings
    )
    tmass, neighbours = tmass_tables(skies, ids, ra, dec, sources)
    tables = {
        "lamost_stellar": stellar_table(observations),
        "lamost_mec": multi_epoch_table(
            observations["uid"], observations["obsid"], observations["midmjm"], observations["rv"]
        ),
        "gaia": gaia_table(skies, ids, ra, dec, sources, stars.e_bv, settings.survey),
        "tmass": tmass,
        "tmass_best_neighbour": neighbours,
        "eclipsing": eclipsing_table(ra, dec, stars, sources, ids),
        "planets": planet_table(
            lists, ra, dec, stars, sources, ids, settings.survey.planet_fraction
        ),
        "truth_stars": truth_stars(stars, ids, ra, dec),
        "truth_observations": truth_observations(stars, ids, observations),
        "truth_broken": broken,
    }
    for name, table in tables.items():
        write_parquet(job.part(name, number), table)
    counts = {
        "stars": field.n_stars,
        "spectra": len(observations["obsid"]),
        "broken files": broken.num_rows,
    }
    return Done(counts, [job.part(name, number) for name in tables])


def _write_visit(
    rng: np.random.Generator,
    job: SimulateJob,
    field: Field,
    visit: Visit,
    spectra: Exposures,
    position_deg: tuple[NDArray[np.float64], NDArray[np.float64]],
    ids: NDArray[np.int64],
    sources: ObservedSources,
) -> dict[str, Any]:
    """Write the files of one visit and return its rows of the stellar catalogue."""
    star = spectra.star_V
    spid, fiberid = (x[star] for x in fibres_of(field.n_stars))
    years = (visit.mjd_utc - GAIA_EPOCH_MJD) / 365.25
    dec = position_deg[1][star] + sources.pmdec_masyr[star] * years / 3.6e6
    motion = sources.pmra_masyr[star] * years / 3.6e6
    ra = np.mod(position_deg[0][star] + motion / np.cos(np.deg2rad(dec)), 360)
    ra, dec = (np.asarray(np.round(x, 6), dtype=np.float64) for x in (ra, dec))
    rows = observation_rows(
        rng, visit, spectra, spid, fiberid, ra, dec, ids[star],
        sources.mag_SK[star],
    )  # fmt: skip
    normalised = rng.random(len(star)) >= NO_NORMALISATION
    helio = rng.uniform(-29, 29)
    shared = visit_cards(visit)
    (job.out / "spectra" / visit.folder).mkdir(parents=True, exist_ok=True)
    for v in range(len(star)):
        target = Target(
            obsid=int(rows["obsid"][v]),
            filename=Path(rows["path"][v]).name.removesuffix(".gz"),
            spid=int(spid[v]),
            fiberid=int(fiberid[v]),
            ra_deg=float(rows["ra"][v]),
            dec_deg=float(rows["dec"][v]),
            designation=f"LAMOST {rows['designation'][v]}",
            mag=tuple(float(rows[f"mag_ps_{b}"][v]) for b in "gri"),  # type: ignore[arg-type]
            subclass=str(rows["subclass"][v]),
            z=float(rows["z"][v]),
            z_err=float(rows["z_err"][v]),
            snr=tuple(float(rows[f"snr{b}"][v]) for b in "ugriz"),  # type: ignore[arg-type]
            helio_rv_kms=round(float(helio), 5),
            log10_first=float(spectra.fibres.log10_first_B[v]),
            normalised=bool(normalised[v]),
        )
        content = _file(visit, target_cards(visit, shared, target), spectra, v, bool(normalised[v]))
        path = job.out / "spectra" / str(rows["path"][v])
        _write(path, compress(content, job.settings.survey.gzip_level))
    return rows


def _write(path: Path, content: bytes) -> None:
    """Write under a temporary name, then rename.

    Not flushed to disk one by one, which costs more than all else: a field that is not in the
    ledger is written again.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    partial.write_bytes(content)
    partial.replace(path)


def _file(visit: Visit, cards: list[Any], spectra: Exposures, v: int, normalised: bool) -> bytes:
    n = int(spectra.fibres.n_pixel_B[v])
    norm = spectra.norm_VN[v, :n] if normalised else np.full(n, MISSING, dtype=np.float32)
    arrays = [
        spectra.flux_VN[v, :n],
        spectra.ivar_VN[v, :n],
        wavelengths(float(spectra.fibres.log10_first_B[v]), n),
        spectra.andmask_VN[v, :n],
        spectra.ormask_VN[v, :n],
        norm,
    ]
    return table_file(cards, arrays) if visit.table_layout else image_file(cards, arrays)
