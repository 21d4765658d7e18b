"""The tokenizers of the playground, as files that a browser reads.

Those of the book are learned from its tales by the chapters' own code, and written as
`tokenizer.json`. The vocabularies of GPT-2, cl100k and o200k are of each token, in the
order of their ids, one byte that says its length, and its bytes; then gzip.
"""

import functools
import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path

from literate import store
from literate.running import dependencies
from literate.running.vocabularies import RANKS, VENDOR, read_ranks
from snippets.corpus import load_text, tales
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.unigram import UnigramTokenizer
from snippets.tokenizers.wordpiece import WordPieceTokenizer

FOLDER = "assets/playground/tokenizers/data"
READER = "<tokenizer-playground>"  # the widget that reads them
SIZE = 1000  # of the book's vocabularies


def files() -> Iterator[tuple[str, Callable[[], str | bytes]]]:
    """Each file's path below the site, and what makes its content."""
    for name, train in LEARNED.items():
        yield f"{FOLDER}/{name}.json", functools.partial(tokenizer_json, name, train)
    yield f"{FOLDER}/tales.txt", lambda: load_text("tales")
    for name in RANKS:
        yield f"{FOLDER}/{name}.ranks", functools.partial(packed, name)


def bpe() -> BPETokenizer:
    """As on the page about byte-pair encoding."""
    return BPETokenizer.train(load_text("tales"), SIZE)


def wordpiece() -> WordPieceTokenizer:
    """As on the page about WordPiece that goes deeper: without rare pairs."""
    return WordPieceTokenizer.train(load_text("tales"), SIZE, min_frequency=20)


def unigram() -> UnigramTokenizer:
    """Of the paragraphs; what they do not have is spelled in bytes."""
    paragraphs = [paragraph for tale in tales() for paragraph in tale.paragraphs]
    return UnigramTokenizer.train(paragraphs, SIZE + 256, byte_fallback=True)


Learned = BPETokenizer | WordPieceTokenizer | UnigramTokenizer
LEARNED: dict[str, Callable[[], Learned]] = {
    "bpe": bpe,
    "wordpiece": wordpiece,
    "unigram": unigram,
}


def tokenizer_json(name: str, train: Callable[[], Learned]) -> str:
    """A tokenizer for 🤗 tokenizers, learned once for its code and its text."""
    used = dependencies.files([Path(__file__).read_text("utf8")])
    key = store.digest(
        store.digest_of_files([Path(__file__), *used]), store.environment()
    )
    kept = store.load("tokenizers", name, key)
    if not isinstance(kept, str):
        kept = train().to_hugging_face().to_str()
        store.save("tokenizers", name, key, kept)
    return kept


@functools.cache
def packed(name: str) -> bytes:
    """A vocabulary of tiktoken's. The same bytes whenever it is made."""
    content = lzma.decompress((VENDOR / f"{name}.tiktoken.xz").read_bytes())
    ranks = read_ranks(content)
    tokens = sorted(ranks, key=ranks.__getitem__)
    if [ranks[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError(f"{name}: its ids are not 0 to {len(tokens) - 1}")
    flat = b"".join(bytes([len(token)]) + token for token in tokens)
    return gzip.compress(flat, mtime=0)
