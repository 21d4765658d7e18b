"""Where texts that come in parts can be cut, so that words stay whole."""

# --8<-- [start:streams]
from collections.abc import Iterable, Iterator

import regex

from snippets.tokenizers.checks import check_texts

# where a word ends, whatever comes later: after a letter, before what continues no
# word; after a line break, before what is no space (o200k joins "/" to line breaks)
SAFE_CUT = regex.compile(r"(?r)(?<=\p{L})(?=[^\p{L}\p{M}'])|(?<=[\r\n])(?=[^\s/])")


def stretches(
    texts: Iterable[str], size: int, special: regex.Pattern, reach: int
) -> Iterator[tuple[str, int]]:
    """The texts as if joined, about `size` characters at a time.

    Each stretch comes with the place up to which its words are whole, whatever follows;
    the next begins there. `special` must not be cut, and the last `reach` characters
    may be the start of one.
    """
    buffer, enough = "", size
    for text in check_texts(texts):
        buffer += text
        if len(buffer) >= enough:
            cut = safe_cut(buffer, len(buffer) - reach, special)
            yield buffer, cut
            buffer = buffer[cut:]
            enough = max(size, 2 * len(buffer))
    yield buffer, len(buffer)


def safe_cut(buffer: str, last: int, special: regex.Pattern) -> int:
    """The last place up to `last` where words end, whatever comes later; or 0."""
    spans = [found.span() for found in special.finditer(buffer)]
    for found in SAFE_CUT.finditer(buffer, endpos=last + 1):
        cut: int = found.start()
        if cut <= last and not any(a < cut < b for a, b in spans):
            return cut
    return 0


# --8<-- [end:streams]
