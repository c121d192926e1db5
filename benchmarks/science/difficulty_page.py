"""The page ``docs/difficulty.md``: tables of ``difficulty.py`` and what they mean."""

from functools import partial

from difficulty_tables import (
    CATALOGUE_LIMIT,
    N_FOLDS,
    Q_EDGES,
    Columns,
    Study,
    catalogue_table,
    ideal_grid,
    known,
    matched,
    middle,
    network_grid,
    overall_table,
    pairs_table,
    teff_table,
    teff_verdict,
    velocity_table,
)

CALIBRATION = ("calibration_sigma", "join_sigma", "wave_sigma", "flat_sigma", "telluric_residual",
               "sky_residual")  # fmt: skip

HEAD = """\
# How hard the simulated task is

Written by `benchmarks/science/difficulty.py`. Figures in brackets are 95 % bootstrap intervals over
stars (each simulated star has one spectrum); they leave out that another training would have given
another network. All of this holds for simulated spectra: what a network that learned from them does
on real ones is another question.

## Settings
"""

IDEAL = """\
## The ideal observer

For each pair (no scatter, no calibration errors, no sky residuals) the single star of any Teff,
log g, [M/H] and velocity nearest to its noise-free normalised spectrum is found, and
d'^2 = sum ivar (f_pair - f_single)^2 over good pixels. Of two known spectra in known Gaussian noise
the best test reaches Phi(d' / sqrt 2). Over many couples, with scores compared across couples, the
best is the mean of Phi(sqrt(d'_i^2 + d'_k^2) / 2), "pooled" below. No classifier beats it on pairs
matched with their own nearest singles. It is no strict bound for this survey's single stars, which
are not the nearest ones but typical ones, on the main sequence; a classifier that has learned where
single stars can be may gain from that. In the other direction it is generous: the observer knows
both candidates, while a network has to find out temperature, gravity, metallicity, velocity,
resolution and calibration from the same spectrum.

## Test AUC
"""

TEFF = """\
## By temperature

Teff as the catalogue gives it. A clipped companion lies outside the templates (below 3500 K or
above log g 5) and is given the nearest valid spectrum at its own luminosity; the last column of
each network leaves such pairs out.
"""

TEFF_NOTE = """\
The pairs of each bin, scatter off:
"""

TEFF_MEANING = """\
How to read it: a bin is easier where d' is larger, that is where the two spectra differ more
(difference in Teff, number and depth of lines, light ratio) against the same noise. S/N is drawn in
g, so that cool stars, which are brighter in the red, have less noise there at the same S/N. A bin
in which the network does better than its neighbours although d' is not larger, or only with the
clipped companions, would point to a seam in the simulation. The templates have no TiO: below
about 4100 K they are not real M dwarfs, and the AUC there says little about real ones.
"""

CATALOGUE = f"""\
## What the catalogue alone gives away

(Teff, log g, [Fe/H], ln S/N, RV) of the same test spectra, without the spectra; {N_FOLDS} folds,
each scored by a fit to the others. It must stay below {CATALOGUE_LIMIT:.2f}.
"""

VELOCITY = """\
## Orbital velocities

The same stars, masks and noise, simulated again with orbits of 1e8 days, which leaves the two stars
at one velocity; classified by the same network, which was not trained again. A pixel is 69 km/s, a
resolution element 167 km/s.
"""

GRID = """\
Pairs of one bin of q against the single stars of the same bin of S/N. The network was trained on
0.71-0.93; the other rows show how it extrapolates.
"""

GRID_MEANING = """\
Near q = 1 both stars have the same spectrum and there is nothing to see: for twins the bound is
0.5. Towards small q the companion adds less and less light, mostly in the red; an observer who
knows the calibration and both templates exactly would still see it at high S/N. Where the network
stays below the ideal observer, it is not the photons that limit it but what it learned from a
limited number of examples, and the nuisance parameters that the ideal observer is spared; with
scatter on, also that stars of equal labels differ.
"""


def settings_of(studies: dict[str, Study]) -> str:
    """List what made the figures."""
    first = next(iter(studies.values()))
    training = first.card.training
    if training is None:
        raise ValueError("the card does not say how the network was trained: train it again")
    sizes = {name: columns["label"].size for name, columns in first.columns.items()}
    pairs = sum(sizes[f"q{k}"] for k in range(len(Q_EDGES) - 1)) // (len(Q_EDGES) - 1)
    epochs = ", ".join(
        f"{study.card.metrics['epoch']:.0f} (scatter {name}; validation AUC there "
        f"{study.card.metrics['validation_auc']:.3f}, on the training run's own held-out test "
        f"spectra {study.card.metrics['test_auc']:.3f}, model {study.card.model_id})"
        for name, study in studies.items()
    )
    sizes_of_network = ", ".join(f"{k} {v}" for k, v in first.card.network.model_dump().items())
    scatter, instrument = first.simulate.scatter, first.simulate.instrument
    errors = ", ".join(f"{name} {getattr(instrument, name):g}" for name in CALIBRATION)
    return f"""\
- Network: {sizes_of_network}.
- Training: {first.card.data}; at most {training.max_epochs} epochs, of which the best was {epochs};
  {training.optimizer}, learning rate {training.learning_rate:g} ({training.schedule}),
  weight decay {training.weight_decay:g}, batch
  {training.batch_size}, patience {training.patience}, seed {training.seed}.
- Spectra: as many pairs as single stars, q uniform in 0.71-0.93, S/N in g 20-200 uniform in the
  logarithm.
- Scored on spectra of seeds that no training used: {sizes["test"]:,} of both classes; for the
  tables by q and S/N about {pairs:,} pairs a bin of q and {sizes["singles"]:,} single stars.
  Spectra with too many bad pixels are left out, as everywhere.
- Scatter off is `simulate.scatter.enabled = false`: no scatter of line depths (when on,
  {scatter.abundance_sigma:g} by group of lines), no chromospheric fill-in (median
  {scatter.activity_median:g}), no rotation (median {scatter.vsini_median_kms:g} km/s).
- Both have everything else: photon and sky noise, bad pixels, fibres of different resolution,
  errors of the catalogue, and errors of the calibration ({errors}).
"""


def document(studies: dict[str, Study], ideal: Columns) -> str:
    """Write docs/difficulty.md."""
    parts = [
        HEAD, settings_of(studies),
        IDEAL, overall_table(studies, ideal),
        TEFF, teff_table(studies), teff_verdict(studies), TEFF_NOTE, pairs_table(ideal),
        TEFF_MEANING,
        CATALOGUE, catalogue_table(next(iter(studies.values()))),
        VELOCITY, velocity_table(studies),
        "## By mass ratio and S/N\n", GRID,
    ]  # fmt: skip
    for scatter, study in studies.items():
        parts += [f"Network, scatter {scatter}:\n", network_grid(study)]
    for name, measure in (
        ("AUC, pooled", matched),
        ("mean of Phi(d' / sqrt 2)", known),
        ("median d'", partial(middle, digits=1)),
    ):
        parts += [f"Ideal observer, {name}:\n", ideal_grid(ideal, measure)]
    return "\n".join([*parts, GRID_MEANING])
