"""Text from a trained model: choose a token, append it, again and again.

Axes: `B` rows, each a text of its own; `T` tokens, `V` vocabulary.
"""

# --8<-- [start:imports]
import codecs
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snippets.gpt import CharTokenizer
from snippets.mini_gpt.data import GPT2Tokenizer, Tokenizer, vocab_size_of
from snippets.mini_gpt.load import Trained
from snippets.mini_gpt.presets import AnyGPT
from snippets.modes import evaluating

# --8<-- [end:imports]


# --8<-- [start:sampling]
@dataclass(frozen=True)
class Sampling:
    """How a token is chosen from logits; as it stands, from all, as likely as they are.

    Raises ValueError for settings that make no sense.
    """

    temperature: float = 1.0  # 0: always the likeliest
    top_k: int | None = None  # of the k likeliest only
    top_p: float = 1.0  # of the likeliest that together have this probability

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:  # NaN too
            raise ValueError(f"temperature={self.temperature}: it must be 0 or more")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k={self.top_k}: it must be at least 1")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p}: it must be in (0, 1]")


# --8<-- [end:sampling]


# --8<-- [start:filters]
def scale(logits: Tensor, temperature: float) -> Tensor:
    """Logits (B, V) over a temperature above 0, with 0 as the largest of each row."""
    return (logits - logits.amax(dim=-1, keepdim=True)) / temperature


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """-inf for all but the k largest of each row of (B, V); ties with the k-th stay.

    Fan et al., "Hierarchical Neural Story Generation" (2018), section 5.4.
    """
    smallest = logits.topk(min(k, logits.size(-1))).values[:, -1:]  # (B, 1)
    return logits.masked_fill(logits < smallest, -math.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """-inf for all but the fewest that have probability p together, in each row.

    Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020), section 3.1.
    Shapes: (B, V) to (B, V). A token goes if those before it have p already.
    """
    ordered, places = logits.sort(dim=-1, descending=True)  # (B, V)
    odds = ordered.softmax(dim=-1)
    goes = odds.cumsum(dim=-1) - odds >= p  # the first never does: it has 0 before it
    goes = goes.scatter(-1, places, goes)  # from the order of size to that of ids
    return logits.masked_fill(goes, -math.inf)


def probabilities(logits: Tensor, sampling: Sampling) -> Tensor:
    """What is drawn from, (B, V), for a temperature above 0."""
    logits = scale(logits.float(), sampling.temperature)
    if sampling.top_k is not None:
        logits = keep_top_k(logits, sampling.top_k)
    if sampling.top_p < 1:
        logits = keep_top_p(logits, sampling.top_p)
    return logits.softmax(dim=-1)


def draw(
    logits: Tensor, sampling: Sampling, generators: Sequence[torch.Generator]
) -> list[int]:
    """An id for each row of logits (B, V), each from a generator of its own.

    So a row does not depend on its neighbours. Drawn on the CPU, for every device.
    Raises ValueError for logits that are not finite.
    """
    if not logits.isfinite().all():
        raise ValueError("the model's scores are not finite: its weights are broken")
    if sampling.temperature == 0:
        return logits.argmax(dim=-1).tolist()
    rows = probabilities(logits, sampling).cpu()
    pairs = zip(rows, generators, strict=True)
    return [int(torch.multinomial(row, 1, generator=own)) for row, own in pairs]


# --8<-- [end:filters]


# --8<-- [start:window]
def window_start(length: int, context: int) -> int:
    """From which token on the model sees a text of `length` tokens.

    From the first, while they fit. Then half a context is let go at once: with a cache,
    each token let go costs all the others, since their places change.
    """
    step = max(1, context // 2)
    return max(0, math.ceil((length - context) / step)) * step


class Reader:
    """A model that reads rows of equal length, and scores what comes next.

    With `cached`, what stays in the window is read once.
    """

    def __init__(self, model: AnyGPT, context: int, cached: bool) -> None:
        self.model, self.context, self.cached = model, context, cached
        self.device = model.token.weight.device
        self.caches = model.new_caches() if cached else None
        self.start, self.read = -1, 0

    def next_logits(self, rows: Sequence[Sequence[int]], length: int) -> Tensor:
        """Logits (B, V) after the first `length` ids of each row."""
        start = window_start(length, self.context)
        if start != self.start or not self.cached:
            self.caches = self.model.new_caches() if self.cached else None
            self.start, self.read = start, start
        new = [row[self.read : length] for row in rows]
        ids = torch.tensor(new, device=self.device)  # (B, T)
        self.read = length
        return self.model(ids, self.caches)[:, -1]


# --8<-- [end:window]


# --8<-- [start:generate]
@dataclass
class Row:
    """A text being written: its ids, the length where it ends, what it draws with."""

    ids: list[int]
    end: int
    generator: torch.Generator


@torch.inference_mode()
def generate_steps(
    model: AnyGPT,
    prompts: Sequence[Sequence[int]],
    n: int,
    sampling: Sampling = Sampling(),
    seed: int = 0,
    cached: bool = True,
    context: int | None = None,
    vocab_size: int | None = None,
    ends: Callable[[int, int], bool] | None = None,
) -> Iterator[list[int | None]]:
    """Continue each prompt by up to `n` tokens; yields the new id of each row.

    None where a row has no new one: while others with shorter prompts catch up, and
    after its end. Row r draws with the seed `seed + r`, so it does not depend on the
    others. It ends when `ends(r, id)` says so of a new id. Of each text the model sees
    `context` tokens; only ids below `vocab_size` are drawn. Raises ValueError for bad
    prompts and sizes.
    """
    context = check_request(model, prompts, n, context)
    rows = [
        Row(list(ids), len(ids) + n, torch.Generator().manual_seed(seed + r))
        for r, ids in enumerate(prompts)
    ]
    reader = Reader(model, context, cached)
    length = min(map(len, prompts))  # of what all rows have
    with evaluating(model):
        while any(length < row.end for row in rows):
            logits = reader.next_logits([row.ids for row in rows], length)
            yield write_next(rows, length, logits[:, :vocab_size], sampling, ends)
            length += 1


def write_next(
    rows: Sequence[Row],
    length: int,
    logits: Tensor,
    sampling: Sampling,
    ends: Callable[[int, int], bool] | None,
) -> list[int | None]:
    """Draw for the rows that have `length` ids; the others are in their prompts still.

    A row after its end repeats its last id, so that all rows stay equally long.
    """
    writing = [r for r, row in enumerate(rows) if len(row.ids) == length < row.end]
    drawn = draw(logits[writing], sampling, [rows[r].generator for r in writing])
    new = dict(zip(writing, drawn, strict=True))
    for r, row in enumerate(rows):
        if len(row.ids) == length:
            row.ids.append(new.get(r, row.ids[-1]))
        if r in new and ends and ends(r, new[r]):
            row.end = length + 1
    return [new.get(r) for r in range(len(rows))]


def check_request(
    model: AnyGPT, prompts: Sequence[Sequence[int]], n: int, context: int | None
) -> int:
    """The context to use; raises ValueError for prompts and sizes that cannot be."""
    most, V = model.config.context_length, model.config.vocab_size
    context = most if context is None else context
    if not 1 <= context <= most:
        raise ValueError(f"context={context}: the model was trained with 1 … {most}")
    if n < 0:
        raise ValueError(f"{n} tokens: there must be 0 or more")
    if not prompts or not all(map(len, prompts)):
        raise ValueError("a prompt is empty: give at least one token")
    for number in (number for prompt in prompts for number in prompt):
        if not 0 <= number < V:
            raise ValueError(f"id {number} in a prompt: ids lie in 0 … {V - 1}")
    return context


def generate_rows(
    model: AnyGPT,
    prompts: Sequence[Sequence[int]],
    n: int,
    *args: Any,
    **kwargs: Any,
) -> list[list[int]]:
    """The prompts, each with what `generate_steps` writes after it."""
    rows = [list(prompt) for prompt in prompts]
    for new in generate_steps(model, prompts, n, *args, **kwargs):
        for row, number in zip(rows, new, strict=True):
            if number is not None:
                row.append(number)
    return rows


# --8<-- [end:generate]


# --8<-- [start:text]
def token_bytes(tokenizer: Tokenizer, number: int) -> bytes:
    """The bytes of a token, which may be a part of a character."""
    if isinstance(tokenizer, CharTokenizer):
        return tokenizer.decode([number]).encode()
    if isinstance(tokenizer, GPT2Tokenizer):
        return tokenizer.encoding.decode_single_token_bytes(number)
    return tokenizer.decode_bytes([number])


class TextStream:
    """Ids that come one by one, as text, up to a stop text.

    Characters come out whole; what may be the beginning of a stop text is held back.
    """

    def __init__(self, tokenizer: Tokenizer, stops: Sequence[str] = ()) -> None:
        if not all(stops):
            raise ValueError("a stop text is empty: it would stop at once")
        self.tokenizer, self.stops = tokenizer, stops
        self.decoder = codecs.getincrementaldecoder("utf8")("replace")
        self.held, self.ended = "", False

    def feed(self, number: int) -> str:
        """The text that is sure now; sets `ended` where a stop text is complete."""
        self.held += self.decoder.decode(token_bytes(self.tokenizer, number))
        found = [at for stop in self.stops if (at := self.held.find(stop)) >= 0]
        if found:
            self.ended = True
            return self.release(min(found), rest=False)
        return self.release(len(self.held) - self.undecided())

    def undecided(self) -> int:
        """The length of the longest end of the held text that begins a stop text."""
        longest = min(len(self.held), max(map(len, self.stops), default=0))
        for size in range(longest, 0, -1):
            if any(stop.startswith(self.held[-size:]) for stop in self.stops):
                return size
        return 0

    def release(self, count: int, rest: bool = True) -> str:
        """The first characters of what is held; the rest is kept, or forgotten."""
        text, self.held = self.held[:count], self.held[count:] if rest else ""
        return text

    def close(self) -> str:
        """What was held back to the end."""
        if self.ended:
            return ""
        self.held += self.decoder.decode(b"", final=True)
        return self.release(len(self.held))


# --8<-- [end:text]


# --8<-- [start:stream]
def default_prompt(tokenizer: Tokenizer) -> str:
    """Where to start if nothing is asked: a new line, or else what there is."""
    if isinstance(tokenizer, CharTokenizer) and "\n" not in tokenizer.ids:
        return " " if " " in tokenizer.ids else tokenizer.characters[0]
    return "\n"


def stream_texts(
    trained: Trained,
    prompts: Sequence[str],
    n: int,
    sampling: Sampling,
    stops: Sequence[str] = (),
    **options: Any,
) -> Iterator[tuple[int, str]]:
    """Continue each prompt; yields a row and a piece of its text, as it is written.

    A row ends at a stop text, which is left out, and with GPT-2's tokens at the end of
    a text. Further options, and errors, as for `generate_steps`; ValueError too for
    characters that the vocabulary lacks.
    """
    tokenizer = trained.tokenizer
    if not all(prompts):
        raise ValueError("a prompt is empty: give at least one character")
    ids = [tokenizer.encode(prompt) for prompt in prompts]
    streams = [TextStream(tokenizer, stops) for _ in prompts]
    end = tokenizer.encoding.eot_token if isinstance(tokenizer, GPT2Tokenizer) else -1
    pieces: list[tuple[int, str]] = []

    def take(row: int, number: int) -> bool:
        if number != end:
            pieces.append((row, streams[row].feed(number)))
        return number == end or streams[row].ended

    options |= {"vocab_size": vocab_size_of(tokenizer), "ends": take}
    for _ in generate_steps(trained.model, ids, n, sampling, **options):
        yield from (piece for piece in pieces if piece[1])
        pieces.clear()
    yield from ((row, stream.close()) for row, stream in enumerate(streams))


def one_after_the_other(pieces: Iterator[tuple[int, str]], rows: int) -> Iterator[str]:
    """Pieces of several rows in order of rows; the first row comes as it is written."""
    waiting: list[list[str]] = [[] for _ in range(rows)]
    for row, text in pieces:
        if row == 0:
            yield text
        else:
            waiting[row].append(text)
    for row in range(1, rows):
        yield f"\n\n--- {row + 1} of {rows} ---\n"
        yield from waiting[row]


# --8<-- [end:stream]
