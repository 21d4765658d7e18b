"""Pretrain a small BERT on the book's tales, and keep a record of the run.

    python -m snippets.bert_pretrain

writes `bert-tales.pt` (the weights in half precision, and the vocabulary) and
`bert-tales.json` (the command, seed, date, data and curve of the run).
"""

import argparse
import hashlib
import io
import json
import random
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from snippets.attention import MultiHeadAttention
from snippets.bert import (
    BUCKETS,
    NOT_CHOSEN,
    PAD,
    SPECIAL,
    BertConfig,
    BertForPreTraining,
    Pair,
    WordTokenizer,
    batch_of,
    draw_pair,
    mask_tokens,
    pretraining_loss,
    split_somewhere,
)
from snippets.corpus import Tale, load_text, tales
from snippets.data import read_data
from snippets.files import write_whole
from snippets.modes import evaluating
from snippets.transformer import sinusoidal_positions

# --8<-- [start:split]
VOCAB_SIZE = 2000
CONTEXT = 128
HELD_OUT = 7  # every seventh tale is for evaluation only; places take turns by fours


def split_tales() -> tuple[list[Tale], list[Tale]]:
    """The tales to learn from, and those held out."""
    every = tales()
    learn = [tale for number, tale in enumerate(every) if number % HELD_OUT]
    return learn, every[::HELD_OUT]


def encode_tales(some: list[Tale], tokenizer: WordTokenizer) -> list[list[list[int]]]:
    """Each tale as a document of sentences of ids."""
    return [[tokenizer.encode(s) for s in tale.sentences] for tale in some]


# --8<-- [end:split]


