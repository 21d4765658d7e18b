"""Byte-level byte-pair encoding, as in GPT-2 and its successors.

Byte-pair encoding: Sennrich et al. 2016 (arXiv:1508.07909, Algorithm 1). On bytes,
after a split into words: Radford et al. 2019 (*Language Models are Unsupervised
Multitask Learners*, section 2.2).
"""

# --8<-- [start:imports]
import base64
import codecs
import json
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, SupportsIndex

import regex

from snippets.files import write_whole
from snippets.tokenizers.bpe_conversions import (
    bpe_to_hugging_face,
    check_merges,
    read_merges,
    read_vocab,
    without_special,
)
from snippets.tokenizers.checks import (
    check_names,
    check_once,
    check_size,
    check_text,
    check_texts,
    checked_ids,
    read_utf8,
    whole_number,
)
from snippets.tokenizers.long_words import merge_long_word
from snippets.tokenizers.pair_index import Ids, PairIndex
from snippets.tokenizers.streams import stretches

if TYPE_CHECKING:
    import tiktoken
    import tokenizers
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


# --8<-- [start:train]
Merge = tuple[bytes, bytes]
Ties = Literal["smaller ids", "greater pair"]


def learn_merges(
    words: Counter[bytes],
    count: int,
    min_frequency: int = 1,
    ties: Ties = "smaller ids",
) -> list[Merge]:
    """Up to `count` merges in order, each as the two tokens that it joins.

    Merges the most frequent pair, again and again. Of pairs with equal counts comes
    first the one with the smaller ids, or the one whose bytes are greater. Stops early
    when no pair occurs `min_frequency` times.
    """
    ids = {byte: number for number, byte in enumerate(BYTES)}
    tokens = list(BYTES)
    merges: list[Merge] = []
    spelled = [[ids[word[i : i + 1]] for i in range(len(word))] for word in words]

    def descending(pair: Ids) -> list[list[int]]:
        return [[-b for b in tokens[number]] + [1] for number in pair]

    if ties not in ("smaller ids", "greater pair"):
        raise ValueError(f"ties={ties!r}: give 'smaller ids' or 'greater pair'")
    order = descending if ties == "greater pair" else None
    index = PairIndex(spelled, list(words.values()), order)
    while len(merges) < count:
        pair = index.most_frequent()
        if pair is None or index.counts[pair] < min_frequency:
            break
        merges.append((tokens[pair[0]], tokens[pair[1]]))
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
        index.merge(pair, len(tokens) - 1)
    return merges


def rank_tokens(merges: Iterable[Merge]) -> dict[bytes, int]:
    """The ranks of the 256 bytes, and of what each merge makes, in order."""
    tokens = [*BYTES, *(a + b for a, b in merges)]
    return {token: rank for rank, token in enumerate(tokens)}


# --8<-- [end:train]


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


# --8<-- [start:tokenizer]
Allowed = Collection[str] | Literal["all"]
FORMAT = "daybook-bpe-1"
CACHED = 1 << 16  # words whose ids are kept


