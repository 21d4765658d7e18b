"""How fast the book's BPE is beside 🤗 tokenizers and tiktoken.

    python -m benchmarks.tokenizers

Prints a table of what was measured in this run. The text is tiny Shakespeare where it
can be had (`DAYBOOK_DATA`, the cache or the network), else the book's tales, repeated.
Each time is the best of three, of the processor, on one thread.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import time
import tracemalloc
from collections.abc import Callable

import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from literate.running import vocabularies
from snippets.corpus import load_text
from snippets.tokenizers.bpe import BPETokenizer

Row = tuple[str, str, str, str]


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """Processor time of the quickest of several runs."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def corpus() -> tuple[str, str]:
    """The text to measure on, and what it is called."""
    try:
        return load_text("shakespeare"), "tiny Shakespeare"
    except (OSError, ValueError):
        return load_text("tales") * 5, "the tales, five times"


def train_theirs(text: str, vocab_size: int) -> Tokenizer:
    """What 🤗 tokenizers learns from the text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def training(text: str, vocab_size: int) -> Row:
    """Learning a vocabulary; tiktoken's library has no trainer."""
    ours = seconds(lambda: BPETokenizer.train(text, vocab_size))
    theirs = seconds(lambda: train_theirs(text, vocab_size))
    name = f"train {vocab_size:,} tokens on {len(text) / 1e3:,.0f} KB"
    return name, f"{ours:.2f} s", f"{theirs:.2f} s ({ours / theirs:.1f}×)", "–"


def encoding(text: str, name: str) -> Row:
    """Encoding a text on a first pass, with a real vocabulary."""
    reference = tiktoken.get_encoding(name)
    ours = BPETokenizer.from_tiktoken(reference)
    rust = ours.to_hugging_face()

    def first_pass() -> None:
        ours._words.clear()
        ours.encode_ordinary(text)

    mine = seconds(first_pass)
    hugging_face = seconds(lambda: rust.encode(text, add_special_tokens=False))
    openai = seconds(lambda: reference.encode_ordinary(text))
    speed = [f"{len(text.encode()) / s / 1e6:.1f} MB/s" for s in (mine, hugging_face)]
    return (
        f"encode with {name}",
        speed[0],
        f"{speed[1]} ({mine / hugging_face:.1f}×)",
        f"{len(text.encode()) / openai / 1e6:.1f} MB/s ({mine / openai:.1f}×)",
    )


def no_spaces(size: int) -> Row:
    """One word of `size` letters: a tokenizer that rescans it takes size² steps."""
    text = "the" * (size // 3)
    reference = tiktoken.get_encoding("cl100k_base")
    ours = BPETokenizer.from_tiktoken(reference)
    rust = ours.to_hugging_face()
    mine = seconds(lambda: ours.encode_ordinary(text))
    hugging_face = seconds(lambda: rust.encode(text, add_special_tokens=False))
    openai = seconds(lambda: reference.encode_ordinary(text))
    return (
        f"encode {size // 1000} KB without a space",
        f"{mine:.2f} s",
        f"{hugging_face:.2f} s ({mine / hugging_face:.1f}×)",
        f"{openai:.2f} s ({mine / openai:.1f}×)",
    )


def streaming(text: str) -> Row:
    """The memory that encoding a stream takes, short and ten times longer."""
    tokenizer = BPETokenizer.train(text, 1024)

    def peak(times: int) -> float:
        starts = range(0, len(text), 10_000)
        parts = (text[i : i + 10_000] for _ in range(times) for i in starts)
        tracemalloc.start()
        for _ in tokenizer.encode_stream(parts):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / 1e6

    peak(1)
    short, long = peak(1), peak(10)
    megabytes = len(text.encode()) / 1e6
    name = f"memory to stream {megabytes:.1f} and {10 * megabytes:.0f} MB"
    return name, f"{short:.1f} and {long:.1f} MB", "–", "–"


def main() -> None:
    """Measure, and print one table."""
    vocabularies.install()
    text, name = corpus()
    rows: list[Row] = [("", "ours (Python)", "🤗 tokenizers (Rust)", "tiktoken (Rust)")]
    rows += [training(text, 1024), training(text[:130_000], 500)]
    rows += [encoding(text, n) for n in ("gpt2", "cl100k_base", "o200k_base")]
    rows += [no_spaces(100_000), streaming(text)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    print(f"Text: {name}. In brackets: how many times as long ours takes.\n")
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    print(
        "\nWhat Rust buys: long words, threads, and tiktoken's speed. What it does not"
        "\nchange: the ids. 🤗 tokenizers also returns where in the text each token is,"
        "\nand from its second run on has the words in its cache; ours starts empty."
    )


if __name__ == "__main__":
    main()
