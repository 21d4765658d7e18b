"""The unigram tokenizer as 🤗 tokenizers has it."""

# --8<-- [start:conversion]
from typing import TYPE_CHECKING

from snippets.tokenizers.unigram import (
    BYTE,
    CONTROL,
    SPACE,
    UNKNOWN_PIECE,
    UnigramTokenizer,
)

if TYPE_CHECKING:
    import tokenizers

SPACES = "".join(c for c in map(chr, range(0x3001)) if c.isspace())


def unigram_to_hugging_face(
    tokenizer: UnigramTokenizer,
) -> "tokenizers.Tokenizer":
    """The same pieces and scores in 🤗 tokenizers."""
    from tokenizers import Regex, Tokenizer, decoders, models
    from tokenizers import normalizers as normal
    from tokenizers import pre_tokenizers as before

    unknown = tokenizer.ids[UNKNOWN_PIECE]
    model = models.Unigram(tokenizer.pieces, unknown, tokenizer.byte_fallback)
    theirs = Tokenizer(model)
    one_space = normal.Replace(Regex(f"[{SPACES}]+"), " ")
    front = [normal.Prepend(SPACE), normal.Replace(" ", SPACE)]
    theirs.normalizer = normal.Sequence(
        [normal.NFKC(), one_space, normal.Strip(), *front]
    )
    cuts = control_cuts(tokenizer)
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


def control_cuts(tokenizer: UnigramTokenizer) -> str:
    """A pattern for a place within the name of each control piece.

    🤗 tokenizers would take `<s>` in a text for the piece of that name. Cut in two, it
    is text. Raises ValueError where the cut would change other pieces, too.
    """
    cuts = []
    for name in (UNKNOWN_PIECE, *CONTROL):
        if name in tokenizer.ids:
            i = cut_place(tokenizer, name)
            cuts.append(f"(?<={name[:i]})(?={name[i:]})")
    if any(map(BYTE.fullmatch, tokenizer.ids)):
        i = cut_place(tokenizer, "<0x")
        cuts.append(f"(?<={'<0x'[:i]})(?={'<0x'[i:]}[0-9A-F]{{2}}>)")
    return "|".join(cuts)


def cut_place(tokenizer: UnigramTokenizer, name: str) -> int:
    """Where no piece reaches across, and no run of unknown characters."""
    scores = tokenizer.scores
    for i in range(1, len(name)):
        a, b = name[i - 1], name[i]
        known = tokenizer.byte_fallback or a in scores or b in scores
        if known and not any(a + b in piece for piece in scores):
            return i
    raise ValueError(f"a text with {name!r} would have other ids in 🤗 tokenizers")


# --8<-- [end:conversion]