class BPETokenizer:
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

    @property
    def vocab_size(self) -> int:
        """One more than the largest id: the rows that an embedding needs."""
        return max(self._tokens) + 1

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        *,
        pattern: str = GPT2_PATTERN,
        special_tokens: Iterable[str] = (),
        min_frequency: int = 1,
        ties: Ties = "smaller ids",
    ) -> "BPETokenizer":
        """Learn merges from texts; `vocab_size` counts bytes and special tokens too.

        Special tokens in the texts are left out. Warns if the texts are too small for
        `vocab_size`. Raises ValueError if it is below 256 and the special tokens, if a
        special token is empty or there twice, or if there is no text at all.
        """
        special = check_names(special_tokens, "special token")
        parts = {"bytes": 256, "special tokens": len(special)}
        room = check_size(vocab_size, parts)
        words = count_words(texts, pattern, special)
        if not words:
            raise ValueError("the texts are empty: there is nothing to learn from")
        ranks = rank_tokens(learn_merges(words, room, min_frequency, ties))
        if (found := len(ranks) + len(special)) < vocab_size:
            message = f"no pair is left to merge: {found} tokens, not"
            warnings.warn(f"{message} vocab_size={vocab_size}", stacklevel=2)
        ids = {name: len(ranks) + n for n, name in enumerate(special)}
        return cls(ranks, pattern, ids)

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

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which special tokens mean nothing."""
        words = self.split(check_text(text))
        return [number for word in words for number in self.word_ids(word)]

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

    def decode_bytes(self, ids: Iterable[SupportsIndex]) -> bytes:
        """The bytes of the ids: a list, or an array or tensor with one axis.

        Raises ValueError for an id that is no token's, TypeError for what is no id.
        """
        return b"".join([self._tokens[n] for n in checked_ids(ids, self._tokens)])

    def decode(self, ids: Iterable[SupportsIndex], errors: str = "replace") -> str:
        """The text of the ids; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode(errors=errors)

    def save(self, path: str | Path) -> None:
        """Write the vocabulary, the pattern and the special tokens; all or nothing."""
        ordered = sorted(self.ranks, key=self.ranks.__getitem__)
        content = {
            "format": FORMAT,
            "pattern": self.pattern,
            "special_tokens": self.special_tokens,
            "tokens": [base64.b64encode(token).decode() for token in ordered],
            "ids": [self.ranks[token] for token in ordered],
        }
        text = json.dumps(content)
        write_whole(path, lambda file: file.write(text.encode()))

    @classmethod
    def load(cls, path: str | Path) -> "BPETokenizer":
        """Read what `save` wrote. Raises ValueError for any other or a damaged file."""
        try:
            content = json.loads(read_utf8(path))
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT!r}")
            tokens = [base64.b64decode(t, validate=True) for t in content["tokens"]]
            check_once(tokens, "token")
            ranks = dict(zip(tokens, content["ids"], strict=True))
            return cls(ranks, content["pattern"], content["special_tokens"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is not a saved BPETokenizer: {error}") from error

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

    @property
    def merges(self) -> list[Merge]:
        """The two parts of every merged token, in order of rank.

        Raises ValueError for a token that no two earlier tokens merge into.
        """
        ordered = sorted(self.ranks, key=self.ranks.__getitem__)
        return [split_token(token, self.ranks) for token in ordered if len(token) > 1]

    @classmethod
    def from_merges(
        cls,
        vocab: Mapping[int, bytes],
        merges: Iterable[Merge],
        special_tokens: Iterable[str] = (),
        pattern: str = GPT2_PATTERN,
    ) -> "BPETokenizer":
        """The tokenizer of a vocabulary and of merges in the order they were learned.

        Special tokens that `vocab` does not have get the next free ids. Raises
        ValueError for a token that is neither a byte, nor special, nor made by its
        merge, and where ids do not rise in the order of the merges.
        """
        ranks, special = without_special(vocab, special_tokens)
        tokenizer = cls(ranks, pattern, special)
        try:
            found = tokenizer.merges
        except ValueError as error:
            raise ValueError(f"{error}: is it missing in special_tokens?") from error
        check_merges(list(merges), found)
        return tokenizer

    @classmethod
    def from_files(
        cls,
        vocab_path: str | Path,
        merges_path: str | Path,
        special_tokens: Iterable[str] = (),
        pattern: str = GPT2_PATTERN,
    ) -> "BPETokenizer":
        """The same from files like GPT-2's `vocab.json` and `merges.txt`."""
        vocab = {n: unprintable(name) for n, name in read_vocab(vocab_path).items()}
        merges = [(unprintable(a), unprintable(b)) for a, b in read_merges(merges_path)]
        return cls.from_merges(vocab, merges, special_tokens, pattern)

    @classmethod
    def from_tiktoken(cls, encoding: "tiktoken.Encoding") -> "BPETokenizer":
        """The same vocabulary as one of tiktoken's."""
        return cls(
            encoding._mergeable_ranks, encoding._pat_str, encoding._special_tokens
        )

    def to_tiktoken(self, name: str) -> "tiktoken.Encoding":
        """This vocabulary for tiktoken, which encodes with code in Rust."""
        import tiktoken

        return tiktoken.Encoding(
            name,
            pat_str=self.pattern,
            mergeable_ranks=self.ranks,
            special_tokens=self.special_tokens,
        )

    def to_hugging_face(self) -> "tokenizers.Tokenizer":
        """This vocabulary for 🤗 tokenizers; its `save` writes a `tokenizer.json`.

        Special tokens in a text become their ids, as with `allowed_special="all"`. At
        characters newer than that library's tables of Unicode, words may end elsewhere.
        Raises ValueError for what cannot be said there: tokens that no two others merge
        into, two special tokens of one id, a special token with the name of another
        token, a pattern that would be read otherwise.
        """
        vocab = {printable(token): rank for token, rank in self.ranks.items()}
        merges = [(printable(a), printable(b)) for a, b in self.merges]
        return bpe_to_hugging_face(vocab, merges, self.special_tokens, self.pattern)


def split_token(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens that merge into this one: what earlier merges make of it."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        found = [ranks.get(a + b, NEVER) for a, b in pairwise(parts)]
        i = found.index(min(found))
        if found[i] >= ranks[token]:
            raise ValueError(f"no two tokens merge into {token!r}, but {parts}")
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return parts[0], parts[1]


# --8<-- [end:tokenizer]


# --8<-- [start:parts]
def printable(token: bytes) -> str:
    """GPT-2's way to write bytes: those that do not print, from U+0100 on."""
    return "".join(map(SHOWN.__getitem__, token))


def unprintable(name: str) -> bytes:
    """The bytes that `printable` wrote so; other names as UTF-8: special tokens."""
    known = all(char in HIDDEN for char in name)
    return bytes(HIDDEN[char] for char in name) if known else check_text(name).encode()


SHOWN = {b: chr(b) for b in PRINTABLE}
SHOWN |= {byte[0]: chr(256 + n) for n, byte in enumerate(BYTES[len(PRINTABLE) :])}
HIDDEN = {char: byte for byte, char in SHOWN.items()}
# --8<-- [end:parts]
