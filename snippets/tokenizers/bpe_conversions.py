"""Byte-level BPE as tiktoken, 🤗 tokenizers and GPT-2's files have it."""

# --8<-- [start:conversions]
import json
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import regex

from snippets.tokenizers import checks
from snippets.tokenizers.gpt2_bytes import printable, unprintable

if TYPE_CHECKING:
    import tiktoken
    import tokenizers

    from snippets.tokenizers.bpe import BPETokenizer, Merge


def without_special(
    vocab: Mapping[int, bytes], names: Iterable[str]
) -> tuple[dict[bytes, int], dict[str, int]]:
    """The ids of a vocabulary's tokens, and of its special tokens.

    Special tokens that it does not have get the next free ids.
    """
    checks.check_once([*vocab.values()], "token")
    ids, special = {token: number for number, token in vocab.items()}, {}
    free = count(max(vocab, default=-1) + 1)
    for name in checks.check_names(names, "special token"):
        number = ids.pop(name.encode(), None)
        special[name] = next(free) if number is None else number
    return ids, special


def check_merges(tokenizer: "BPETokenizer", merges: list["Merge"]) -> None:
    """Raise ValueError unless these are the merges of the tokenizer, in order."""
    try:
        found = tokenizer.merges
    except ValueError as error:
        raise ValueError(f"{error}: is it missing in special_tokens?") from error
    for number, (a, b) in enumerate(found):
        if merges[number : number + 1] != [(a, b)]:
            raise ValueError(
                f"the vocabulary has {a!r} + {b!r} as merge {number}, the merges have"
                f" {merges[number : number + 1]}: ids must rise in their order"
            )
    if len(merges) > len(found):
        a, b = merges[len(found)]
        raise ValueError(f"the vocabulary has no token for the merge {a!r} + {b!r}")


def read_vocab(path: str | Path) -> dict[int, bytes]:
    """The tokens of a `vocab.json` by id.

    Raises ValueError if it is none, or has a token or an id twice.
    """
    try:
        pairs = json.loads(checks.read_utf8(path), object_pairs_hook=list)
        if not isinstance(pairs, list) or not all(isinstance(p, tuple) for p in pairs):
            raise ValueError("not one object of tokens and their ids")
        checks.check_once([name for name, _ in pairs], "token")
        vocab = {checks.whole_number(n, "id"): token_of(name) for name, n in pairs}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is no vocabulary: {error}") from error
    if len(vocab) < len(pairs):
        raise ValueError(f"{path}: {len(pairs)} tokens have {len(vocab)} ids")
    return vocab


def read_merges(path: str | Path) -> list["Merge"]:
    """The pairs of a `merges.txt`. Raises ValueError for a line that is no pair."""
    lines = checks.read_utf8(path).removesuffix("\n").split("\n")
    first = lines[0].startswith("#version")
    merges = []
    for number, line in enumerate(lines[first:], 1 + first):
        parts = line.split(" ")
        if len(parts) != 2 or not all(parts):
            raise ValueError(f"{path}, line {number} is no pair of tokens: {line!r}")
        merges.append((token_of(parts[0]), token_of(parts[1])))
    return merges


def token_of(name: str) -> bytes:
    """The bytes that `printable` wrote so; other names as UTF-8, as special tokens."""
    try:
        return unprintable(name)
    except KeyError:
        return checks.check_text(name).encode()


def bpe_to_tiktoken(tokenizer: "BPETokenizer", name: str) -> "tiktoken.Encoding":
    """The same vocabulary in tiktoken."""
    import tiktoken

    return tiktoken.Encoding(
        name,
        pat_str=tokenizer.pattern,
        mergeable_ranks=tokenizer.ranks,
        special_tokens=tokenizer.special_tokens,
    )


def bpe_to_hugging_face(tokenizer: "BPETokenizer") -> "tokenizers.Tokenizer":
    """The same vocabulary in 🤗 tokenizers.

    Raises ValueError for tokens that no two others merge into, two special tokens of
    one id, a special token that has the name of another token there, and a pattern that
    would be read otherwise.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    vocab = {printable(token): rank for token, rank in tokenizer.ranks.items()}
    check_special_names(tokenizer.special_tokens, vocab)
    merges = [(printable(a), printable(b)) for a, b in tokenizer.merges]
    model = models.BPE(vocab | tokenizer.special_tokens, merges, ignore_merges=True)
    theirs = Tokenizer(model)
    pattern = Regex(oniguruma(tokenizer.pattern))
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    theirs.decoder = decoders.ByteLevel()
    theirs.add_special_tokens(list(tokenizer.special_tokens))
    return theirs


def check_special_names(special: Mapping[str, int], vocab: Mapping[str, int]) -> None:
    """Raise ValueError for special tokens that 🤗 tokenizers could not tell apart."""
    by_id: dict[int, str] = {}
    for name, number in special.items():
        if name in vocab:
            raise ValueError(
                f"the special token {name!r} has the name of another there"
            )
        if by_id.setdefault(number, name) != name:
            raise ValueError(
                f"{by_id[number]!r} and {name!r} share the id {number}: 🤗 tokenizers"
                " has one name for an id"
            )


# what both kinds of regular expressions read alike; a + behind {1,3} repeats it there
# and only forbids to step back here, and $ is the end of a line there
ALIKE = regex.compile(
    r"(?P<repeat>\{\d+(?:,\d*)?\})\+(?=\||$)|(?P<end>\$)"
    r"|\\[pP]\{\w+\}|\\[sSdrnt]|\\[^\w\s]"
    r"|\[(?:[^][\\&]|\\[pP]\{\w+\}|\\[sSdrnt]|\\[^\w\s])+\]"
    r"|\(\?(?:[:=!]|i:|<[=!])|[|)*+?]|\{\d+(?:,\d*)?\}(?!\+)|[^][(){}\\^$.*+?|]"
)


def oniguruma(pattern: str) -> str:
    """A pattern as the regular expressions of 🤗 tokenizers write it.

    Raises ValueError for a part that may mean something else there.
    """
    written, at = "", 0
    while at < len(pattern):
        found = ALIKE.match(pattern, at)
        if not found:
            raise ValueError(
                f"pattern {pattern!r}: {pattern[at : at + 8]!r} at {at} may mean"
                " something else in 🤗 tokenizers"
            )
        written += found["repeat"] or (r"\Z" if found["end"] else found[0])
        at = found.end()
    return written


# --8<-- [end:conversions]
