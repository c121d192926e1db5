"""Whether the spectra are those of the paper, so that its counts can be compared."""

from collections.abc import Mapping

from pipeline.settings.load import Settings

PAPER_RELEASE = "DR10"


def is_the_papers(counts: Mapping[str, int], settings: Settings) -> bool:
    """Tell whether the input is the paper's: every counted file says DR10, and it is no simulation.

    Parameters
    ----------
    counts : mapping of str to int
        Of the published sample: ``spectra`` and ``paper_release``.
    settings : Settings
        ``inputs.truth``, which only a simulated survey has.
    """
    everything = counts["spectra"] > 0 and counts["paper_release"] == counts["spectra"]
    return everything and settings.inputs.truth is None
