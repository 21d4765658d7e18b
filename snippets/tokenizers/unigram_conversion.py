"""The unigram tokenizer as 🤗 tokenizers has it."""

# --8<-- [start:conversion]
from collections.abc import Collection
from typing import TYPE_CHECKING

from snippets.tokenizers.sentencepiece_names import (
    BYTE,
    CONTROL,
    SPACE,
    UNKNOWN_PIECE,
)

if TYPE_CHECKING:
    import tokenizers

SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace())


def unigram_to_hugging_face(
    pieces: list[tuple[str, float]], spelling: Collection[str], byte_fallback: bool
) -> "tokenizers.Tokenizer":
    """Pieces and scores in 🤗 tokenizers; `spelling` are those that spell texts."""
    from tokenizers import Regex, Tokenizer, decoders, models
    from tokenizers import normalizers as normal
    from tokenizers import pre_tokenizers as before

    names = [piece for piece, _ in pieces]
    unknown = names.index(UNKNOWN_PIECE)
    theirs = Tokenizer(models.Unigram(pieces, unknown, byte_fallback))
    one_space = normal.Replace(Regex(f"[{SPACES}]+"), " ")
    front = [normal.Prepend(SPACE), normal.Replace(" ", SPACE)]
    theirs.normalizer = normal.Sequence(
        [normal.NFKC(), one_space, normal.Strip(), *front]
    )
    cuts = control_cuts(names, spelling, byte_fallback)
    theirs.pre_tokenizer = before.Split(Regex(cuts), "isolated")
    theirs.decoder = decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1 << 30, 0),
        ]
    )
    return theirs


def control_cuts(
    names: Collection[str], spelling: Collection[str], byte_fallback: bool
) -> str:
    """A pattern for a place within the name of each control piece.

    🤗 tokenizers would take `<s>` in a text for the piece of that name. Cut in two, it
    is text. Raises ValueError where the cut would change other pieces, too.
    """
    cuts = []
    for name in (UNKNOWN_PIECE, *CONTROL):
        if name in names:
            i = cut_place(name, spelling, byte_fallback)
            cuts.append(f"(?<={name[:i]})(?={name[i:]})")
    if any(map(BYTE.fullmatch, names)):
        i = cut_place("<0x", spelling, byte_fallback)
        cuts.append(f"(?<={'<0x'[:i]})(?={'<0x'[i:]}[0-9A-F]{{2}}>)")
    return "|".join(cuts)


def cut_place(name: str, spelling: Collection[str], byte_fallback: bool) -> int:
    """Where no piece reaches across, and no run of unknown characters."""
    for i in range(1, len(name)):
        a, b = name[i - 1], name[i]
        known = byte_fallback or a in spelling or b in spelling
        if known and not any(a + b in piece for piece in spelling):
            return i
    raise ValueError(f"a text with {name!r} would have other ids in 🤗 tokenizers")


# --8<-- [end:conversion]
