"""A card that holds no value costs that card, never the spectrum."""

import pytest

from pipeline.lamost.astropy_reader import KEYWORDS, read_with_astropy
from pipeline.lamost.cards import UnusualError, read_cards
from pipeline.lamost.reader import read_spectrum

TEXTS = {
    "IDL": "                 NaN / as sxaddpar writes it",
    "infinite": "-Inf",
    "Fortran": "********************",
    "comma": "                8,08",
    "quote": "'spec-55859-F5902",
    "hash": "             -1.#IND / C of old",
}


def with_card(content: bytes, keyword: str, text: str) -> bytes:
    """Put a value in the place of a card, or of one that nobody looks at."""
    card = f"{keyword:<8}= {text}".encode().ljust(80)
    place = content.find(card[:10])
    place = place if place > 0 else content.index(b"EXTEND  =")
    return content[:place] + card + content[place + 80 :]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("keyword", sorted(KEYWORDS))
def test_it_is_as_if_the_card_were_blank(keyword, text, synthetic, tmp_path, identical):
    path = tmp_path / "file"
    for content in (synthetic().image(), synthetic().table()):
        path.write_bytes(with_card(content, keyword, ""))
        blank = read_spectrum(path)
        path.write_bytes(with_card(content, keyword, text))
        assert identical(read_spectrum(path), blank)
        assert identical(read_with_astropy(path), blank)


def test_the_signal_to_noise_of_idl_is_none(synthetic, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(with_card(synthetic().table(), "SNRG", TEXTS["IDL"]))
    header = read_spectrum(path).header
    assert header.snr_g is None
    assert (header.snr_u, header.snr_i, header.obsid) == (0.71, 23.05, 101005)


@pytest.mark.parametrize("text", ["NaN", "Inf", "****"])
def test_common_ones_take_the_short_way(text, synthetic, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.lamost.astropy_reader.parse_with_astropy", None)
    path = tmp_path / "file"
    path.write_bytes(with_card(synthetic().image(), "Z", text))
    assert read_spectrum(path).header.z is None


@pytest.mark.parametrize(
    "text", ["$\n  5", "  5\n  6", "  5\n$", "5\n".rjust(70), "  \xe9"],
    ids=["second", "both", "first", "end", "accent"],
)  # fmt: skip
def test_a_card_is_never_taken_for_two(text, synthetic):
    content = synthetic().image()
    place = content.index(b"OBSID   =")
    card = f"OBSID   = {text}".encode("latin-1").ljust(80)
    with pytest.raises(UnusualError):
        read_cards(content[:place] + card + content[place + 80 :], 0)
