"""The unigram tokenizer of SentencePiece.

Kudo 2018 (*Subword Regularization*, arXiv:1804.10959, section 3.2); Kudo and Richardson
2018 (*SentencePiece*, arXiv:1808.06226). A text's probability is the product of the
probabilities of its pieces; the best segmentation is the most probable one.
"""

# --8<-- [start:imports]
import heapq
import math
import random
import re
import unicodedata
import warnings
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex

from snippets.tokenizers.checks import (
    HALF,
    check_names,
    check_scores,
    check_size,
    check_text,
    check_texts,
    checked_ids,
    read_utf8,
    write_lines,
)
from snippets.tokenizers.sentencepiece_names import (
    BYTE,
    CONTROL,
    SPACE,
    UNKNOWN_PIECE,
)
from snippets.tokenizers.unigram_conversion import unigram_to_hugging_face

if TYPE_CHECKING:
    import tokenizers

PENALTY = 10.0  # a character that no piece spells: this much below the worst piece
LONGEST_PIECE = 16  # characters
LONGEST_STRETCH = 50  # characters that training looks at together
# --8<-- [end:imports]


# --8<-- [start:normalize]
def normalize(text: str) -> str:
    """One way to write a text: NFKC, one space between words and one in front.

    Spaces become visible, so that joining the pieces gives the text back. Python's NFKC
    is not quite SentencePiece's, which has rules of its own for some 40 characters,
    most of them control characters.
    """
    words = unicodedata.normalize("NFKC", check_text(text)).split()
    return "".join(SPACE + word for word in words)


def split_at_spaces(text: str) -> list[str]:
    """The words, each with the visible space before it: no piece reaches further."""
    return re.findall(f"{SPACE}?[^{SPACE}]+|{SPACE}", text)


# --8<-- [end:normalize]


# --8<-- [start:lattice]
class Scores(dict[str, float]):
    """The logarithm of the probability of each piece. Not to be changed once made.

    Raises ValueError if there is no piece, or an empty one, or a score that is no
    finite number.
    """

    def __init__(self, scores: Mapping[str, float] | Iterable[tuple[str, float]]):
        super().__init__(scores)
        check_scores(self.items())
        if not self or "" in self:
            raise ValueError(
                f"{len(self)} pieces: one at least, and none of them empty"
            )
        self.starts = {piece[:n] for piece in self for n in range(1, len(piece))}
        self.unknown = min(self.values()) - PENALTY

    def arcs(self, text: str) -> Iterator[tuple[int, int, float]]:
        """Every piece found in the text: start, end, score; by start, then by end.

        Where no piece spells a character, a penalty does.
        """
        for start in range(len(text)):
            for end in range(start + 1, len(text) + 1):
                part = text[start:end]
                if part in self:
                    yield start, end, self[part]
                elif end == start + 1:
                    yield start, end, self.unknown
                if part not in self.starts:
                    break


def viterbi(text: str, scores: Scores, whole: bool = True) -> tuple[list[str], float]:
    """The most probable segmentation and its score; of equals, the longest last piece.

    Unless `whole`, the text itself is not taken as a piece. Sums are rounded to
    float32, as SentencePiece's are, so that ties fall the same way.
    """
    best = array("f", [0.0] + [-math.inf] * len(text))
    before = [0] * (len(text) + 1)
    total = array("f", [0.0])
    for start, end, score in scores.arcs(text):
        total[0] = best[start] + score
        if total[0] > best[end] and (whole or end - start < len(text)):
            best[end], before[end] = total[0], start
    pieces, end = [], len(text)
    while end:
        pieces.append(text[before[end] : end])
        end = before[end]
    return pieces[::-1], best[-1]


def n_best(text: str, scores: Scores, n: int) -> list[tuple[list[str], float]]:
    """The `n` most probable segmentations, best first."""
    paths: list[list[tuple[float, tuple[str, ...]]]] = [[(0.0, ())]]
    paths += [[] for _ in text]
    for start, end, score in scores.arcs(text):
        piece = text[start:end]
        paths[end] += [(total + score, (*path, piece)) for total, path in paths[start]]
        paths[end] = heapq.nlargest(n, paths[end], key=lambda found: found[0])
    return [(list(path), total) for total, path in paths[-1]]


# --8<-- [end:lattice]


# --8<-- [start:forward]
def log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b)), without overflow."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def forward(text: str, scores: Scores, inverse_heat: float = 1.0) -> list[float]:
    """At each place, the log-probability of the text before it, all ways together."""
    alpha = [0.0] + [-math.inf] * len(text)
    for start, end, score in scores.arcs(text):
        alpha[end] = log_add(alpha[end], alpha[start] + inverse_heat * score)
    return alpha


