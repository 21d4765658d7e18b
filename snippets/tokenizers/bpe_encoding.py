"""Byte-level BPE from a vocabulary: ids of a text and back, whole or streamed."""

# --8<-- [start:imports]
import codecs
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Literal, SupportsIndex

from snippets.tokenizers.bpe_words import (
    BYTES,
    GPT2_PATTERN,
    any_of,
    compile_pattern,
)
from snippets.tokenizers.checks import (
    check_names,
    check_text,
    checked_ids,
    whole_number,
)
from snippets.tokenizers.long_words import merge_long_word
from snippets.tokenizers.streams import stretches

# --8<-- [end:imports]


# --8<-- [start:merge]
NEVER = 1 << 62  # the rank of a pair that is no token
LONG = 200  # bytes from which on a heap is quicker than looking at every pair


def merge_word(word: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Merge the pair of lowest rank, the first of equals, until no pair is a token.

    Not the longest token first: the merges happen in the order in which training
    learned them.
    """
    parts = [word[i : i + 1] for i in range(len(word))]
    found = [ranks.get(a + b, NEVER) for a, b in pairwise(parts)]
    while found and (lowest := min(found)) != NEVER:
        i = found.index(lowest)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        del found[i]
        if i < len(found):
            found[i] = ranks.get(parts[i] + parts[i + 1], NEVER)
        if i > 0:
            found[i - 1] = ranks.get(parts[i - 1] + parts[i], NEVER)
    return parts


# --8<-- [end:merge]


# --8<-- [start:encoder]
Allowed = Collection[str] | Literal["all"]
CACHED = 1 << 16  # words whose ids are kept


# --8<-- [start:first]
class BPEEncoder:
    """A byte-level BPE vocabulary, the pattern that splits words, and special tokens.

    `ranks` gives each token's rank, which is also its id. Two special tokens may share
    an id; `decode` writes the first. Raises ValueError where a byte is missing, two
    other tokens share an id, or a name is empty; TypeError for ids that are no ints.
    """

    def __init__(
        self,
        ranks: Mapping[bytes, int],
        pattern: str = GPT2_PATTERN,
        special_tokens: Mapping[str, int] | None = None,
    ) -> None:
        special = special_tokens or {}
        check_names([*special], "special token")
        self.ranks = {t: whole_number(n, "id") for t, n in ranks.items()}
        self.special_tokens = {
            name: whole_number(n, "id") for name, n in special.items()
        }
        self._check()
        self.pattern, self._pattern = pattern, compile_pattern(pattern)
        self.special_pattern = any_of(self.special_tokens)
        self._words: dict[str, list[int]] = {}
        self._tokens = {rank: token for token, rank in self.ranks.items()}
        for name, number in self.special_tokens.items():
            self._tokens.setdefault(number, name.encode())

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which special tokens mean nothing."""
        words = self.split(check_text(text))
        return [number for word in words for number in self.word_ids(word)]

    def decode_bytes(self, ids: Iterable[SupportsIndex]) -> bytes:
        """The bytes of the ids: a list, or an array or tensor with one axis.

        Raises ValueError for an id that is no token's, TypeError for what is no id.
        """
        return b"".join([self._tokens[n] for n in checked_ids(ids, self._tokens)])

    def decode(self, ids: Iterable[SupportsIndex], errors: str = "replace") -> str:
        """The text of the ids; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode(errors=errors)

    # --8<-- [end:first]
    @property
    def vocab_size(self) -> int:
        """One more than the largest id: the rows that an embedding needs."""
        return max(self._tokens) + 1

    def _check(self) -> None:
        missing = [byte for byte in BYTES if byte not in self.ranks]
        if missing:
            raise ValueError(
                f"{len(missing)} bytes have no token, first {missing[0]!r}"
            )
        if b"" in self.ranks:
            raise ValueError("a token is empty: b''")
        ids = Counter([*self.ranks.values(), *set(self.special_tokens.values())])
        for number, times in ids.items():
            if times > 1:
                raise ValueError(f"id {number} belongs to {times} tokens")
            if number < 0:
                raise ValueError(f"id {number} is negative")

    def encode(self, text: str, allowed_special: Allowed = ()) -> list[int]:
        """The ids of a text.

        A special token in the text becomes its id where `allowed_special` names it.
        Any other raises ValueError: a text from outside must not steer the model
        unnoticed. `encode_ordinary` takes them as text.
        """
        ids: list[int] = []
        for ordinary, name in self.segments(check_text(text), allowed_special):
            ids += self.encode_ordinary(ordinary)
            if name:
                ids.append(self.special_tokens[name])
        return ids

    def segments(self, text: str, allowed: Allowed) -> Iterator[tuple[str, str]]:
        """Pieces of ordinary text, each with the special token after it, if any."""
        if isinstance(allowed, str) and allowed != "all":
            raise TypeError(f"allowed_special={allowed!r}: give 'all', or a list")
        start = 0
        for found in self.special_pattern.finditer(text):
            if allowed != "all" and found[0] not in allowed:
                raise ValueError(
                    f"the special token {found[0]!r} is in the text at {found.start()}:"
                    " name it in allowed_special, or use encode_ordinary"
                )
            yield text[start : found.start()], found[0]
            start = found.end()
        yield text[start:], ""

    def split(self, text: str) -> list[str]:
        """The words of a text; ValueError if the pattern leaves a part of it out."""
        words: list[str] = self._pattern.findall(text)
        if sum(map(len, words)) != len(text):
            raise ValueError(
                f"the pattern {self.pattern!r} leaves out parts of the text"
            )
        return words

    def word_ids(self, text: str) -> list[int]:
        """The ids of a word: merged, or as when it was last met."""
        if text in self._words:
            return self._words[text]
        word = text.encode()
        merge = merge_word if len(word) < LONG else merge_long_word
        parts = [word] if word in self.ranks else merge(word, self.ranks)
        ids = [self.ranks[part] for part in parts]
        if len(word) < LONG:
            if len(self._words) >= CACHED:
                self._words.clear()
            self._words[text] = ids
        return ids

    def encode_stream(
        self, texts: Iterable[str], allowed_special: Allowed = (), size: int = 1 << 16
    ) -> Iterator[int]:
        """The ids of all texts as if joined, read about `size` characters at a time.

        Memory stays constant, but for text without a place to cut
        (`SAFE_CUT` in `streams.py`, which fits the patterns of OpenAI's models).
        """
        reach = max(map(len, self.special_tokens), default=1) - 1
        for buffer, cut in stretches(texts, size, self.special_pattern, reach):
            yield from self._encode_until(buffer, cut, allowed_special)

    def _encode_until(self, buffer: str, cut: int, allowed: Allowed) -> Iterator[int]:
        """The ids of `buffer[:cut]`, split with what follows in sight."""
        start = 0
        for ordinary, name in self.segments(buffer, allowed):
            for word in self.split(ordinary):
                if start >= cut:
                    return
                yield from self.word_ids(word)
                start += len(word)
            if start >= cut:
                return
            if name:
                yield self.special_tokens[name]
                start += len(name)

    def decode_stream(self, ids: Iterable[SupportsIndex]) -> Iterator[str]:
        """Text as soon as its characters are complete, for ids that come one by one."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for number in ids:
            if text := decoder.decode(self.decode_bytes([number])):
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest


# --8<-- [end:encoder]
