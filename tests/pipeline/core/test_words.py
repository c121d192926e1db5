import pytest

from pipeline.core.words import counted


@pytest.mark.parametrize(
    ("number", "what", "text"),
    [
        (1, "ranks", "1 rank"),
        (0, "ranks", "0 ranks"),
        (1200, "spectra", "1,200 spectra"),
        (1, "test spectra", "1 test spectrum"),
        (1, "broken files", "1 broken file"),
        (1, "superseded", "1 superseded"),
        (1, "without parameters", "1 without parameters"),
        (1, "", "1 "),
    ],
)
def test_one_is_singular(number, what, text):
    assert counted(number, what) == text
