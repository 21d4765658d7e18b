"""The trace that `torch.profiler` exports, read back: what ran when, and for how long.

A trace is JSON in Chrome's format: a list of events, of which those with `"ph": "X"`
are spans with a name, a thread, a begin and a duration, in microseconds.
"""

# --8<-- [start:imports]
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# --8<-- [end:imports]


# --8<-- [start:read]
CATEGORIES = ("cpu_op", "user_annotation")  # operations, and `record_function`


@dataclass
class Span:
    """Something that ran, from begin to end."""

    name: str
    thread: int
    begin: float  # µs
    duration: float  # µs
    depth: int = 0  # how many spans are around it
    inside: float = 0.0  # µs that belong to the spans directly in it
    repeats: bool = False  # whether it is all that is in a span of its own name

    @property
    def end(self) -> float:
        """When it ended, in µs."""
        return self.begin + self.duration

    @property
    def own(self) -> float:
        """The part of its time that belongs to no span in it, in µs."""
        return self.duration - self.inside


def read_trace(path: str | Path) -> list[Span]:
    """The spans of a trace, by thread and begin, with the time of what is in them.

    Raises ValueError for JSON that is no trace.
    """
    content = json.loads(Path(path).read_text("utf8"))
    if not isinstance(content, dict) or "traceEvents" not in content:
        raise ValueError(f"{path} holds no traceEvents: it is not a trace")
    spans = [
        Span(event["name"], event["tid"], event["ts"], event["dur"])
        for event in content["traceEvents"]
        if event["ph"] == "X" and event.get("cat") in CATEGORIES
    ]
    spans.sort(key=lambda span: (span.thread, span.begin, -span.duration))
    nest(spans)
    spans = [span for span in spans if not span.repeats]  # PyTorch: one call, not two
    nest(spans)
    return spans


def nest(spans: Iterable[Span]) -> None:
    """Find what is in what: a span is in the last one of its thread that has not ended.

    Sets `depth`, `inside` and `repeats`. The spans must be sorted by thread and begin,
    the longer one first.
    """
    around: list[tuple[Span, list[Span]]] = []  # what has not ended, what is in it
    for span in spans:
        span.inside = 0.0
        inner: list[Span] = []
        while around and (
            around[-1][0].thread != span.thread or around[-1][0].end <= span.begin
        ):
            around.pop()
        span.depth = len(around)
        if around:
            outer, siblings = around[-1]
            outer.inside += span.duration
            span.repeats = not siblings and outer.name == span.name
            if siblings:
                siblings[0].repeats = False
            siblings.append(span)
        around.append((span, inner))


# --8<-- [end:read]


# --8<-- [start:total]
@dataclass
class Total:
    """All spans of one name together."""

    name: str
    calls: int = 0
    total: float = 0.0  # µs, with what is in them
    own: float = 0.0  # µs, without


def totals(spans: Iterable[Span]) -> list[Total]:
    """A row for each name, the largest own time first."""
    found: dict[str, Total] = {}
    for span in spans:
        row = found.setdefault(span.name, Total(span.name))
        row.calls += 1
        row.total += span.duration
        row.own += span.own
    return sorted(found.values(), key=lambda row: -row.own)


# --8<-- [end:total]
