"""What byte-level BPE starts from: the 256 bytes in order, and words of a text.

Merges happen within a word only: Radford et al. 2019 (*Language Models are Unsupervised
Multitask Learners*, section 2.2).
"""

# --8<-- [start:imports]
from collections import Counter
from collections.abc import Iterable

import regex

from snippets.tokenizers.checks import check_text, check_texts

# --8<-- [end:imports]

# --8<-- [start:bytes]
# GPT-2's order of the 256 bytes: printable characters first, then the others. The id of
# a byte is its place here, in GPT-2's vocabulary and in those of its successors.
PRINTABLE = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
BYTES = [bytes([b]) for b in PRINTABLE + sorted(set(range(256)) - set(PRINTABLE))]
# --8<-- [end:bytes]

# --8<-- [start:split]
# GPT-2's pattern, in the quicker spelling of tiktoken; it leaves no character out.
GPT2_PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)"  # the end of a contraction
    r"| ?\p{L}++"  # a word, with the space before it
    r"| ?\p{N}++"  # digits, with the space before them
    r"| ?[^\s\p{L}\p{N}]++"  # other signs, with the space before them
    r"|\s++$|\s+(?!\S)|\s"  # spaces, but not the last one before a word
)


def split_words(text: str, pattern: str = GPT2_PATTERN) -> list[str]:
    """The pieces within which merges may happen; joined, they are the text."""
    return regex.findall(pattern, text)


# --8<-- [end:split]


# --8<-- [start:count]
def compile_pattern(pattern: str) -> regex.Pattern:
    """The pattern. Raises ValueError if it is none, or could match nothing at all."""
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"pattern {pattern!r}: {error}") from error
    if compiled.groups or compiled.match(""):
        raise ValueError(f"pattern {pattern!r} has groups, or matches the empty text")
    return compiled


def any_of(names: Iterable[str]) -> regex.Pattern:
    """A pattern for special tokens: where one starts with another, the longest."""
    longest_first = sorted(names, key=len, reverse=True)
    return regex.compile("|".join(map(regex.escape, longest_first)) or "(?!)")


def count_words(
    texts: str | Iterable[str], pattern: str, special: Iterable[str] = ()
) -> Counter[bytes]:
    """How often each word occurs in the texts, special tokens left out."""
    split, cut = compile_pattern(pattern), any_of(special)
    counts: Counter[str] = Counter()
    for text in check_texts(texts):
        for part in cut.split(text):
            counts.update(split.findall(part))
    return Counter({word.encode(): count for word, count in counts.items()})


# --8<-- [end:count]


# --8<-- [start:parts]
def printable(token: bytes) -> str:
    """GPT-2's way to write bytes: those that do not print, from U+0100 on."""
    return "".join(map(SHOWN.__getitem__, token))


def unprintable(name: str) -> bytes:
    """The bytes that `printable` wrote so; other names as UTF-8: special tokens."""
    known = all(char in HIDDEN for char in name)
    return bytes(HIDDEN[char] for char in name) if known else check_text(name).encode()


SHOWN = {b: chr(b) for b in PRINTABLE} | {
    byte[0]: chr(256 + n) for n, byte in enumerate(BYTES[len(PRINTABLE) :])
}
HIDDEN = {char: byte for byte, char in SHOWN.items()}
# --8<-- [end:parts]
