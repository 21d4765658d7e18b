"""WordPiece, the tokenizer of BERT.

Schuster and Nakajima 2012 (*Japanese and Korean Voice Search*, section 4), Wu et al.
2016 (arXiv:1609.08144, section 4.1). Google never published its trainer: the score used
here is the one that the Hugging Face Course gives (chapter 6, section 6).
"""

# --8<-- [start:imports]
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, SupportsIndex

from snippets.tokenizers.checks import (
    check_names,
    check_size,
    check_text,
    check_texts,
    checked_ids,
    read_utf8,
    write_lines,
)
from snippets.tokenizers.pair_index import PairIndex

if TYPE_CHECKING:
    import tokenizers

# --8<-- [start:names]
UNKNOWN = "[UNK]"
CONTINUES = "##"  # how a piece starts that continues a word
LONGEST_WORD = 100  # characters; longer words become [UNK]
# --8<-- [end:names]
# --8<-- [end:imports]


# --8<-- [start:words]
# --8<-- [start:split]
def bert_words(text: str, lowercase: bool = True) -> list[str]:
    """Words and punctuation marks, the way BERT splits a text.

    Control characters go. Chinese characters and punctuation marks are words of their
    own. With `lowercase`, accents go too, and each letter is lowered by itself: a Σ
    that ends a word becomes σ, as in 🤗 tokenizers, not ς.
    """
    text = "".join(map(_plain, check_text(text)))
    if lowercase:
        letters = unicodedata.normalize("NFD", text)
        text = "".join(c.lower() for c in letters if unicodedata.category(c) != "Mn")
    return "".join(f" {c} " if is_punctuation(c) else c for c in text).split()


def _plain(c: str) -> str:
    """The character as BERT reads it: nothing, a space, or itself."""
    if c in "\t\n\r":
        return " "
    if c == "\ufffd" or unicodedata.category(c) in ("Cc", "Cf", "Co"):
        return ""
    if unicodedata.category(c) == "Zs":
        return " "
    return f" {c} " if is_chinese(c) else c


# --8<-- [end:split]


# --8<-- [start:signs]
def is_punctuation(c: str) -> bool:
    """Unicode's punctuation, and every ASCII sign that is no letter, digit, space."""
    ascii_sign = (
        "!" <= c <= "/" or ":" <= c <= "@" or "[" <= c <= "`" or "{" <= c <= "~"
    )
    return ascii_sign or unicodedata.category(c)[0] == "P"


def is_chinese(c: str) -> bool:
    """The blocks of CJK ideographs that BERT names; neither kana nor hangul."""
    blocks = (
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F),
        (0x2B920, 0x2CEAF),
        (0xF900, 0xFAFF),
        (0x2F800, 0x2FA1F),
    )
    return any(first <= ord(c) <= last for first, last in blocks)


# --8<-- [end:signs]
# --8<-- [end:words]


# --8<-- [start:train]
def learn_pieces(
    words: Counter[str], vocab_size: int, min_frequency: int = 1
) -> list[str]:
    """The characters of the words, then the pieces made of them, in order.

    Merges the pair with the highest score f(ab) / (f(a) f(b)); of equals the more
    frequent, then the first in the alphabet. Stops early when no pair is left that
    occurs `min_frequency` times.
    """
    spelled = [[word[0], *(CONTINUES + c for c in word[1:])] for word in words]
    pieces = sorted({piece for word in spelled for piece in word})
    number = {piece: n for n, piece in enumerate(pieces)}
    weights = list(words.values())
    index = PairIndex([[number[p] for p in word] for word in spelled], weights)
    counts: Counter[int] = Counter()
    for word, weight in zip(index.words, weights, strict=True):
        counts.update({piece: weight * word.count(piece) for piece in set(word)})

    def rank(pair: tuple[int, int]) -> tuple[float, int, str, str]:
        first, second = pair
        score = index.counts[pair] / (counts[first] * counts[second])
        return -score, -index.counts[pair], pieces[first], pieces[second]

    while len(pieces) < vocab_size:
        pairs = [p for p, n in index.counts.items() if n >= min_frequency]
        if (pair := min(pairs, key=rank, default=None)) is None:
            break
        piece = pieces[pair[0]] + pieces[pair[1]].removeprefix(CONTINUES)
        if piece not in number:
            number[piece] = len(pieces)
            pieces.append(piece)
        merged = merge_and_count(index, pair, number[piece])
        counts[number[piece]] += merged
        counts[pair[0]] -= merged
        counts[pair[1]] -= merged
    return pieces