def sample(
    text: str, scores: Scores, draw: random.Random, inverse_heat: float = 1.0
) -> list[str]:
    """A segmentation drawn in proportion to its probability to the `inverse_heat`.

    Forward filtering, backward sampling: from the end, the last piece by its share.
    """
    alpha = forward(text, scores, inverse_heat)
    into = defaultdict(list)
    for start, end, score in scores.arcs(text):
        into[end].append((start, alpha[start] + inverse_heat * score))
    pieces, end = [], len(text)
    while end:
        starts = [start for start, _ in into[end]]
        shares = [math.exp(score - alpha[end]) for _, score in into[end]]
        start = draw.choices(starts, shares)[0]
        pieces.append(text[start:end])
        end = start
    return pieces[::-1]


# --8<-- [end:forward]


# --8<-- [start:em]
def seed_pieces(words: Counter[str], size: int) -> Scores:
    """All characters, and the `size` substrings that cover most of the text."""
    found: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + LONGEST_PIECE) + 1):
                if SPACE not in word[start + 1 : end]:
                    found[word[start:end]] += count
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    often = {piece: n * len(piece) for piece, n in found.items() if n > 1}
    best = heapq.nsmallest(size, often, key=lambda piece: (-often[piece], piece))
    weights = letters | {piece: often[piece] for piece in best}
    return from_counts(weights)


def from_counts(counts: Mapping[str, float]) -> Scores:
    """Scores from counts: the logarithm of each share."""
    total = math.log(sum(counts.values()))
    return Scores((piece, math.log(n) - total) for piece, n in counts.items() if n)


class Lattices:
    """The words of a corpus with all the pieces that fit them, for EM.

    Arcs are found once, not in every round; words are short, so that probabilities need
    no logarithms.
    """

    def __init__(self, words: Counter[str], scores: Scores) -> None:
        self.pieces = list(scores)
        number = {piece: n for n, piece in enumerate(self.pieces)}
        self.words = []
        for word, count in words.items():
            found = [
                (start, end, number[word[start:end]])
                for start, end, _ in scores.arcs(word)
            ]
            self.words.append((len(word), count, found))

    def expected_counts(self, probabilities: list[float]) -> tuple[list[float], float]:
        """How often each piece is used on average, and the text's log-probability.

        The E step: forward and backward over every word.
        """
        counts, total = [0.0] * len(self.pieces), 0.0
        for size, weight, found in self.words:
            alpha, beta = [1.0] + [0.0] * size, [0.0] * size + [1.0]
            for start, end, piece in found:
                alpha[end] += alpha[start] * probabilities[piece]
            share = weight / alpha[size]
            for start, end, piece in reversed(found):
                flow = probabilities[piece] * beta[end]
                beta[start] += flow
                counts[piece] += alpha[start] * flow * share
            total += weight * math.log(alpha[size])
        return counts, total


def maximize(counts: dict[str, float]) -> Scores:
    """The M step: pieces used less than half a time go; shares by digamma.

    The digamma function in place of the logarithm favours few pieces (a Bayesian
    estimate with a sparse prior), as in SentencePiece.
    """
    kept = {p: n for p, n in counts.items() if n >= 0.5 or len(p) == 1}
    total = digamma(sum(kept.values()))
    return Scores((piece, digamma(max(n, 0.5)) - total) for piece, n in kept.items())


def digamma(x: float) -> float:
    """The derivative of log Γ(x), by its recurrence and its asymptotic series."""
    shift = 0.0
    while x < 7:
        shift -= 1 / x
        x += 1
    y = 1 / (x * x)
    return shift + math.log(x) - 0.5 / x - y * (1 / 12 - y * (1 / 120 - y / 252))


# --8<-- [end:em]


# --8<-- [start:prune]
def prune(words: Counter[str], scores: Scores, size: int) -> Scores:
    """Keep all characters, and of the longer pieces those that would be missed most.

    Without a piece, its uses would be spelled by the next-best pieces; a piece that is
    not even the best way to write itself is not missed.
    """
    used: Counter[str] = Counter()
    for word, count in words.items():
        for piece in viterbi(word, scores)[0]:
            used[piece] += count
    total = sum(used.values())
    missed = {}
    for piece, score in scores.items():
        if len(piece) > 1 and used[piece]:
            spelled, other = viterbi(piece, scores, whole=False)
            if other <= score:
                missed[piece] = loss_without(piece, spelled, used, total)
    letters = [piece for piece in scores if len(piece) == 1]
    room = max(0, size - len(letters))
    best = heapq.nsmallest(room, missed, key=lambda piece: (-missed[piece], piece))
    return Scores((piece, scores[piece]) for piece in (*letters, *best))


