"""A fence, and the executable block in it: options, code, and where it stands."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from literate.page import Line, Problem

PYTHON = re.compile(
    r"\{?\s*\.?(?:py(?:thon)?[\d.]*|ipython[\d.]*|py(?:thon)?[-_]?(?:con|console|repl))"
    r"(?![\w+#-])",
    re.IGNORECASE,
)
OPTION = re.compile(r'[ \t]+(?P<key>[A-Za-z_]\w*)(?:="(?P<value>[^"]*)")?(?=[ \t]|$)')
HEADER = re.compile(rf"python(?P<options>(?:{OPTION.pattern})*)[ \t]*")
HL_LINES = re.compile(r"\d+(?:-\d+)?(?: \d+(?:-\d+)?)*")
EXCEPTION = re.compile(r"[A-Za-z_][\w.]*")


@dataclass(frozen=True)
class Fence:
    """A fenced block: `lines[start]` opens it, `lines[end]` closes it."""

    start: int
    end: int
    prefix: str
    mark: str
    info: str
    heading: str

    @property
    def is_python(self) -> bool:
        """Whether the author meant Python, however it is spelt."""
        return bool(PYTHON.match(self.info.strip()))


@dataclass(frozen=True)
class Options:
    """What may stand after ```` ```python ````. REFERENCE.md explains each."""

    title: str = ""
    hl_lines: str = ""
    fold: str = ""
    alt: str = ""
    caption: str = ""
    raises: str = ""
    notest: str = ""
    nocheck: bool = False
    tol: float | None = None
    later: str = ""

    def __post_init__(self) -> None:
        if self.notest and (self.raises or self.nocheck or self.tol or self.alt):
            raise ValueError(
                "a block with notest= never runs: raises=, nocheck, tol= and alt= "
                "have no meaning there"
            )
        if self.nocheck and self.tol is not None:
            raise ValueError("nocheck and tol= exclude each other")
        if self.caption and not self.alt:
            raise ValueError("caption= without alt=: say what the figure shows in alt=")


@dataclass(frozen=True)
class Block:
    """A block of Python on a page, includes expanded.

    `lines[i]` is the page's line that line `i` of `source` came from. `label` names the
    block by its heading and place under it, so that it survives edits of the prose.
    """

    index: int
    line: int
    label: str
    source: str
    lines: tuple[int, ...]
    options: Options
    values: tuple[str, ...] = ()  # code in the prose, evaluated after this block

    def page_line(self, source_line: int) -> int:
        """The page's line for line `source_line` (from 1) of this block's code."""
        inside = 1 <= source_line <= len(self.lines)
        return self.lines[source_line - 1] if inside else self.line


def parse_header(info: str) -> Options:
    """The options in a fence's header; raises ValueError with what to write instead."""
    header = HEADER.fullmatch(info.strip())
    if not header:
        word = (info.split() or [""])[0]
        if word != "python":
            raise ValueError(f"write ```python (in small letters), not ```{word}")
        raise ValueError(f'cannot read the options: write key="value", not {info!r}')
    values: dict[str, Any] = {}
    for match in OPTION.finditer(header["options"]):
        key, value = match["key"], match["value"]
        if key in values:
            raise ValueError(f"the option {key} is given twice")
        values[key] = _value(key, value)
    return Options(**values)


def _value(key: str, value: str | None) -> Any:
    known = Options.__dataclass_fields__
    if key not in known:
        raise ValueError(f"unknown option {key}; known are {', '.join(known)}")
    if key == "nocheck":
        if value is not None:
            raise ValueError("nocheck takes no value")
        return True
    if not value:
        hint = "GPU" if key == "notest" else "..."
        raise ValueError(f'{key} needs a value, such as {key}="{hint}"')
    if key == "tol":
        return _tolerance(value)
    pattern = {"hl_lines": HL_LINES, "raises": EXCEPTION}.get(key)
    if pattern and not pattern.fullmatch(value):
        raise ValueError(f'cannot read {key}="{value}"')
    return value


def _tolerance(value: str) -> float:
    try:
        tolerance = float(value)
    except ValueError:
        tolerance = -1.0
    if not 0 < tolerance < 1:
        raise ValueError(f'tol="{value}" must be a number between 0 and 1')
    return tolerance


def blocks(
    lines: Sequence[Line], found: Iterable[Fence], problems: list[Problem]
) -> Iterator[Block]:
    """A block for each Python fence; bad headers go to `problems`."""
    count: dict[str, int] = {}
    for index, fence in enumerate(f for f in found if f.is_python):
        number = lines[fence.start].number
        try:
            options = parse_header(fence.info)
        except (TypeError, ValueError) as error:
            problems.append(Problem(number, str(error)))
            options = Options(notest="its header is wrong")
        count[fence.heading] = count.get(fence.heading, 0) + 1
        inside = lines[fence.start + 1 : fence.end]
        yield Block(
            index=index,
            line=number,
            label=f"{fence.heading} {count[fence.heading]}",
            source=source(fence, inside),
            lines=tuple(line.number for line in inside),
            options=options,
        )


def source(fence: Fence, inside: Iterable[Line]) -> str:
    """The code between the fences, without the indentation or quote marks before it."""
    width = len(fence.prefix.expandtabs(4))
    return "\n".join(line.text.expandtabs(4)[width:] for line in inside)
