"""Byte-level BPE for texts that come in parts, and for ids that come one by one."""

# --8<-- [start:streams]
import codecs
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, SupportsIndex

import regex

from snippets.tokenizers.checks import check_texts

if TYPE_CHECKING:
    from snippets.tokenizers.bpe import Allowed, BPETokenizer

# where a word ends, whatever comes later: after a letter, before what continues no
# word; after a line break, before what is no space (o200k joins "/" to line breaks)
SAFE_CUT = regex.compile(r"(?r)(?<=\p{L})(?=[^\p{L}\p{M}'])|(?<=[\r\n])(?=[^\s/])")


def encode_stream(
    tokenizer: "BPETokenizer", texts: Iterable[str], allowed: "Allowed", size: int
) -> Iterator[int]:
    """The ids of all texts as if joined, read about `size` characters at a time."""
    reach = max(map(len, tokenizer.special_tokens), default=1) - 1
    buffer, enough = "", size
    for text in check_texts(texts):
        buffer += text
        if len(buffer) < enough:
            continue
        cut = safe_cut(tokenizer, buffer, len(buffer) - reach)
        yield from encode_until(tokenizer, buffer, cut, allowed)
        buffer = buffer[cut:]
        enough = max(size, 2 * len(buffer))
    yield from tokenizer.encode(buffer, allowed)


def safe_cut(tokenizer: "BPETokenizer", buffer: str, last: int) -> int:
    """The last place up to `last` where words end, whatever comes later; or 0."""
    specials = [found.span() for found in tokenizer.special_pattern.finditer(buffer)]
    for found in SAFE_CUT.finditer(buffer, endpos=last + 1):
        cut = found.start()
        if cut <= last and not any(a < cut < b for a, b in specials):
            return cut
    return 0


def encode_until(
    tokenizer: "BPETokenizer", buffer: str, cut: int, allowed: "Allowed"
) -> Iterator[int]:
    """The ids of `buffer[:cut]`, split with what follows in sight."""
    start = 0
    for ordinary, name in tokenizer.segments(buffer, allowed):
        for word in tokenizer.split(ordinary):
            if start >= cut:
                return
            yield from tokenizer.word_ids(word)
            start += len(word)
        if start >= cut:
            return
        if name:
            yield tokenizer.special_tokens[name]
            start += len(name)


def decode_stream(
    tokenizer: "BPETokenizer", ids: Iterable[SupportsIndex]
) -> Iterator[str]:
    """Text as soon as its characters are complete."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for number in ids:
        if text := decoder.decode(tokenizer.decode_bytes([number])):
            yield text
    if rest := decoder.decode(b"", final=True):
        yield rest


# --8<-- [end:streams]
