"""`snippets/stopwatch.py`: what is measured, how often, and what is not counted."""

import time

import pytest
import torch

from snippets.stopwatch import Seconds, speedup, time_call, wait_for


def test_sleep_is_no_work():
    seconds = time_call(lambda: time.sleep(0.05), repeats=2)
    assert seconds.wall >= 0.05
    assert seconds.work < 0.025


def test_the_first_call_does_not_count():
    calls = []
    time_call(lambda: calls.append(len(calls)), repeats=3)
    assert calls == [0, 1, 2, 3]
    slow_first = iter([0.2, 0.0, 0.0])
    assert time_call(lambda: time.sleep(next(slow_first)), 2).wall < 0.1


def test_more_work_takes_longer():
    matrix = torch.rand(100, 100)
    assert speedup(
        lambda: [matrix @ matrix for _ in range(50)], lambda: matrix @ matrix
    )
    assert isinstance(time_call(lambda: None, 1), Seconds)


def test_a_measurement_needs_a_call():
    with pytest.raises(ValueError, match="repeats=0"):
        time_call(lambda: None, repeats=0)


def test_the_clock_waits_for_the_device(monkeypatch):
    log, now = [], iter(range(100))
    monkeypatch.setattr(
        torch.accelerator, "synchronize", lambda device: log.append(f"wait {device}")
    )

    def clock() -> float:
        log.append("clock")
        return float(next(now))

    monkeypatch.setattr("snippets.stopwatch.time.perf_counter", clock)
    cuda = torch.device("cuda:1")
    took = time_call(lambda: log.append("call"), repeats=2, warmup=1, device=cuda)
    assert log == ["wait cuda:1", "clock", "call", "wait cuda:1", "clock"] * 3
    assert took.wall == 1.0


def test_the_shortest_leaves_out_the_warmup(monkeypatch):
    times = iter([0, 1, 100, 105, 200, 202, 300, 309])  # calls of 1, then 5, 2, 9
    monkeypatch.setattr("snippets.stopwatch.time.perf_counter", lambda: next(times))
    assert time_call(lambda: None, repeats=3, warmup=1).wall == 2


def test_there_is_nothing_to_wait_for_on_the_cpu():
    wait_for("cpu")
    wait_for(torch.device("meta"))
