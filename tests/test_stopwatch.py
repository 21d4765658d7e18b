"""`snippets/stopwatch.py`: what is measured, how often, and what is not counted."""

import time

import pytest
import torch

from snippets.stopwatch import Seconds, speedup, time_call


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
