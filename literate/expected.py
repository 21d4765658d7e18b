"""What each page printed when a person last looked, in `tests/expected/`.

A file for a page, a part for each block that prints or draws:

    == all-positions-at-once 3
        as the loop: True

Blocks are named by heading and place under it, so that edits of the prose move nothing.
"""

import re
from collections.abc import Iterable, Sequence
from math import isclose
from pathlib import Path

from literate.block import Block
from literate.project import DOCS, EXPECTED, relative
from literate.running.worker import Output

TOLERANCE = 1e-3  # relative; another CPU or another BLAS rounds differently
ABSOLUTE = 1e-6
HEAD = "What {} prints. `make outputs` writes this file, the tests compare with it."
DECIMAL = re.compile(
    r"(?<![\w.])[-+]?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?!\w)"
)
LABEL = re.compile(r"^== (?P<label>.+)$")


def file_of(page: Path) -> Path:
    """The file that belongs to a page."""
    return EXPECTED / page.relative_to(DOCS).with_suffix(".txt")


def read(page: Path) -> dict[str, str]:
    """The expected text of each block of a page, by label."""
    path = file_of(page)
    parts: dict[str, list[str]] = {}
    label = ""
    for line in path.read_text("utf8").split("\n") if path.exists() else []:
        if match := LABEL.match(line):
            label = match["label"]
            parts[label] = []
        elif label:
            parts[label].append(line.removeprefix("    "))
    return {label: "\n".join(lines).rstrip() for label, lines in parts.items()}


def write(page: Path, parts: dict[str, str]) -> None:
    """Replace a page's file; without parts, remove it."""
    path = file_of(page)
    if not parts:
        path.unlink(missing_ok=True)
        return
    lines = [HEAD.format(relative(page))]
    for label, text in parts.items():
        indented = (f"    {line}".rstrip() for line in text.split("\n"))
        lines += ["", f"== {label}", *indented]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf8", newline="\n")


def text_of(block: Block, output: Output) -> str:
    """What a block is held to: its text, a line for its figure and for each value."""
    if block.options.notest or block.options.nocheck:
        return ""
    drawn = [f"[figure: {block.options.alt}]" for _ in output.figures]
    texts = [
        "\n".join(line.rstrip() for line in text.split("\n")).rstrip()
        for text in (output.text, output.plain)
    ]
    values = [f"[`{code}`: {value}]" for code, value in output.values.items()]
    return "\n".join([*filter(None, texts), *drawn, *values])


def all_of(blocks: Sequence[Block], outputs: Iterable[Output]) -> dict[str, str]:
    """The expected parts of a page, from a run of it."""
    texts = {b.label: text_of(b, o) for b, o in zip(blocks, outputs, strict=True)}
    return {label: text for label, text in texts.items() if text}


def same(wanted: str, got: str, tolerance: float = TOLERANCE) -> bool:
    """Equal text, and decimals that are close; integers count as text.

    Spaces before a decimal do not matter: a minus sign may come or go at zero.
    """
    texts = [re.sub(r"[ ]*#", "#", DECIMAL.sub("#", part)) for part in (wanted, got)]
    if texts[0] != texts[1]:
        return False
    pairs = zip(DECIMAL.findall(wanted), DECIMAL.findall(got), strict=True)
    return all(
        isclose(float(a), float(b), rel_tol=tolerance, abs_tol=ABSOLUTE)
        for a, b in pairs
    )


def stale() -> list[Path]:
    """Expected files whose page is gone."""
    found = sorted(EXPECTED.rglob("*.txt"))
    return [
        path
        for path in found
        if not (DOCS / path.relative_to(EXPECTED)).with_suffix(".md").exists()
    ]
