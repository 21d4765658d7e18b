"""Text as ids on the disk, and batches of windows from it.

A text is read in pieces, so it may be larger than memory, and encoded once, into a file
of unsigned integers that is mapped into memory: the operating system reads the parts
that are asked for, and all processes share them.
"""

# --8<-- [start:imports]
import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import tiktoken
import torch
from torch import Tensor

from snippets.corpus import load_text
from snippets.files import naming_file, write_whole
from snippets.gpt import CharTokenizer
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.checks import check_text, checked_ids

# --8<-- [end:imports]


# --8<-- [start:tokenizers]
class GPT2Tokenizer:
    """GPT-2's vocabulary, by `tiktoken`, which downloads it once.

    Raises ConnectionError where it cannot.
    """

    def __init__(self) -> None:
        try:
            self.encoding = tiktoken.get_encoding("gpt2")
        except OSError as error:  # those of `requests` are, too
            raise ConnectionError(
                f"could not download the vocabulary of GPT-2 ({error}): go online once,"
                " or take --tokenizer char or bpe"
            ) from error

    def encode(self, text: str) -> list[int]:
        """The ids of a text; what looks like a special token is taken as text."""
        return self.encoding.encode_ordinary(check_text(text))

    def decode(self, ids: Iterable[SupportsIndex]) -> str:
        """The text of the ids; errors as from the book's own tokenizers."""
        return self.encoding.decode(checked_ids(ids, range(self.encoding.n_vocab)))


Tokenizer = CharTokenizer | BPETokenizer | GPT2Tokenizer
TOKENIZERS = ("char", "bpe", "gpt2")


def make_tokenizer(kind: str, text: str, vocab_size: int = 512) -> Tokenizer:
    """A tokenizer for a text: its characters, merges learned from it, or GPT-2's.

    `vocab_size` counts for `bpe` only, which has a token for each of 256 bytes. Raises
    ValueError for an unknown kind, and for a smaller vocabulary.
    """
    if kind == "char":
        return CharTokenizer(text)
    if kind == "bpe" and vocab_size < 256:
        raise ValueError(f"vocab_size={vocab_size}: the 256 bytes alone need 256")
    if kind == "bpe":
        return BPETokenizer.train(text, vocab_size)
    if kind == "gpt2":
        return GPT2Tokenizer()
    raise ValueError(f"no tokenizer {kind!r}: there are {', '.join(TOKENIZERS)}")


def vocab_size_of(tokenizer: Tokenizer) -> int:
    """How many different ids a tokenizer gives."""
    if isinstance(tokenizer, CharTokenizer):
        return len(tokenizer.characters)
    if isinstance(tokenizer, GPT2Tokenizer):
        return tokenizer.encoding.n_vocab
    return tokenizer.vocab_size


def tokenizer_state(tokenizer: Tokenizer) -> dict[str, Any]:
    """A tokenizer as plain values, for a checkpoint."""
    if isinstance(tokenizer, CharTokenizer):
        return {"kind": "char", "characters": "".join(tokenizer.characters)}
    if isinstance(tokenizer, GPT2Tokenizer):
        return {"kind": "gpt2"}
    tokens = sorted(tokenizer.ranks, key=tokenizer.ranks.__getitem__)
    return {"kind": "bpe", "tokens": [base64.b64encode(t).decode() for t in tokens]}


def tokenizer_from(state: dict[str, Any]) -> Tokenizer:
    """The tokenizer that a checkpoint was trained with."""
    if state["kind"] == "char":
        return CharTokenizer(state["characters"])
    if state["kind"] == "gpt2":
        return GPT2Tokenizer()
    tokens = [base64.b64decode(token) for token in state["tokens"]]
    return BPETokenizer({token: rank for rank, token in enumerate(tokens)})


# --8<-- [end:tokenizers]


# --8<-- [start:text]
PIECE = 2**20  # characters that are read at once
LEARN_FROM = 2**26  # characters that a tokenizer learns from, at most


@dataclass(frozen=True)
class TextFacts:
    """What is known of a text after reading it once."""

    length: int  # characters
    digest: str
    characters: str  # each once, in order


def read_pieces(name: str) -> Iterator[str]:
    """A text, `name` as for `load_text`, whose errors are raised, in pieces."""
    path = Path(name)
    if name in ("tales", "shakespeare") or not path.is_file():
        text = load_text(name)
        yield from (text[at : at + PIECE] for at in range(0, len(text), PIECE))
        return
    try:
        with path.open(encoding="utf-8-sig") as file:  # without a byte-order mark
            while piece := file.read(PIECE):
                yield piece
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from error


def read_facts(name: str) -> TextFacts:
    """Length, digest and characters of a text; raises ValueError if it is empty."""
    length, digest, characters = 0, hashlib.sha256(), set[str]()
    for piece in read_pieces(name):
        length += len(piece)
        digest.update(piece.encode())
        characters.update(piece)
    if not length:
        raise ValueError(f"the text {name!r} is empty: give a file with some text")
    return TextFacts(length, digest.hexdigest(), "".join(sorted(characters)))


def read_part(name: str, start: int, end: int) -> Iterator[str]:
    """The characters from `start` to before `end`, in pieces that end with a word.

    So encoding the pieces gives the ids of the whole.
    """
    place, held = 0, ""
    for piece in read_pieces(name):
        held += piece[max(0, start - place) : max(0, end - place)]
        place += len(piece)
        if cut := last_cut(held):
            yield held[:cut]
            held = held[cut:]
    yield held


