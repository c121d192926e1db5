"""The tables of ``benchmarks/science/difficulty.py``: from scores of unseen spectra to figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import expit

from pipeline.evaluation.intervals import Estimate, by_star
from pipeline.evaluation.truth import TEFF_EDGES_K
from pipeline.limits.ideal import known_auc, matched_auc
from pipeline.network.card import ModelCard
from pipeline.network.metrics import weighted_auc, weighted_mean
from pipeline.settings.simulate import SimulateSettings

Columns = dict[str, np.ndarray]

Q_EDGES = (0.3, 0.5, 0.6, 0.71, 0.82, 0.88, 0.93, 1.0)
SNR_EDGES = (20.0, 35.0, 60.0, 110.0, 200.0)
N_FOLDS = 5
N_NEIGHBOURS = 60
CATALOGUE_LIMIT = 0.60
TEFF_LIMIT = 0.05


@dataclass(frozen=True)
class Study:
    """A trained network, what its spectra were simulated with, and its scores by sample."""

    card: ModelCard
    simulate: SimulateSettings
    columns: dict[str, Columns]


def area(score: np.ndarray, label: np.ndarray) -> Estimate:
    """Area under the ROC curve, each row another star."""
    label = label == 1
    return by_star(lambda weight: weighted_auc(score, label, weight), np.arange(label.size))


def matched(d_prime: np.ndarray) -> Estimate:
    """Area that the ideal observer reaches on pairs and their own nearest singles, pooled."""
    return by_star(lambda weight: matched_auc(d_prime, weight), np.arange(d_prime.size))


def known(d_prime: np.ndarray) -> Estimate:
    """Mean over pairs of the ideal observer's area on a pair and its own nearest single."""
    auc = known_auc(d_prime)
    return by_star(lambda weight: float((weight * auc).sum() / weight.sum()), np.arange(auc.size))


def middle(value: np.ndarray, digits: int) -> str:
    """Median and its 95 % interval."""
    if not value.size:
        return "-"
    found = by_star(lambda weight: float(np.median(np.repeat(value, weight.astype(int)))),
                    np.arange(value.size))  # fmt: skip
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def within(value: np.ndarray, edges: tuple[float, float]) -> np.ndarray:
    return (value >= edges[0]) & (value < edges[1])


def teff_bins() -> list[tuple[float, float]]:
    return list(pairwise(float(edge) for edge in TEFF_EDGES_K))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def excess(test: Columns, edges: tuple[float, float]) -> Estimate:
    """AUC in one bin of Teff, less the mean of the AUCs in the others."""
    rows = {e: np.flatnonzero(within(test["teff_k"], e)) for e in teff_bins()}

    def statistic(weight: np.ndarray) -> float:
        auc = {
            e: weighted_auc(test["logit"][r], test["label"][r] == 1, weight[r])
            for e, r in rows.items()
        }
        return auc.pop(edges) - float(np.mean(list(auc.values())))

    return by_star(statistic, np.arange(test["label"].size), n_draws=200)


def features(test: Columns) -> np.ndarray:
    """Return the catalogue's values of each spectrum, scaled: Teff, log g, [Fe/H], ln S/N, RV."""
    value = np.stack(
        [test["teff_k"], test["logg"], test["feh"], np.log(test["snr_g"]), test["rv_kms"]], axis=1
    )
    scaled: np.ndarray = (value - value.mean(axis=0)) / value.std(axis=0)
    return scaled


