"""UTF-8 by hand against Python's own."""

import itertools
import random
import sys

from proofs import Pairs, proof
from snippets.tokenizers.utf8 import decode_bytes, encode_code_point

PAGE = "llm/day-4/bytes-and-unicode.md"


@proof(
    "UTF-8: the bytes of every character",
    ours="snippets.tokenizers.utf8.encode_code_point",
    theirs="builtins.str.encode",
    page=PAGE,
    bound=0,
)
def every_character() -> Pairs:
    """All 1,112,064 code points that are characters, in one string each way."""
    numbers = [n for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000]
    text = "".join(map(chr, numbers))
    data = b"".join(map(encode_code_point, numbers))
    yield data, text.encode()
    yield decode_bytes(data[: 1 << 18]), data[: 1 << 18].decode()


@proof(
    "UTF-8: what becomes of bytes that are none",
    ours="snippets.tokenizers.utf8.decode_bytes",
    theirs="builtins.bytes.decode",
    page=PAGE,
    bound=0,
)
def bad_bytes() -> Pairs:
    """All pairs of bytes in two surroundings, and random ones where errors are near."""
    every = [bytes(pair) for pair in itertools.product(range(256), repeat=2)]
    draw = random.Random(0)
    edges = (
        b"\x00\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5\xff"
    )
    every += [bytes(draw.choices(edges, k=6)) for _ in range(5000)]
    ours = [decode_bytes(data, "replace") for data in every]
    yield ours, [data.decode(errors="replace") for data in every]
