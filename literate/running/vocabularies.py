"""The vocabularies of GPT-2, cl100k and o200k, where `tiktoken` looks for them.

`tiktoken.get_encoding` downloads its files once and keeps them in a folder. Pages, labs
and tests run without a network, so that folder is filled beforehand from
`literate/vendor/tiktoken`. `tiktoken` checks the hash of every file that it reads.
"""

import base64
import hashlib
import json
import lzma
import os
from itertools import pairwise
from pathlib import Path

from literate.project import CACHE
from snippets.files import write_whole

VENDOR = Path(__file__).parents[1] / "vendor" / "tiktoken"
FOLDER = CACHE / "tiktoken"
ADDRESS = "https://openaipublic.blob.core.windows.net/"
RANKS = ("r50k_base", "cl100k_base", "o200k_base")
MERGES = "gpt-2/encodings/main/vocab.bpe"
IDS = "gpt-2/encodings/main/encoder.json"


def install() -> None:
    """Fill the folder and point `tiktoken` at it, unless the user named another."""
    if "TIKTOKEN_CACHE_DIR" in os.environ:
        return
    names = [f"encodings/{name}.tiktoken" for name in RANKS]
    if not all(_place(name).exists() for name in (*names, MERGES, IDS)):
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in RANKS:
            packed = (VENDOR / f"{name}.tiktoken.xz").read_bytes()
            _write(f"encodings/{name}.tiktoken", lzma.decompress(packed))
        ranks = read_ranks(_place("encodings/r50k_base.tiktoken").read_bytes())
        _write(MERGES, merges_file(ranks).encode())
        _write(IDS, ids_file(ranks).encode())
    os.environ["TIKTOKEN_CACHE_DIR"] = str(FOLDER)


def read_ranks(content: bytes) -> dict[bytes, int]:
    """The tokens of a `.tiktoken` file with their ranks, which are also their ids."""
    pairs = (line.split() for line in content.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def merges_file(ranks: dict[bytes, int]) -> str:
    """GPT-2's `vocab.bpe`: the two parts of each merge, in order, in printable form."""
    show = printable()
    lines = ["#version: 0.2"]
    for token, rank in ranks.items():
        if len(token) > 1:
            parts = _parts(token, ranks, rank)
            lines.append(" ".join("".join(show[b] for b in part) for part in parts))
    return "\n".join(lines) + "\n"


def ids_file(ranks: dict[bytes, int]) -> str:
    """GPT-2's `encoder.json`: every token in printable form, with its id."""
    show = printable()
    ids = {"".join(show[b] for b in token): rank for token, rank in ranks.items()}
    return json.dumps(ids | {"<|endoftext|>": len(ids)})


def printable() -> dict[int, str]:
    """GPT-2's printable character for every byte: itself, or one from U+0100 on."""
    kept = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
    others = [b for b in range(256) if b not in kept]
    return {b: chr(b) for b in kept} | {b: chr(256 + n) for n, b in enumerate(others)}


def _parts(token: bytes, ranks: dict[bytes, int], limit: int) -> list[bytes]:
    """The two tokens that merge into this one: its bytes after all earlier merges."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(a + b, limit) for a, b in pairwise(parts)]
        at = min(range(len(pairs)), key=pairs.__getitem__)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def _place(name: str) -> Path:
    """Where tiktoken looks for what it would fetch from this address."""
    return FOLDER / hashlib.sha1((ADDRESS + name).encode()).hexdigest()


def _write(name: str, content: bytes) -> None:
    """Put a file in its place whole, also when several processes do so at once."""
    write_whole(_place(name), lambda file: file.write(content))