def logistic(seen: np.ndarray, label: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Quadratic logistic regression by Newton's method, with a ridge of 1e-3 per row."""

    def terms(x: np.ndarray) -> np.ndarray:
        products = [x[:, i : i + 1] * x[:, i:] for i in range(x.shape[1])]
        return np.concatenate([np.ones((len(x), 1)), x, *products], axis=1)

    design, weight = terms(seen), np.zeros(21)
    for _ in range(20):
        chance = expit(design @ weight)
        gradient = design.T @ (label - chance) - 1e-3 * weight
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-3 * np.eye(21)
        weight += np.linalg.solve(curvature, gradient)
    return terms(asked) @ weight


def neighbours(seen: np.ndarray, label: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Share of pairs among the nearest spectra."""
    k = min(N_NEIGHBOURS, len(seen))
    _, row = cKDTree(seen).query(asked, k=k)
    return label[row].mean(axis=1)


def held_out(
    test: Columns, method: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> Estimate:
    """AUC of a method on the catalogue's values, each fold scored by a fit to the others."""
    value, label = features(test), test["label"].astype(float)
    fold = np.random.default_rng(0).permutation(label.size) % N_FOLDS
    score = np.empty(label.size)
    for k in range(N_FOLDS):
        score[fold == k] = method(value[fold != k], label[fold != k], value[fold == k])
    return area(score, label)


def overall_table(studies: dict[str, Study], ideal: Columns) -> str:
    rows = []
    for scatter, study in studies.items():
        test = study.columns["test"]
        rows.append((f"network, scatter {scatter}", area(test["logit"], test["label"]),
                     test["label"].size))  # fmt: skip
    d_prime = ideal["d_prime"][ideal["sample"] == "test"]
    rows.append(("ideal observer, scatter off", matched(d_prime), d_prime.size))
    return table(("", "AUC", "spectra (ideal observer: pairs)"), rows)


def teff_table(studies: dict[str, Study]) -> str:
    rows = []
    for edges in teff_bins():
        cells: list[object] = [f"{edges[0]:.0f}-{edges[1]:.0f}"]
        for study in studies.values():
            test = study.columns["test"]
            here = within(test["teff_k"], edges)
            plain = here & ~test["clipped"]
            cells += [area(test["logit"][here], test["label"][here]), excess(test, edges),
                      area(test["logit"][plain], test["label"][plain])]  # fmt: skip
        rows.append(cells)
    head = ["Teff (K)"]
    for scatter in studies:
        head += [f"AUC, scatter {scatter}", "less mean of other bins", "without clipped companions"]
    return table(head, rows)


def pairs_table(ideal: Columns) -> str:
    """Tabulate what the pairs of each bin of Teff are like."""
    rows = []
    mine = {n: c[ideal["sample"] == "test"] for n, c in ideal.items()}
    for edges in teff_bins():
        here = {n: c[within(mine["teff_k"], edges)] for n, c in mine.items()}
        star = np.arange(here["q"].size)
        rows.append(
            (f"{edges[0]:.0f}-{edges[1]:.0f}", matched(here["d_prime"]), middle(here["d_prime"], 1),
             middle(here["teff_difference_k"], 0), middle(here["light_ratio"], 2),
             by_star(lambda w, x=here["clipped"]: weighted_mean(x, w), star))
        )  # fmt: skip
    return table(("Teff (K)", "ideal observer's AUC", "median d'", "median Teff1 - Teff2 (K)",
                  "median light ratio in g", "share with clipped companion"), rows)  # fmt: skip


def best_teff_table(studies: dict[str, Study]) -> str:
    """Tabulate how far the best bin of Teff is ahead."""
    rows = []
    for scatter, study in studies.items():
        test = study.columns["test"]
        value = {
            edges: area(test["logit"][here], test["label"][here]).value
            for edges in teff_bins()
            if (here := within(test["teff_k"], edges)).any()
        }
        best, second, *_, worst = sorted(value, key=lambda e: -np.nan_to_num(value[e], nan=-1))
        lead = value[best] - value[second]
        rows.append(
            (scatter, f"{best[0]:.0f}-{best[1]:.0f}", f"{lead:.3f}",
             f"{worst[0]:.0f}-{worst[1]:.0f}", f"{value[best] - value[worst]:.3f}",
             "yes" if lead > TEFF_LIMIT else "no")
        )  # fmt: skip
    return table(
        ("scatter", "best bin (K)", "above the next best", "worst bin (K)", "above the worst",
         f"exceeds all others by more than {TEFF_LIMIT}"), rows
    )  # fmt: skip


def catalogue_table(study: Study) -> str:
    test = study.columns["test"]
    rows = []
    for name, method in (
        ("quadratic logistic regression", logistic),
        (f"{N_NEIGHBOURS} nearest neighbours", neighbours),
    ):
        found = held_out(test, method)
        verdict = (
            "yes, and so is its interval"
            if found.high < CATALOGUE_LIMIT
            else ("yes, but its interval reaches above" if found.value < CATALOGUE_LIMIT else "NO")
        )
        rows.append((name, found, verdict))
    return table(("classifier", "held-out AUC", f"below {CATALOGUE_LIMIT:.2f}"), rows)


def velocity_table(studies: dict[str, Study]) -> str:
    rows = []
    for scatter, study in studies.items():
        moving, still = study.columns["test"], study.columns["still"]
        _, a, b = np.intersect1d(moving["star"], still["star"], return_indices=True)
        moving, still = ({n: c[r] for n, c in x.items()} for x, r in ((moving, a), (still, b)))
        label, star = moving["label"] == 1, np.arange(a.size)

        def change(
            weight: np.ndarray,
            moving: Columns = moving, still: Columns = still, label: np.ndarray = label,
        ) -> float:  # fmt: skip
            after = weighted_auc(still["logit"], label, weight)
            return after - weighted_auc(moving["logit"], label, weight)

        def apart(x: Columns) -> np.ndarray:
            return np.abs(x["velocity1_kms"] - x["velocity2_kms"])

        fast = ~label | (apart(moving) > 60)
        rows.append(
            (scatter, area(moving["logit"], label), area(still["logit"], label),
             by_star(change, star), area(moving["logit"][fast], label[fast]),
             int((fast & label).sum()), area(still["logit"][fast], label[fast]),
             f"{np.nanmax(apart(still)):.2f}")
        )  # fmt: skip
    return table(
        ("scatter", "AUC as drawn", "AUC at rest", "change (same stars)",
         "AUC as drawn, pairs above 60 km/s", "such pairs", "the same pairs at rest",
         "largest velocity at rest (km/s)"), rows
    )  # fmt: skip


def network_grid(study: Study) -> str:
    """Tabulate the network's AUC by mass ratio and S/N."""
    singles = study.columns["singles"]

    def cell(k: int, snr: tuple[float, float]) -> Estimate:
        parts = [x["logit"][within(x["snr_g"], snr)] for x in (study.columns[f"q{k}"], singles)]
        return area(np.concatenate(parts), np.repeat([1, 0], [part.size for part in parts]))

    return _grid(cell)


def ideal_grid(ideal: Columns, measure: Callable[[np.ndarray], object]) -> str:
    """Tabulate something of the d' by mass ratio and S/N."""

    def cell(k: int, snr: tuple[float, float]) -> object:
        here = (ideal["sample"] == f"q{k}") & within(ideal["snr_g"], snr)
        return measure(ideal["d_prime"][here])

    return _grid(cell)


def _grid(cell: Callable[[int, tuple[float, float]], object]) -> str:
    bins = list(pairwise(SNR_EDGES))
    rows = [(f"{low:.2f}-{high:.2f}", *(cell(k, snr) for snr in bins))
            for k, (low, high) in enumerate(pairwise(Q_EDGES))]  # fmt: skip
    return table(("q", *(f"S/N {low:.0f}-{high:.0f}" for low, high in bins)), rows)
