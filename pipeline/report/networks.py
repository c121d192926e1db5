"""The networks whose p_b a report shows."""

from collections.abc import Sequence
from typing import Any

from pipeline.core.errors import MismatchError
from pipeline.core.parquet import read_table, table_files
from pipeline.core.root import Root
from pipeline.network.card import ModelCard
from pipeline.network.members import EnsemblePlan
from schemas.catalogue import SPECTRA


def check_catalogue(root: Root, plan: EnsemblePlan) -> None:
    """Require that the catalogue holds the p_b of these networks.

    Parameters
    ----------
    root : Root
        Of the run.
    plan : EnsemblePlan
        The networks.

    Raises
    ------
    MismatchError
        It holds those of others.
    """
    # All predictions of a run are of one model: a part that is not empty tells which.
    for file in table_files(root.table(SPECTRA)):
        models = set(read_table(file, SPECTRA, ["model_id"])["model_id"].unique().to_pylist())
        if models - {plan.model_id}:
            raise MismatchError(
                f"the catalogue of {root.path} is by model {', '.join(sorted(models))}, but "
                f"{plan.model_id} is to be reported: name its networks by infer.models, as for "
                "`pairspec infer`, or run `pairspec infer` and `pairspec catalogue` again"
            )
        if models:
            return


def in_words(cards: Sequence[ModelCard]) -> str:
    """Say what networks were trained on."""
    return "; ".join(dict.fromkeys(card.data for card in cards))


def card_lines(card: ModelCard) -> dict[str, str]:
    """Return the lines of a network's card that say what it is."""
    plain = card.model_dump(mode="json")
    names = ("model_id", "sha256", "data", "data_digest", "split_seed", "training_stars")
    lines = {name: str(plain[name]) for name in names}
    for name in ("metrics", "training_range", "network", "versions"):
        lines[name] = ", ".join(f"{key} {_short(value)}" for key, value in plain[name].items())
    return lines


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