def loss_without(
    piece: str, spelled: list[str], used: Counter[str], total: int
) -> float:
    """The log-probability that the text loses if other pieces spell this one."""
    count = used[piece]
    with_it = math.log(count / total)
    new_total = total + count * (len(spelled) - 1)
    without = sum(math.log((used[part] + count) / new_total) for part in spelled)
    return count * (with_it - without)


def learn_unigram(
    words: Counter[str], size: int, seeds: int = 1_000_000, shrink: float = 0.75
) -> Scores:
    """Learn `size` pieces: EM, prune, and again until the size is nearly reached.

    Raises ValueError if `size` has no room for the characters.
    """
    scores = seed_pieces(words, seeds)
    letters = [piece for piece in scores if len(piece) == 1]
    if size < len(letters):
        raise ValueError(f"size={size}: there are {len(letters)} different characters")
    while True:
        for _ in range(2):
            lattices = Lattices(words, scores)
            shares = [math.exp(score) for score in scores.values()]
            counts, _ = lattices.expected_counts(shares)
            scores = maximize(dict(zip(lattices.pieces, counts, strict=True)))
        if len(scores) <= 1.1 * size:
            break
        scores = prune(words, scores, max(int(1.1 * size), int(shrink * len(scores))))
    others = [piece for piece in scores if len(piece) > 1]
    best = heapq.nsmallest(
        size - len(letters), others, key=lambda piece: (-scores[piece], piece)
    )
    return Scores((piece, scores[piece]) for piece in (*letters, *best))


# --8<-- [end:prune]


