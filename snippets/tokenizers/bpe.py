"""Byte-level byte-pair encoding, as in GPT-2 and its successors.

Byte-pair encoding: Sennrich et al. 2016 (arXiv:1508.07909, Algorithm 1). On bytes,
after a split into words: Radford et al. 2019 (*Language Models are Unsupervised
Multitask Learners*, section 2.2).
"""

# --8<-- [start:imports]
import base64
import codecs
import heapq
import json
import warnings
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import regex

from snippets.files import write_whole

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


# --8<-- [start:cut]
# where a word ends, whatever comes later: after a letter, before what continues no
# word; after a line break, before what is no space (o200k joins "/" to line breaks)
SAFE_CUT = regex.compile(r"(?r)(?<=\p{L})(?=[^\p{L}\p{M}'])|(?<=[\r\n])(?=[^\s/])")
# --8<-- [end:cut]


# --8<-- [start:train]
Ids = tuple[int, int]


def learn_merges(
    words: Counter[bytes], count: int, min_frequency: int = 1
) -> dict[bytes, int]:
    """The ranks of the 256 bytes and of up to `count` merged tokens, in order.

    Merges the most frequent pair, again and again; of pairs with equal counts the one
    with the smaller ids. Stops early when no pair occurs `min_frequency` times.
    """
    ranks = {byte: rank for rank, byte in enumerate(BYTES)}
    tokens = list(BYTES)
    spelled = [[ranks[word[i : i + 1]] for i in range(len(word))] for word in words]
    weights = list(words.values())
    index = PairIndex(spelled, weights)
    while len(tokens) < 256 + count:
        pair = index.most_frequent()
        if pair is None or index.counts[pair] < min_frequency:
            break
        token = tokens[pair[0]] + tokens[pair[1]]
        index.merge(pair, ranks.setdefault(token, len(tokens)))
        if ranks[token] == len(tokens):
            tokens.append(token)
    return ranks


class PairIndex:
    """How often each pair of neighbours occurs, and in which words.

    A merge changes a few words only, so counts are updated where a merge happens.
    """

    def __init__(self, words: list[list[int]], weights: list[int]) -> None:
        self.words, self.weights = words, weights
        self.counts: dict[Ids, int] = defaultdict(int)
        self.places: dict[Ids, set[int]] = defaultdict(set)
        for number, word in enumerate(words):
            for pair in pairwise(word):
                self.counts[pair] += weights[number]
                self.places[pair].add(number)
        self.heap = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.heap)

    def most_frequent(self) -> Ids | None:
        """The pair to merge next. Entries of the heap may be out of date."""
        while self.heap:
            negative, pair = heapq.heappop(self.heap)
            count = self.counts.get(pair, 0)
            if count == -negative and count > 0:
                return pair
            if count > 0:
                heapq.heappush(self.heap, (-count, pair))
        return None

    def merge(self, pair: Ids, new: int) -> None:
        """Replace the pair by the token `new` in every word, from left to right."""
        grown = set()
        for number in self.places.pop(pair):
            grown |= self._merge_in(number, pair, new)
        del self.counts[pair]
        for found in grown:
            if self.counts[found] > 0:
                heapq.heappush(self.heap, (-self.counts[found], found))

    def _merge_in(self, number: int, pair: Ids, new: int) -> set[Ids]:
        """Merge within one word; returns the pairs that now occur more often."""
        word, weight = self.words[number], self.weights[number]
        counts, places = self.counts, self.places
        first, second = pair
        grown, i = set(), 0
        while i < len(word) - 1:
            if word[i] != first or word[i + 1] != second:
                i += 1
                continue
            word[i : i + 2] = [new]
            if i > 0:
                counts[word[i - 1], first] -= weight
                grown.add(before := (word[i - 1], new))
                counts[before] += weight
                places[before].add(number)
            if i + 1 < len(word):
                counts[second, word[i + 1]] -= weight
                grown.add(after := (new, word[i + 1]))
                counts[after] += weight
                places[after].add(number)
            i += 1
        return grown


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