def last_cut(text: str) -> int:
    """The last place where a space follows a word; 0 if there is none.

    No tokenizer here joins what is before such a place with what is after it.
    """
    at = text.rfind(" ")
    while at > 0 and text[at - 1].isspace():
        at = text.rfind(" ", 0, at)
    return max(at, 0)


# --8<-- [end:text]


# --8<-- [start:split]
@dataclass(frozen=True)
class Split:
    """The ids of a part of the text, (N,)."""

    ids: np.ndarray


@dataclass(frozen=True)
class Corpus:
    """What a model learns from, what it is checked on, and how ids become text."""

    train: Split
    validation: Split
    tokenizer: Tokenizer
    digest: str  # of the text: a run goes on with the text it began with


def load_corpus(
    name: str,
    kind: str,
    folder: Path,
    vocab_size: int = 512,
    state: dict[str, Any] | None = None,
    digest: str | None = None,
) -> Corpus:
    """Read a text, the first 90 % for training, the rest for validation.

    `name` as for `load_text`. With `state` its tokenizer is used, else a new one is
    made, from the training part; `char` takes the characters of the whole text, so that
    the rest can be encoded. The ids are kept in `folder`. Raises what `load_text`
    raises, ValueError for an empty text, and for one with another digest than the one
    given, and OSError where ids cannot be written.
    """
    facts = read_facts(name)
    if digest and digest != facts.digest:
        raise ValueError(
            f"the text has changed: {name!r} is not what the run began with"
        )
    cut = int(0.9 * facts.length)
    if state:
        tokenizer = tokenizer_from(state)
    elif kind == "char":
        tokenizer = CharTokenizer(facts.characters)
    else:
        learned = "".join(read_part(name, 0, min(cut, LEARN_FROM)))
        tokenizer = make_tokenizer(kind, learned, vocab_size)
    folder.mkdir(parents=True, exist_ok=True)
    train, validation = (
        Split(
            mapped(read_part(name, *part), f"{facts.digest} {part}", tokenizer, folder)
        )
        for part in ((0, cut), (cut, facts.length))
    )
    return Corpus(train, validation, tokenizer, facts.digest)


def mapped(
    pieces: Iterable[str], name: str, tokenizer: Tokenizer, folder: Path
) -> np.ndarray:
    """The ids of a text, (N,), as a file mapped into memory; made if it is not there.

    `name` tells the text from all others. Two bytes an id, or four where the vocabulary
    needs them; of the text only one piece at a time is in memory.
    """
    of = hashlib.sha256(f"{tokenizer_state(tokenizer)}\n{name}".encode()).hexdigest()
    dtype = np.uint16 if vocab_size_of(tokenizer) <= 2**16 else np.uint32
    path = folder / f"{of[:16]}.bin"
    if not path.is_file():
        encoded = (np.array(tokenizer.encode(piece), dtype) for piece in pieces)
        write_ids(path, encoded)
    if not path.stat().st_size:  # nothing to map
        return np.empty(0, dtype)
    return np.memmap(path, dtype, mode="r")


def write_ids(path: Path, pieces: Iterable[np.ndarray]) -> None:
    """Write a file that appears under its name only when all of it is on the disk."""
    with naming_file(path):
        write_whole(path, lambda file: file.writelines(ids.tobytes() for ids in pieces))


# --8<-- [end:split]


# --8<-- [start:windows]
def windows(ids: np.ndarray, starts: Tensor, T: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets (B, T) from each of some places (B,): shifted by one."""
    rows = np.stack([ids[start : start + T + 1] for start in starts.tolist()])
    both = torch.from_numpy(rows.astype(np.int64))  # (B, T + 1)
    return both[:, :-1], both[:, 1:]


class RandomWindows:
    """Endless random batches; several processes share each of them.

    All processes draw the same `batch_size` places, and each takes its own rows: the
    total batch does not depend on how many there are. Raises ValueError for a text
    without a window, and for a batch that does not divide.
    """

    def __init__(
        self, ids: np.ndarray, batch_size: int, T: int, seed: int, rank: int, world: int
    ) -> None:
        check_length(ids, T, "training")
        if batch_size % world:
            raise ValueError(
                f"batch_size={batch_size} does not divide by {world} processes"
            )
        self.ids, self.batch_size, self.T = ids, batch_size, T
        self.rank, self.world = rank, world
        self.generator = torch.Generator().manual_seed(seed)

    def next(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of this process, each (batch_size / world, T)."""
        places = len(self.ids) - self.T
        starts = torch.randint(places, (self.batch_size,), generator=self.generator)
        return windows(self.ids, starts[self.rank :: self.world], self.T)


def check_length(ids: np.ndarray, T: int, part: str) -> None:
    """Raise ValueError for a part of the text without a window: T inputs, T targets."""
    if len(ids) < T + 1:
        raise ValueError(
            f"the {part} text has {len(ids)} ids, and a window takes {T + 1}: give more"
            " text or a smaller --context-length"
        )


def whole_text(
    ids: np.ndarray, batch_size: int, T: int, most: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows side by side over a whole text: each id but the first is a target once.

    Of a text with more than `most` targets, as many windows as fit into them, at equal
    distances. Yields inputs and targets (B, T), the last ones smaller.
    """
    n, rest = divmod(len(ids) - 1, T)  # whole windows, and what is left
    starts = torch.arange(n) * T
    if most is not None and len(ids) - 1 > most:
        count, rest = max(1, most // T), 0
        starts = torch.arange(count) * n // count * T
    for some in starts.split(batch_size):
        yield windows(ids, some, T)
    if rest:
        yield windows(ids, torch.tensor([n * T]), rest)


# --8<-- [end:windows]
