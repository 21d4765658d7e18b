"""Texts for tokenizers: the hard ones, and many that are drawn at random."""

import random
import unicodedata
from functools import cache

from snippets.corpus import load_text
from tests.hard_strings import HARD

RANDOM = 500
# assigned long ago: the libraries' tables of Unicode agree about these
OLD = [
    char
    for char in map(chr, range(0x20000))
    if unicodedata.ucd_3_2_0.category(char) not in ("Cn", "Cs", "Co")
    and unicodedata.ucd_3_2_0.category(char) == unicodedata.category(char)
]
SPACES = [" ", " ", " ", "  ", "\n", "\r\n", "\t", "\x85", "\u00a0", "\u3000", "\u2028"]
ENDS = ["'s", "'LL", "'\u017f", "’t", "...", "?!", "/", "//\n", "_", "#", "123", "4567"]


def drawn(chance: random.Random) -> str:
    """A text of words, of signs, and of characters from anywhere."""
    words = load_text("tales").split()
    parts = []
    for _ in range(chance.randrange(1, 30)):
        kind = chance.randrange(8)
        if kind < 3:
            parts.append(chance.choice(words))
        elif kind == 3:
            parts.append(chance.choice(words).upper())
        elif kind == 4:
            parts.append("".join(chance.choices(OLD, k=chance.randrange(1, 6))))
        elif kind == 5:
            parts.append(chance.choice([*HARD.values()])[chance.randrange(20) :][:40])
        else:
            parts.append(chance.choice(ENDS))
        parts.append(chance.choice([*SPACES, "", "", ""]))
    return "".join(parts)


@cache
def texts() -> tuple[str, ...]:
    """The same in every test."""
    chance = random.Random(1)
    return (*HARD.values(), *(drawn(chance) for _ in range(RANDOM)))
