"""Byte-level BPE as tiktoken, 🤗 tokenizers and GPT-2's files have it."""

# --8<-- [start:conversions]
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import regex

from snippets.tokenizers.checks import (
    check_names,
    check_once,
    read_utf8,
    whole_number,
)

if TYPE_CHECKING:
    import tokenizers


def without_special(
    vocab: Mapping[int, bytes], names: Iterable[str]
) -> tuple[dict[bytes, int], dict[str, int]]:
    """The ids of a vocabulary's tokens, and of its special tokens.

    Special tokens that it does not have get the next free ids.
    """
    check_once([*vocab.values()], "token")
    ids, special = {token: number for number, token in vocab.items()}, {}
    free = itertools.count(max(vocab, default=-1) + 1)
    for name in check_names(names, "special token"):
        number = ids.pop(name.encode(), None)
        special[name] = next(free) if number is None else number
    return ids, special


def check_merges(
    merges: list[tuple[bytes, bytes]], found: list[tuple[bytes, bytes]]
) -> None:
    """Raise ValueError unless the merges are those found in their vocabulary."""
    for number, (a, b) in enumerate(found):
        if merges[number : number + 1] != [(a, b)]:
            raise ValueError(
                f"the vocabulary has {a!r} + {b!r} as merge {number}, the merges have"
                f" {merges[number : number + 1]}: ids must rise in their order"
            )
    if len(merges) > len(found):
        a, b = merges[len(found)]
        raise ValueError(f"the vocabulary has no token for the merge {a!r} + {b!r}")


def read_vocab(path: str | Path) -> dict[int, str]:
    """The tokens of a `vocab.json` by id, as written there.

    Raises ValueError if it is none, or has a token or an id twice.
    """
    try:
        pairs = json.loads(read_utf8(path), object_pairs_hook=list)
        if not isinstance(pairs, list) or not all(isinstance(p, tuple) for p in pairs):
            raise ValueError("not one object of tokens and their ids")
        check_once([name for name, _ in pairs], "token")
        vocab = {whole_number(n, "id"): name for name, n in pairs}
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is no vocabulary: {error}") from error
    if len(vocab) < len(pairs):
        raise ValueError(f"{path}: {len(pairs)} tokens have {len(vocab)} ids")
    return vocab


def read_merges(path: str | Path) -> list[tuple[str, str]]:
    """The pairs of a `merges.txt`, as written there.

    Raises ValueError for a line that is no pair.
    """
    lines = read_utf8(path).removesuffix("\n").split("\n")
    first = lines[0].startswith("#version")
    merges = []
    for number, line in enumerate(lines[first:], 1 + first):
        parts = line.split(" ")
        if len(parts) != 2 or not all(parts):
            raise ValueError(f"{path}, line {number} is no pair of tokens: {line!r}")
        merges.append((parts[0], parts[1]))
    return merges


def bpe_to_hugging_face(
    vocab: dict[str, int],
    merges: list[tuple[str, str]],
    special: dict[str, int],
    pattern: str,
) -> "tokenizers.Tokenizer":
    """A byte-level BPE in 🤗 tokenizers, from tokens in their printable form.

    Raises ValueError for two special tokens of one id, a special token that has the
    name of another token, and a pattern that would be read otherwise there.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    check_special_names(special, vocab)
    theirs = Tokenizer(models.BPE(vocab | special, merges, ignore_merges=True))
    split = pre_tokenizers.Split(Regex(oniguruma(pattern)), "isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    theirs.pre_tokenizer = pre_tokenizers.Sequence([split, as_bytes])
    theirs.decoder = decoders.ByteLevel()
    theirs.add_special_tokens(list(special))
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