# --8<-- [start:tokenizer]
class UnigramTokenizer:
    """Pieces with their scores; a piece's id is its place.

    `<unk>` must be among them. If all 256 pieces `<0x00>` to `<0xFF>` are, they spell
    what no piece does. Raises ValueError where a piece is empty or there twice, a score
    is no finite number, or if there is no piece but these.
    """

    def __init__(self, pieces: Iterable[tuple[str, float]]) -> None:
        self.pieces = list(pieces)
        names = check_names([piece for piece, _ in self.pieces], "piece")
        check_scores(self.pieces)
        self.ids = {piece: number for number, piece in enumerate(names)}
        if UNKNOWN_PIECE not in self.ids:
            raise ValueError(f"{UNKNOWN_PIECE} is not among the {len(names)} pieces")
        self.scores = Scores(
            (piece, score)
            for piece, score in self.pieces
            if piece not in (UNKNOWN_PIECE, *CONTROL) and not BYTE.fullmatch(piece)
        )
        self.byte_fallback = all(f"<0x{b:02X}>" in self.ids for b in range(256))

    @classmethod
    def train(
        cls, texts: str | Iterable[str], vocab_size: int, *, byte_fallback: bool = False
    ) -> "UnigramTokenizer":
        """Learn pieces from texts; `vocab_size` counts `<unk>` and the bytes too.

        Warns if the texts have fewer. Raises ValueError if they are empty, or if
        `vocab_size` has no room for their characters. Scores are rounded to 1/1024:
        sums of such numbers are exact, so ties are ties in every library.
        """
        words = count_pieces_of(texts)
        if not words:
            raise ValueError("the texts are empty: there is nothing to learn from")
        fixed = [UNKNOWN_PIECE]
        if byte_fallback:
            fixed += [f"<0x{byte:02X}>" for byte in range(256)]
        letters = len(set("".join(words)))
        check_size(vocab_size, {"fixed pieces": len(fixed), "characters": letters})
        scores = learn_unigram(words, vocab_size - len(fixed))
        if len(scores) + len(fixed) < vocab_size:
            found = f"{len(scores) + len(fixed)} pieces, not vocab_size={vocab_size}"
            warnings.warn(f"the texts have no more pieces: {found}", stacklevel=2)
        rounded = {piece: round(1024 * score) / 1024 for piece, score in scores.items()}
        best_first = sorted(rounded.items(), key=lambda item: (-item[1], item[0]))
        return cls([*((piece, 0.0) for piece in fixed), *best_first])

    def encode(self, text: str) -> list[int]:
        """The ids of the most probable segmentation."""
        return self.encode_normalized(normalize(text))

    def encode_normalized(self, text: str) -> list[int]:
        """The same for a text in which spaces are visible already."""
        return self._spell(viterbi(check_text(text), self.scores)[0])

    def _spell(self, pieces: list[str]) -> list[int]:
        """The ids of pieces; others become bytes, or one `<unk>` for a run of them."""
        ids: list[int] = []
        for piece in pieces:
            if piece in self.scores:
                ids.append(self.ids[piece])
            elif self.byte_fallback:
                ids += [self.ids[f"<0x{byte:02X}>"] for byte in piece.encode()]
            elif not ids or ids[-1] != self.ids[UNKNOWN_PIECE]:
                ids.append(self.ids[UNKNOWN_PIECE])
        return ids

    def encode_n_best(self, text: str, n: int) -> list[tuple[list[int], float]]:
        """The `n` most probable segmentations with their scores, best first."""
        found = n_best(normalize(text), self.scores, n)
        return [(self._spell(pieces), score) for pieces, score in found]

    def encode_sample(
        self, text: str, draw: random.Random, inverse_heat: float = 1.0
    ) -> list[int]:
        """A segmentation drawn at random (subword regularisation, section 3)."""
        ids: list[int] = []
        for word in split_at_spaces(normalize(text)):
            ids += self._spell(sample(word, self.scores, draw, inverse_heat))
        return ids

    def decode(self, ids: Iterable[SupportsIndex]) -> str:
        """The normalised text of the ids: a list, or an array or tensor with one axis.

        As SentencePiece decodes: control pieces are left out, and each byte that is in
        no character becomes U+FFFD. Raises ValueError for an id that is no piece's,
        TypeError for what is no id.
        """
        text, loose = "", bytearray()
        for number in checked_ids(ids, range(len(self.pieces))):
            piece = self.pieces[number][0]
            if byte := BYTE.fullmatch(piece):
                loose.append(int(byte[1], 16))
                continue
            text += characters(loose)
            loose.clear()
            if piece == UNKNOWN_PIECE:
                text += UNREADABLE
            elif piece not in CONTROL:
                text += (piece if text else piece.removeprefix(SPACE)).replace(
                    SPACE, " "
                )
        return text + characters(loose)

    def save(self, path: str | Path) -> None:
        """Write a `.vocab` as SentencePiece's: piece, tab, score; all or nothing."""
        write_lines(path, [f"{piece}\t{score!r}" for piece, score in self.pieces])

    @classmethod
    def load(cls, path: str | Path) -> "UnigramTokenizer":
        """Read a `.vocab`. Raises ValueError if it is none."""
        pieces = []
        try:
            text = read_utf8(path)
            for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
                piece, tab, score = line.rpartition("\t")
                if not tab:
                    raise ValueError(f"line {number} has no tab: {line[:40]!r}")
                pieces.append((piece, float(score)))
            return cls(pieces)
        except ValueError as error:
            raise ValueError(f"{path} is no unigram vocabulary: {error}") from error

    def to_hugging_face(self) -> "tokenizers.Tokenizer":
        """These pieces for 🤗 tokenizers; its `save` writes a `tokenizer.json`.

        Ids are equal, but for characters newer than that library's tables of Unicode,
        and where two segmentations differ by less than float32 can tell: sums are
        float64 there. Decoding shows `<unk>` and control pieces by their names, and a
        U+FFFD for each byte of a run that is not UTF-8. Raises ValueError where a piece
        would be taken for part of a control piece.
        """
        return unigram_to_hugging_face(self.pieces, self.scores, self.byte_fallback)


# --8<-- [end:tokenizer]


# --8<-- [start:words]
UNREADABLE = " \u2047 "  # how SentencePiece writes <unk>


def characters(loose: bytes | bytearray) -> str:
    """The text of some bytes, with U+FFFD for each that is in no character."""
    text = loose.decode(errors="surrogateescape")  # such a byte becomes half a pair
    return HALF.sub("\ufffd", text)


def count_pieces_of(texts: str | Iterable[str]) -> Counter[str]:
    """How often each word occurs in the texts, long ones cut."""
    words: Counter[str] = Counter()
    for text in check_texts(texts):
        for word in split_at_spaces(normalize(text)):
            for start in range(0, len(word), LONGEST_STRETCH):
                words[word[start : start + LONGEST_STRETCH]] += 1
    return words


def bits_per_character(text: str, scores: Scores) -> float:
    """The cost of a normalised text, all its segmentations together."""
    words = Counter(split_at_spaces(text))
    nats = sum(n * forward(word, scores)[-1] for word, n in words.items())
    return -nats / math.log(2) / len(text)


# --8<-- [end:words]
