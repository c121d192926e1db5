"""Ways to break a file, each a function of its bytes and a generator of random numbers."""

import gzip
import zlib
from collections.abc import Callable

import numpy as np

CARD = 80
BLOCK = 2880

NUMBERS = (
    "0", "-1", "1", "5", "24", "255", "999", "1000", "40000", "-40000", "65536", "2147483647",
    "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9" * 60,
    "1E400", "-1E400", "1E38", "1E39", "1.0E-400", "NaN", "-Inf", "****", "8,08", "1.#IND",
    "(1.0, 2.0)", "T", "F", "", "/", ".", "+", "-9999", "-9999.0", "2.0",
)  # fmt: skip
TEXTS = (
    "'", "''", "' '", "'''", "'a", "'it''s'", "'a&'", "'BINTABLE'", "'IMAGE'", "'TABLE'",
    "'COADD'", "'COADD_B'", "'FLUX'", "'IVAR'", "'obsid'", "'24E'", "'0E'", "'1PE(24)'", "'QD'",
    "'999999999E'", "'24A'", "'1J'", "'3X'", "'1C'", "'(24)'", "'(3,8)'", "'(0)'", "'A.B: 1.5'",
    "'9999-99-99T99:99:99'", "'" + "9" * 66 + "'", "'\x7f\xff'",
)  # fmt: skip
STRUCTURE = (
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "PCOUNT", "GCOUNT",
    "GROUPS", "EXTEND", "BSCALE", "BZERO", "BLANK", "TFIELDS", "THEAP", "EXTNAME", "ZIMAGE",
    "ZNAXIS1", "CONTINUE", "HIERARCH", "COMMENT", "END", "", "OBSID", "EXTEN0", "COEFF0",
    "TTYPE1", "TTYPE3", "TFORM1", "TFORM3", "TDIM1", "TSCAL1", "TZERO1", "TZERO4", "TNULL1",
)  # fmt: skip

BOMB = zlib.compress(bytes(2**25), 1)[2:-4]
"""Deflated zeros, 32 MB of them."""

Random = np.random.Generator
Mutation = Callable[[bytes, Random], bytes]


def pick(random: Random, choices: tuple[str, ...]) -> str:
    return choices[random.integers(len(choices))]


def flip_bits(content: bytes, random: Random) -> bytes:
    out = bytearray(content)
    for place in random.integers(len(out), size=random.integers(1, 9)):
        out[place] ^= 1 << random.integers(8)
    return bytes(out)


def truncate(content: bytes, random: Random) -> bytes:
    return content[: random.integers(len(content))]


def insert(content: bytes, random: Random) -> bytes:
    place = random.integers(len(content))
    return content[:place] + random.bytes(random.integers(1, 100)) + content[place:]


def cut_out(content: bytes, random: Random) -> bytes:
    place = random.integers(len(content))
    return content[:place] + content[place + random.integers(1, 400) :]


def write_over(content: bytes, random: Random) -> bytes:
    place = random.integers(len(content))
    noise = random.bytes(random.integers(1, 200))
    return content[:place] + noise + content[place + len(noise) :]


def write_text(content: bytes, random: Random) -> bytes:
    text = pick(random, NUMBERS + TEXTS).encode("latin-1")
    place = random.integers(len(content))
    return content[:place] + text + content[place + len(text) :]


def repeat(content: bytes, random: Random) -> bytes:
    """Repeat a part, up to some hundred times: cards, HDUs, rows."""
    size = int(random.choice([1, CARD, CARD, BLOCK, BLOCK, 2 * BLOCK, len(content)]))
    place = random.integers(len(content)) // size * size
    times = int(2 ** random.integers(1, 11)) if size < BLOCK else int(random.integers(1, 24))
    return content[:place] + content[place : place + size] * times + content[place:]


def swap_cards(content: bytes, random: Random) -> bytes:
    one, other = sorted(random.integers(max(len(content) // CARD, 1), size=2) * CARD)
    first, second = content[one : one + CARD], content[other : other + CARD]
    return content[:one] + second + content[one + CARD : other] + first + content[other + CARD :]


def change_card(content: bytes, random: Random) -> bytes:
    """Give the card at some place another value, and half of the time another keyword."""
    place = int(random.integers(max(len(content) // CARD, 1))) * CARD
    keyword = content[place : place + 8]
    if random.random() < 0.5:
        keyword = pick(random, STRUCTURE).ljust(8).encode()
    return content[:place] + _card(keyword, random) + content[place + CARD :]


def change_claim(content: bytes, random: Random) -> bytes:
    """Give one of the cards that say how large things are another value."""
    keyword = pick(random, STRUCTURE).ljust(8).encode()
    place = content.find(keyword) if random.random() < 0.5 else content.rfind(keyword)
    if place < 0 or place % CARD:
        return change_card(content, random)
    return content[:place] + _card(keyword, random) + content[place + CARD :]


def add_cards(content: bytes, random: Random) -> bytes:
    """Put cards, some of them a chain, before some card; blocks stay whole."""
    place = int(random.integers(max(min(len(content), 3 * BLOCK) // CARD, 1))) * CARD
    chain = b"CONTINUE  'and so on 8-8-8&'".ljust(CARD)
    card = chain if random.random() < 0.5 else _card(pick(random, STRUCTURE).encode(), random)
    cards = card * int(2 ** random.integers(0, 11))
    return content[:place] + cards.ljust(-(-len(cards) // BLOCK) * BLOCK) + content[place:]


def odd_floats(content: bytes, random: Random) -> bytes:
    place = len(content) - int(random.integers(1, BLOCK // 4)) * 4
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, -1, 3e38], ">f4").tobytes()
    return content[: max(place, 0)] + odd + content[max(place, 0) + len(odd) :]


def _card(keyword: bytes, random: Random) -> bytes:
    value = pick(random, NUMBERS if random.random() < 0.7 else TEXTS)
    sign = b"= " if random.random() < 0.95 else random.bytes(2)
    return (keyword.ljust(8) + sign + value.rjust(20).encode("latin-1")).ljust(CARD)[:CARD]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, truncate, insert, cut_out, write_over, write_text, repeat, swap_cards, odd_floats,
    add_cards, change_card, change_card, change_card, change_claim, change_claim, change_claim,
)  # fmt: skip


def mutate(content: bytes, random: Random) -> bytes:
    """Break a file in one to four ways."""
    for _ in range(random.integers(1, 5)):
        content = MUTATIONS[random.integers(len(MUTATIONS))](content, random) or b"S"
    return content


def pack(content: bytes, random: Random) -> bytes:
    """Compress a file, in one member or several, and break what comes out now and then."""
    if random.random() < 0.2:
        part = int(random.integers(1, len(content) + 1))
        packed = gzip.compress(content[:part], 1) + gzip.compress(content[part:], 1)
    else:
        packed = gzip.compress(content, 1, mtime=0)
    kind = random.integers(12)
    if kind == 0:
        return packed + bytes(int(random.integers(1, 600)))
    if kind == 1:
        return packed + random.bytes(int(random.integers(1, 60)))
    if kind == 2:
        return packed[:3] + bytes([1 << random.integers(8)]) + packed[4:]
    if kind == 3:
        return packed + gzip.compress(b"") * int(2 ** random.integers(1, 12))
    if kind == 4:
        return packed[:10] + BOMB + packed[10:]
    if kind in (5, 6):
        return MUTATIONS[random.integers(8)](packed, random)
    return packed
