"""Byte-level byte-pair encoding, as in GPT-2 and its successors.

Byte-pair encoding: Sennrich et al. 2016 (arXiv:1508.07909, Algorithm 1). On bytes,
after a split into words: Radford et al. 2019 (*Language Models are Unsupervised
Multitask Learners*, section 2.2).
"""

# --8<-- [start:imports]
import base64
import json
import warnings
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from snippets.files import write_whole
from snippets.tokenizers.bpe_conversions import (
    bpe_to_hugging_face,
    check_merges,
    read_merges,
    read_vocab,
    without_special,
)
from snippets.tokenizers.bpe_encoding import NEVER, BPEEncoder
from snippets.tokenizers.bpe_training import Merge, Ties, learn_merges, rank_tokens
from snippets.tokenizers.bpe_words import (
    GPT2_PATTERN,
    count_words,
    printable,
    unprintable,
)
from snippets.tokenizers.checks import check_names, check_once, check_size, read_utf8

if TYPE_CHECKING:
    import tiktoken
    import tokenizers
# --8<-- [end:imports]


# --8<-- [start:tokenizer]
FORMAT = "daybook-bpe-1"


# --8<-- [start:first]
class BPETokenizer(BPEEncoder):
    """Byte-level BPE that is learned, kept in files, and handed to other libraries.

    Made from a vocabulary, as its parent is.
    """

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

    # --8<-- [end:first]
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
