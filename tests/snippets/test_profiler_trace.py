"""`snippets/profiler_trace.py`: times that add up."""

import json

import pytest

from snippets.profiler_trace import Span, nest, read_trace, totals


def test_self_time_is_what_no_inner_span_has():
    spans = [
        Span("outer", 1, 0, 10),
        Span("inner", 1, 1, 4),
        Span("leaf", 1, 2, 1),
        Span("inner", 1, 5, 3),  # begins where the first ends
        Span("outer", 2, 3, 2),  # another thread
    ]
    nest(spans)
    assert [span.depth for span in spans] == [0, 1, 2, 1, 0]
    assert [span.own for span in spans] == [3, 3, 1, 3, 2]
    rows = {row.name: (row.calls, row.total, row.own) for row in totals(spans)}
    assert rows == {"outer": (2, 12, 5), "inner": (2, 7, 6), "leaf": (1, 1, 1)}
    assert [row.name for row in totals(spans)] == ["inner", "outer", "leaf"]


def test_a_call_that_only_calls_its_own_name_is_one_call(tmp_path):
    shape = {"ph": "X", "cat": "cpu_op", "tid": 1}
    alone = [("sum", 0, 9), ("sum", 1, 5), ("fill", 2, 1), ("add", 4, 1)]
    with_others = [("sum", 20, 9), ("sum", 21, 2), ("fill", 24, 1)]
    events = [
        {**shape, "name": name, "ts": begin, "dur": duration}
        for name, begin, duration in [*alone, *with_others]
    ]
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"traceEvents": events}), "utf8")
    rows = {row.name: (row.calls, row.own) for row in totals(read_trace(path))}
    assert rows == {"sum": (3, 7 + 6 + 2), "fill": (2, 2), "add": (1, 1)}


def test_a_trace_is_read_in_order(tmp_path):
    events = [
        {"ph": "X", "cat": "cpu_op", "name": "b", "tid": 1, "ts": 2, "dur": 1},
        {"ph": "X", "cat": "user_annotation", "name": "a", "tid": 1, "ts": 2, "dur": 5},
        {"ph": "X", "cat": "Trace", "name": "left out", "tid": 1, "ts": 0, "dur": 9},
        {"ph": "i", "name": "a mark", "tid": 1, "ts": 3},
    ]
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"traceEvents": events}), "utf8")
    assert [(span.name, span.depth) for span in read_trace(path)] == [
        ("a", 0),
        ("b", 1),
    ]


@pytest.mark.parametrize("content", ["[]", "{}"])
def test_json_that_is_no_trace_is_refused(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content, "utf8")
    with pytest.raises(ValueError, match=r"other\.json holds no traceEvents"):
        read_trace(path)