# --8<-- [start:evaluate]
@torch.no_grad()
def evaluate(
    model: BertForPreTraining, documents: list[list[list[int]]], pairs: int = 512
) -> dict[str, float]:
    """Loss and accuracy of both tasks, on the same pairs and masks at each call."""
    draw, generator = random.Random(1), torch.Generator().manual_seed(1)
    found = {"mlm_loss": 0.0, "mlm_accuracy": 0.0, "nsp_accuracy": 0.0}
    asked = 0
    for _ in range(pairs // 64):
        drawn = [draw_pair(documents, CONTEXT - 3, draw) for _ in range(64)]
        ids, segments, is_next = batch_of(drawn, CONTEXT)
        inputs, labels = mask_tokens(ids, model.config.vocab_size, generator=generator)
        chosen = labels != NOT_CHOSEN
        with evaluating(model):
            words, following = model(inputs, segments, ids != PAD, chosen)
        true = labels[chosen]
        found["mlm_loss"] += F.cross_entropy(words, true, reduction="sum").item()
        found["mlm_accuracy"] += (words.argmax(dim=-1) == true).sum().item()
        asked += len(true)
        right = (following.argmax(dim=-1) == 0) == is_next
        found["nsp_accuracy"] += right.sum().item()
    found["mlm_loss"] /= asked
    found["mlm_accuracy"] /= asked
    found["nsp_accuracy"] /= pairs // 64 * 64
    return found


# --8<-- [end:evaluate]


# --8<-- [start:pairs]
EASY = 0.5  # for this part of the steps, second pieces repeat some of the first
COMMON = 300  # words that always keep their ids
RENAMED = 0.3  # of the rows have other ids for all other words


def balanced_pairs(
    documents: list[list[list[int]]], pairs: int, progress: float, draw: random.Random
) -> list[Pair]:
    """Half of the pairs true, half false, of the same pieces.

    Each second piece comes once after its own first piece and once after another's:
    what it says alone is no hint. `progress` runs from 0 to 1. In the beginning the
    second piece is the first one over again; step by step it moves on, until it
    follows.
    """
    cuts = []
    for number in draw.sample(range(len(documents)), pairs // 2):
        first, second = split_somewhere(documents[number], (CONTEXT - 3) // 2, draw)
        start = int(min(1.0, progress / EASY) * len(first))
        cuts.append((first, (first + second)[start : start + len(second)]))
    true = [Pair(first, second, True) for first, second in cuts]
    false = [Pair(first, cuts[n - 1][1], False) for n, (first, _) in enumerate(cuts)]
    return true + false


def rename(
    ids: Tensor, vocab_size: int, generator: torch.Generator | None = None
) -> Tensor:
    """Exchange the ids of words, within each row the same way. Shape (B, T).

    In some rows all but the common words are exchanged, in all others those that have
    no id of their own. Then it does not help to know which words a tale is made of;
    what helps is to see that a word comes back.
    """
    B, own = len(ids), len(SPECIAL) + BUCKETS
    every = torch.arange(vocab_size, device=ids.device)
    unknown = every[len(SPECIAL) : own]
    rare = torch.cat([unknown, every[own + COMMON :]])
    few, many = every.repeat(B, 1), every.repeat(B, 1)  # (B, V): the new id of each
    on: dict[str, Any] = {"device": ids.device, "generator": generator}
    for new, exchanged in ((few, unknown), (many, rare)):
        order = torch.rand(B, len(exchanged), **on).argsort(dim=1)
        new[:, exchanged] = exchanged[order]
    return torch.where(torch.rand(B, 1, **on) < RENAMED, many, few).gather(1, ids)


# --8<-- [end:pairs]


# --8<-- [start:step]
def training_loss(
    model: BertForPreTraining,
    ids: Tensor,
    segments: Tensor,
    is_next: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The loss of a batch under fresh masks; only chosen positions are scored."""
    inputs, labels = mask_tokens(ids, model.config.vocab_size, generator=generator)
    chosen = labels != NOT_CHOSEN
    words, following = model(inputs, segments, ids != PAD, chosen)
    return pretraining_loss(words, following, labels[chosen], is_next)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over a tenth of the steps, then linear decay (appendix A.2)."""
    warm = max(1, steps // 10)
    return peak * min((step + 1) / warm, (steps - step) / (steps - warm + 1))


# --8<-- [end:step]


# --8<-- [start:small]
class FusedAttention(MultiHeadAttention):
    """The same layer, with PyTorch's fused attention: as day 3 shows, it is equal."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let all heads attend at once, and mix what they found."""
        mixed = F.scaled_dot_product_attention(*self.project(x), attn_mask=mask)
        return self.join(mixed)


def new_model(vocab_size: int) -> BertForPreTraining:
    """A small BERT whose near positions start out alike: there is little data."""
    config = BertConfig(vocab_size, CONTEXT, 64, 4, 2, 256, dropout=0.0, init_std=0.07)
    model = BertForPreTraining(config)
    with torch.no_grad():
        table = sinusoidal_positions(CONTEXT, config.d_model)
        table *= 0.5 * config.init_std / table.std()  # half as large as the words
        model.bert.embeddings.position.weight.copy_(table)
    for block in model.bert.blocks:
        fused = FusedAttention(config.d_model, config.n_heads)
        fused.load_state_dict(block.get_submodule("attention").state_dict())
        block.attention = fused
    return model


# --8<-- [end:small]


# --8<-- [start:pretrain]
def pretrain(
    steps: int, seed: int, every: int = 250, peak: float = 3e-3, pairs: int = 64
) -> tuple[BertForPreTraining, WordTokenizer, list[dict[str, float]]]:
    """Train from scratch; returns the model, its vocabulary and its curve."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    learn, held_out = split_tales()
    texts = [" ".join(tale.sentences) for tale in learn]
    tokenizer = WordTokenizer.train(texts, VOCAB_SIZE)
    documents = encode_tales(learn, tokenizer)
    unseen = encode_tales(held_out, tokenizer)
    model = new_model(len(tokenizer.words))
    optimizer = torch.optim.AdamW(model.parameters(), peak, weight_decay=0.01)
    curve, started = [], time.process_time()
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            seconds = round(time.process_time() - started, 1)
            curve.append({"step": step, "seconds": seconds, **evaluate(model, unseen)})
            print(json.dumps(curve[-1]), flush=True)
        if step == steps:
            break
        optimizer.param_groups[0]["lr"] = learning_rate(step, steps, peak)
        drawn = balanced_pairs(documents, pairs, step / steps, draw)
        ids, segments, is_next = batch_of(drawn, CONTEXT)
        ids = rename(ids, model.config.vocab_size)
        loss = training_loss(model, ids, segments, is_next)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model, tokenizer, curve


# --8<-- [end:pretrain]


# --8<-- [start:save]
def save(
    folder: Path,
    model: BertForPreTraining,
    tokenizer: WordTokenizer,
    record: dict[str, Any],
) -> None:
    """Write both files; each appears complete or not at all."""
    weights = {name: value.half() for name, value in model.state_dict().items()}
    kept = {
        "config": asdict(model.config),
        "words": tokenizer.own_words,
        "model": weights,
    }
    text = json.dumps(record, indent=1) + "\n"
    write_whole(folder / "bert-tales.pt", lambda file: torch.save(kept, file))
    write_whole(folder / "bert-tales.json", lambda file: file.write(text.encode()))


# --8<-- [end:save]


# --8<-- [start:load]
def load_pretrained() -> tuple[BertForPreTraining, WordTokenizer]:
    """The model that comes with the book, ready to use, and its vocabulary."""
    kept = torch.load(io.BytesIO(read_data("bert-tales.pt")), weights_only=True)
    model = BertForPreTraining(BertConfig(**kept["config"]))
    model.load_state_dict(kept["model"])  # half precision is copied into float32
    return model.eval(), WordTokenizer(kept["words"])


def recorded_run() -> dict[str, Any]:
    """What was written down when that model was made."""
    return json.loads(read_data("bert-tales.json"))


# --8<-- [end:load]


def digest() -> str:
    """The digest of the text that the model learns from."""
    return hashlib.sha256(load_text("tales").encode()).hexdigest()


def main() -> None:
    """Read the command line, train, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data")
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"--steps {options.steps}: at least 1")
    options.out.mkdir(parents=True, exist_ok=True)
    model, tokenizer, curve = pretrain(options.steps, options.seed)
    record = {
        "command": f"python -m snippets.bert_pretrain --steps {options.steps}"
        f" --seed {options.seed}",
        "date": datetime.now(UTC).date().isoformat(),
        "seed": options.seed,
        "steps": options.steps,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "data_sha256": digest(),
        "curve": curve,
    }
    save(options.out, model, tokenizer, record)


if __name__ == "__main__":
    main()
