"""Sums of single stars with companions of every mass ratio, at every S/N, and their p_b."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.composites.couples import pair_light
from pipeline.composites.exposure import exposure, mean_snr, relative_variance
from pipeline.composites.pairing import companions_at
from pipeline.composites.pool import Pool, joined_pools
from pipeline.composites.sums import Light, Stored, masked, star_light
from pipeline.settings.composites import CompositeSettings
from pipeline.settings.spectra import SpectraSettings
from pipeline.settings.stars import PopulationSettings
from pipeline.settings.validation import ValidationSettings
from pipeline.spectra.masking import bad_fraction
from pipeline.stars.orbits import draw_orbits, velocities

if TYPE_CHECKING:
    from pipeline.network.ensemble import Answer

IntArray = NDArray[np.int64]

PAIR, TWINS, SINGLE = "pair", "twins", "single"
CHUNK = 96
"""Spectra added up at a time, so that temporaries stay small."""


class Injection:
    """Sums of some single stars with companions.

    Parameters
    ----------
    primary, companions : Pool
        Single stars; stars whose light is added to theirs.
    noise : sequence of Pool
        Spectra of each bin of S/N, whose noise and mask the sums get.
    read : callable
        From the rows of the store, rising, and their velocities in km/s to the spectra.
    composites, population, spectra, validation
        Settings: sums; orbits; grid and continuum; bins.
    """

    def __init__(
        self,
        primary: Pool,
        companions: Pool,
        noise: Sequence[Pool],
        read: Callable[[IntArray, NDArray[np.float64]], Stored],
        composites: CompositeSettings,
        population: PopulationSettings,
        spectra: SpectraSettings,
        validation: ValidationSettings,
    ) -> None:
        self.n_primary, self.pool = len(primary), joined_pools(primary, companions)
        self.composites, self.population = composites, population
        self.spectra, self.validation = spectra, validation
        self._noise, self._read = noise, read

    def systems(self, rng: np.random.Generator) -> pd.DataFrame:
        """Draw one system of each kind and bin of mass ratio per single star.

        Parameters
        ----------
        rng : numpy.random.Generator
            Mass ratios are uniform within their bins; of two stars that fit the nearer is taken.

        Returns
        -------
        pandas.DataFrame
            ``kind``, rows ``first`` and ``second`` of the pool, ``star``, ``star2``, ``mass_msun``,
            ``q``, ``light_ratio`` in G, ``teff_k`` (mean weighted by that light, as a catalogue
            gives it), ``feh``.
        """
        pool, primary = self.pool, np.arange(self.n_primary, dtype=np.int64)
        frames = [pd.DataFrame({"kind": SINGLE, "first": primary, "second": primary, "q": np.nan})]
        bins = [(PAIR, edge) for edge in pairwise(self.validation.q_edges)]
        for kind, (low, high) in [*bins, (TWINS, (self.composites.twin_q_min, 1.0))]:
            wanted = rng.uniform(low, high, self.n_primary)
            width = (high - low) / 2
            found = companions_at(
                primary, wanted, pool.mass_msun, pool.feh, pool.star, self.composites, width
            )
            q = pool.mass_msun[found] / pool.mass_msun[primary]
            inside = (found >= 0) & (q >= low) & ((q < high) | ((high == 1) & (q == 1)))
            columns = {"first": primary, "second": found, "q": q}
            frames.append(
                pd.DataFrame({"kind": kind} | {name: c[inside] for name, c in columns.items()})
            )
        frame = pd.concat(frames, ignore_index=True)
        first, second = frame["first"].to_numpy(), frame["second"].to_numpy()
        ratio = 10 ** (-0.4 * (pool.m_g[second] - pool.m_g[first]))
        ratio[frame["kind"] == SINGLE] = 0.0
        frame["star"], frame["star2"] = pool.star[first], pool.star[second]
        frame["mass_msun"] = pool.mass_msun[first]
        frame["feh"], frame["light_ratio"] = pool.feh[first], ratio
        frame["teff_k"] = (pool.teff_k[first] + ratio * pool.teff_k[second]) / (1 + ratio)
        return frame

    def run(
        self, rng: np.random.Generator, predict: Callable[[NDArray[np.float32]], "Answer"]
    ) -> pd.DataFrame:
        """Expose each system once per bin of S/N and classify the spectra.

        Noise can only be added, so a system has no spectrum at a S/N that its stars do not reach.

        Parameters
        ----------
        rng : numpy.random.Generator
            Random numbers.
        predict : callable
            From normalised flux to p_b.

        Returns
        -------
        pandas.DataFrame
            Columns of `systems` but for the rows, ``snr_g`` and ``p_b``; one row per spectrum that
            is not masked too much.
        """
        systems = self.systems(rng)
        used, place = np.unique(systems[["first", "second"]].to_numpy(), return_inverse=True)
        systems[["first", "second"]] = place.reshape(-1, 2)
        pool = self.pool.take(used)
        stored = self._stored(pool)
        examples = [self._examples(noise) for noise in self._noise]
        made = [systems.iloc[:0].assign(snr_g=0.0, p_b=np.float32(0))]
        for single, group in systems.groupby(systems["kind"] == SINGLE):
            for start in range(0, len(group), CHUNK):
                part = group.iloc[start : start + CHUNK]
                light = self._light(rng, pool, stored, part, alone=bool(single))
                made += [
                    self._exposed(rng, light, part, edge, example, predict)
                    for edge, example in zip(self._bins(), examples, strict=True)
                    if len(example[0])
                ]
        return pd.concat(made, ignore_index=True).drop(columns=["first", "second"])

    def _bins(self) -> list[tuple[float, float]]:
        return list(pairwise(self.validation.injection.snr_edges))

    def _stored(self, pool: Pool) -> Stored:
        rows, index, place = np.unique(pool.row, return_index=True, return_inverse=True)
        return self._read(rows, pool.rv_kms[index]).take(place)

    def _examples(self, noise: Pool) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return relative variance and mask of some spectra."""
        light = self._single(noise, self._stored(noise))
        return relative_variance(light, self.spectra), light.bad_BL

    def _single(self, pool: Pool, stored: Stored) -> Light:
        at_rest = self.spectra.frame == "rest"
        velocity = np.zeros(len(pool)) if at_rest else pool.rv_kms
        return star_light(stored, velocity, pool.m_g, self.composites, self.spectra)

    def _light(
        self, rng: np.random.Generator, pool: Pool, stored: Stored, part: pd.DataFrame, *,
        alone: bool,
    ) -> Light:  # fmt: skip
        first, second = part["first"].to_numpy(), part["second"].to_numpy()
        if alone:
            return self._single(pool.take(first), stored.take(first))
        orbits = draw_orbits(rng, pool.mass_msun[first], pool.mass_msun[second], self.population)
        apart = np.subtract(*velocities(orbits, 0.0).T)
        return pair_light(pool, stored, first, second, apart, self.composites, self.spectra)

    def _exposed(
        self,
        rng: np.random.Generator,
        light: Light,
        part: pd.DataFrame,
        edge: tuple[float, float],
        example: tuple[NDArray[np.float32], NDArray[np.bool_]],
        predict: Callable[[NDArray[np.float32]], "Answer"],
    ) -> pd.DataFrame:
        """Give light the noise and the mask of spectra of one bin of S/N."""
        chosen = rng.integers(len(example[0]), size=len(part))
        bad = light.bad_BL | example[1][chosen]
        light = masked(light, bad)
        noise = np.maximum(relative_variance(light, self.spectra), example[0][chosen] * ~bad)
        snr = mean_snr(noise, bad, self.spectra)
        able = (snr >= edge[0]) & (snr < edge[1])
        able &= np.asarray(bad_fraction(bad)) <= self.spectra.max_bad_fraction
        if not able.any():
            return part.iloc[:0].assign(snr_g=0.0, p_b=np.float32(0))
        some = Light(light.flux_BL[able], light.variance_BL[able], light.bad_BL[able])
        exposed = exposure(some, noise[able], rng, self.spectra)
        flux = np.where(exposed.bad_BL, np.float32(1), exposed.flux_BL)
        return part[able].assign(snr_g=snr[able], p_b=predict(flux).p_b_B)