# --8<-- [start:long]
def merge_long_word(word: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """The same in O(n log n): a heap of pairs, and parts linked to their neighbours."""
    n = len(word)
    end = list(range(1, n + 1))  # the part at i is word[i:end[i]]; 0: merged away
    before = list(range(-1, n))  # where the part before it starts
    heap = [
        (ranks[pair], i, i + 2)
        for i in range(n - 1)
        if (pair := word[i : i + 2]) in ranks
    ]
    heapq.heapify(heap)
    while heap:
        _, i, stop = heapq.heappop(heap)
        j = end[i]  # where the part after it starts
        if j in (0, n) or end[j] != stop:
            continue  # one of the two has been merged since
        end[i], end[j] = stop, 0
        before[stop] = i
        for left, right in ((before[i], stop), (i, end[stop] if stop < n else 0)):
            if left >= 0 and right and (pair := word[left:right]) in ranks:
                heapq.heappush(heap, (ranks[pair], left, right))
    starts = [i for i in range(n) if end[i]]
    return [word[i : end[i]] for i in starts]


# --8<-- [end:long]


# --8<-- [start:cache]
class WordCache(dict[str, list[int]]):
    """The ids of the words met so far; emptied when it is full."""

    def __init__(self, ranks: dict[bytes, int], limit: int = 1 << 16) -> None:
        super().__init__()
        self.ranks, self.limit = ranks, limit

    def __missing__(self, text: str) -> list[int]:
        """Encode a word that is not in the cache."""
        word = text.encode()
        if word in self.ranks:
            return self._keep(text, [self.ranks[word]])
        merge = merge_word if len(word) < LONG else merge_long_word
        return self._keep(text, [self.ranks[part] for part in merge(word, self.ranks)])

    def _keep(self, text: str, ids: list[int]) -> list[int]:
        if len(text) < LONG:
            if len(self) >= self.limit:
                self.clear()
            self[text] = ids
        return ids


# --8<-- [end:cache]


# --8<-- [start:checks]
def check_special(names: Iterable[str]) -> list[str]:
    """Special tokens in the order given. Raises ValueError for doubles and ''."""
    names = list(names)
    for name in names:
        if not name:
            raise ValueError("a special token is empty: ''")
        if names.count(name) > 1:
            raise ValueError(f"the special token {name!r} is named twice")
    return names


def check_text(text: str) -> str:
    """The text. Raises ValueError for half of a surrogate pair: it has no UTF-8."""
    if found := regex.search(r"\p{Cs}", text):
        raise ValueError(
            f"U+{ord(found[0]):04X} at {found.start()} is a lone surrogate: half a"
            " character"
        )
    return text


def compile_pattern(pattern: str) -> regex.Pattern:
    """The pattern. Raises ValueError if it is none, or could match nothing at all."""
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"pattern {pattern!r}: {error}") from error
    if compiled.groups or compiled.match(""):
        raise ValueError(f"pattern {pattern!r} has groups, or matches the empty text")
    return compiled


def count_words(
    texts: Iterable[str], pattern: str, special: Iterable[str] = ()
) -> Counter[bytes]:
    """How often each word occurs in the texts, special tokens left out."""
    split = compile_pattern(pattern)
    cut = regex.compile("|".join(map(regex.escape, special)) or "(?!)")
    counts: Counter[str] = Counter()
    for text in texts:
        for part in cut.split(check_text(text)):
            counts.update(split.findall(part))
    return Counter({word.encode(): count for word, count in counts.items()})


# --8<-- [end:checks]


# --8<-- [start:tokenizer]
Allowed = Collection[str] | Literal["all"]
FORMAT = "daybook-bpe-1"