def merge_and_count(index: PairIndex, pair: tuple[int, int], new: int) -> int:
    """Merge the pair everywhere; returns how often that was."""
    places = list(index.places[pair])
    before = [len(index.words[place]) for place in places]
    index.merge(pair, new)
    return sum(
        (length - len(index.words[place])) * index.weights[place]
        for place, length in zip(places, before, strict=True)
    )


# --8<-- [end:train]


# --8<-- [start:encode]
# --8<-- [start:match]
def longest_match(word: str, vocabulary: dict[str, int]) -> list[str]:
    """The longest piece that starts the word, then that starts the rest, and so on.

    A word that cannot be spelled to its end is [UNK] as a whole.
    """
    pieces, start = [], 0
    while start < len(word) <= LONGEST_WORD:
        mark = CONTINUES if start else ""
        for end in range(len(word), start, -1):
            if mark + word[start:end] in vocabulary:
                pieces.append(mark + word[start:end])
                start = end
                break
        else:
            return [UNKNOWN]
    return pieces or [UNKNOWN]


# --8<-- [end:match]


# --8<-- [start:first]
class WordPieceTokenizer:
    """A vocabulary of pieces; a piece's id is its place.

    Raises ValueError if [UNK] is missing, if a piece is empty, or is there twice, and
    TypeError for one text in place of a list.
    """

    def __init__(self, pieces: Iterable[str], lowercase: bool = True) -> None:
        self.pieces, self.lowercase = check_names(pieces, "piece"), lowercase
        self.ids = {piece: number for number, piece in enumerate(self.pieces)}
        if UNKNOWN not in self.ids:
            raise ValueError(f"{UNKNOWN} is not among the {len(self.pieces)} pieces")

    def tokens(self, text: str) -> list[str]:
        """The pieces of a text."""
        words = bert_words(text, self.lowercase)
        return [piece for word in words for piece in longest_match(word, self.ids)]

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return [self.ids[piece] for piece in self.tokens(text)]

    def decode(self, ids: Iterable[SupportsIndex]) -> str:
        """The words with one space between; how the text was spaced is lost.

        `ids` is a list, or an array or tensor with one axis. Raises ValueError for an
        id that is no piece's, TypeError for what is no id.
        """
        numbers = checked_ids(ids, range(len(self.pieces)))
        return " ".join(self.pieces[number] for number in numbers).replace(
            f" {CONTINUES}", ""
        )

    # --8<-- [end:first]
    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        *,
        special_tokens: Iterable[str] = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]"),
        min_frequency: int = 1,
        lowercase: bool = True,
    ) -> "WordPieceTokenizer":
        """Learn pieces from texts; `vocab_size` counts the special tokens too.

        Warns if the texts give fewer. Raises ValueError if they give no word, or if
        `vocab_size` has no room for the special tokens and the characters.
        """
        special = check_names(special_tokens, "special token")
        words = Counter(
            word for text in check_texts(texts) for word in bert_words(text, lowercase)
        )
        if not words:
            raise ValueError("the texts are empty: there is nothing to learn from")
        parts = {
            "special tokens": len(special),
            "characters": len(learn_pieces(words, 0)),
        }
        check_size(vocab_size, parts)
        learned = learn_pieces(words, vocab_size - len(special), min_frequency)
        if (found := len(learned) + len(special)) < vocab_size:
            message = f"no pair is left: {found} pieces, not vocab_size={vocab_size}"
            warnings.warn(message, stacklevel=2)
        return cls([*special, *learned], lowercase)

    def save(self, path: str | Path) -> None:
        """Write a `vocab.txt` as BERT's: a piece on each line; all or nothing."""
        write_lines(path, self.pieces)

    @classmethod
    def load(cls, path: str | Path, lowercase: bool = True) -> "WordPieceTokenizer":
        """Read a `vocab.txt`. Raises ValueError if it is none."""
        try:
            text = read_utf8(path)
            return cls(text.removesuffix("\n").split("\n"), lowercase)
        except ValueError as error:
            raise ValueError(f"{path} is no WordPiece vocabulary: {error}") from error

    def to_hugging_face(self) -> "tokenizers.Tokenizer":
        """This vocabulary for 🤗 tokenizers; its `save` writes a `tokenizer.json`.

        Ids are equal, but for characters that are newer than that library's tables of
        Unicode: it takes a new accent or punctuation mark for a letter.
        """
        from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

        model = models.WordPiece(
            self.ids, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD
        )
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=self.lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece(prefix=CONTINUES, cleanup=False)
        return tokenizer


# --8<-- [end:encode]