class BPETokenizer:
    """A byte-level BPE vocabulary, the pattern that splits words, and special tokens.

    `ranks` gives each token's rank, which is also its id. Raises ValueError if a byte
    is missing, if two tokens share an id, or if a special token is empty.
    """

    def __init__(
        self,
        ranks: dict[bytes, int],
        pattern: str = GPT2_PATTERN,
        special_tokens: dict[str, int] | None = None,
    ) -> None:
        self.ranks, self.pattern = ranks, pattern
        self.special_tokens = dict(special_tokens or {})
        self._check()
        self._split = compile_pattern(pattern)
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        self._special = regex.compile("|".join(map(regex.escape, longest_first)))
        self._words = WordCache(ranks)
        self._tokens = {rank: token for token, rank in ranks.items()}
        names = self.special_tokens.items()
        self._tokens |= {number: name.encode() for name, number in names}

    def _check(self) -> None:
        missing = [byte for byte in BYTES if byte not in self.ranks]
        if missing:
            raise ValueError(
                f"{len(missing)} bytes have no token, first {missing[0]!r}"
            )
        if "" in self.special_tokens:
            raise ValueError("a special token is empty: ''")
        for number, times in Counter(
            [*self.ranks.values(), *self.special_tokens.values()]
        ).items():
            if times > 1 or number < 0:
                raise ValueError(f"id {number} belongs to {times} tokens")

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
    ) -> "BPETokenizer":
        """Learn merges from texts; `vocab_size` counts bytes and special tokens too.

        Special tokens in the texts are left out. Warns if the texts are too small for
        `vocab_size`. Raises ValueError if it is below 256 and the special tokens, if a
        special token is empty or there twice, or if there is no text at all.
        """
        special = check_special(special_tokens)
        merges = vocab_size - 256 - len(special)
        if merges < 0:
            raise ValueError(
                f"vocab_size={vocab_size}: 256 bytes and {len(special)} special tokens"
                f" need at least {256 + len(special)}"
            )
        words = count_words(
            [texts] if isinstance(texts, str) else texts, pattern, special
        )
        if not words:
            raise ValueError("the texts are empty: there is nothing to learn from")
        ranks = learn_merges(words, merges, min_frequency)
        if len(ranks) < 256 + merges:
            warnings.warn(
                f"no pair is left to merge: {len(ranks) + len(special)} tokens, not"
                f" vocab_size={vocab_size}",
                stacklevel=2,
            )
        ids = {name: len(ranks) + n for n, name in enumerate(special)}
        return cls(ranks, pattern, ids)

    def encode(self, text: str, allowed_special: Allowed = ()) -> list[int]:
        """The ids of a text.

        A special token in the text becomes its id where `allowed_special` names it.
        Any other raises ValueError: a text from outside must not steer the model
        unnoticed. `encode_ordinary` takes them as text.
        """
        ids: list[int] = []
        for ordinary, name in self._segments(text, allowed_special):
            ids += self.encode_ordinary(ordinary)
            if name:
                ids.append(self.special_tokens[name])
        return ids

    def encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text in which special tokens mean nothing."""
        words = self._split.findall(check_text(text))
        if sum(map(len, words)) != len(text):
            raise ValueError(
                f"the pattern {self.pattern!r} leaves out parts of the text"
            )
        return list(chain.from_iterable(map(self._words.__getitem__, words)))

    def _segments(self, text: str, allowed: Allowed) -> Iterator[tuple[str, str]]:
        """Pieces of ordinary text, each with the special token after it, if any."""
        start = 0
        for found in self._special.finditer(text) if self.special_tokens else ():
            if allowed != "all" and found[0] not in allowed:
                raise ValueError(
                    f"the special token {found[0]!r} is in the text at {found.start()}:"
                    " name it in allowed_special, or use encode_ordinary"
                )
            yield text[start : found.start()], found[0]
            start = found.end()
        yield text[start:], ""

    def encode_stream(
        self, texts: Iterable[str], allowed_special: Allowed = (), size: int = 1 << 16
    ) -> Iterator[int]:
        """The ids of all texts as if joined, read about `size` characters at a time.

        Memory stays constant, but for text without a place to cut (`SAFE_CUT`).
        """
        reach = max(map(len, self.special_tokens), default=1) - 1
        buffer, enough = "", size
        for text in texts:
            buffer += text
            if len(buffer) < enough:
                continue
            cut = self._safe_cut(buffer, len(buffer) - reach)
            yield from self._encode_until(buffer, cut, allowed_special)
            buffer = buffer[cut:]
            enough = max(size, 2 * len(buffer))
        yield from self.encode(buffer, allowed_special)

    def _safe_cut(self, buffer: str, last: int) -> int:
        """The last place up to `last` where words end, whatever comes later; or 0."""
        specials = [m.span() for m in self._special.finditer(buffer) if m[0]]
        for found in SAFE_CUT.finditer(buffer, endpos=last + 1):
            cut = found.start()
            if cut <= last and not any(a < cut < b for a, b in specials):
                return cut
        return 0

    def _encode_until(self, buffer: str, cut: int, allowed: Allowed) -> Iterator[int]:
        """The ids of `buffer[:cut]`, split with what follows in sight."""
        start = 0
        for ordinary, name in self._segments(buffer, allowed):
            for found in self._split.finditer(ordinary):
                if start + found.start() >= cut:
                    return
                yield from self._words[found[0]]
            start += len(ordinary) + len(name)
            if start > cut:
                return
            if name:
                yield self.special_tokens[name]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of the ids. Raises ValueError for an id that is not a token's."""
        try:
            return b"".join([self._tokens[number] for number in ids])
        except KeyError as error:
            raise ValueError(
                f"id {error.args[0]!r} is not in the vocabulary: ids run from 0 to"
                f" {self.vocab_size - 1}"
            ) from None

    def decode(self, ids: Iterable[int], errors: str = "replace") -> str:
        """The text of the ids; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids).decode(errors=errors)

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """Text as soon as its characters are complete, for ids that come one by one."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for number in ids:
            if text := decoder.decode(self.decode_bytes([number])):
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest

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
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT!r}")
            tokens = [base64.b64decode(t, validate=True) for t in content["tokens"]]
            ranks = dict(zip(tokens, content["ids"], strict=True))
            return cls(ranks, content["pattern"], content["special_tokens"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a saved BPETokenizer: {error}") from error

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
        """This vocabulary for 🤗 tokenizers; its `save` writes a `tokenizer.json`."""
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

        vocab = {printable(token): rank for token, rank in self.ranks.items()}
        merges = [(printable(a), printable(b)) for a, b in self.merges]
        # there, a + behind {1,3} repeats it; here it only forbids to step back
        pattern = regex.sub(r"(?<=\{\d+,?\d*\})\+", "", self.pattern)
        model = models.BPE(vocab | self.special_tokens, merges, ignore_merges=True)
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens(list(self.special_tokens))
        return tokenizer

    @property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The two parts of every merged token, in order of rank.

        The parts are what all earlier merges make of the token's bytes.
        """
        ordered = sorted(self.ranks, key=self.ranks.__getitem__)
        return [split_token(token, self.ranks) for token in ordered if len(token) > 1]


# --8<-- [end:tokenizer]


# --8<-- [start:parts]
def split_token(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens that merge into this one."""
    earlier = {}
    n = len(token)
    for i in range(n):
        for j in range(i + 1, n + 1):
            if (rank := ranks.get(token[i:j], NEVER)) < ranks[token]:
                earlier[token[i:j]] = rank
    parts = merge_word(token, earlier)
    if len(parts) != 2:
        raise ValueError(f"no two tokens merge into {token!r}, but {parts}")
    return parts[0], parts[1]


def printable(token: bytes) -> str:
    """GPT-2's way to write bytes: those that do not print, from U+0100 on."""
    return "".join(map(SHOWN.__getitem__, token))


SHOWN = {b: chr(b) for b in PRINTABLE}
SHOWN |= {byte[0]: chr(256 + n) for n, byte in enumerate(BYTES[len(PRINTABLE) :])}
# --8<-- [end:parts]
