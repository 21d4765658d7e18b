"""The table of the profiler, made again from the trace that it exports."""

import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from proofs import Pairs, proof
from snippets.profiler_trace import read_trace, totals


@proof(
    "The profiler's table",
    ours="snippets.profiler_trace.totals",
    theirs="torch.profiler.profile.key_averages",
    page="pytorch/day-7/profiling.md",
    bound=0.1,  # µs: the trace has three decimals of them
)
def table() -> Pairs:
    """Calls, own and total times of a recurrent network, forward and backward."""
    model = nn.LSTM(4, 8)
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        for _ in range(3):
            with record_function("step"):
                model(torch.rand(5, 2, 4))[0].sum().backward()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        ours = sorted(totals(read_trace(path)), key=lambda row: row.name)
    averages = {row.key: row for row in profiler.key_averages()}
    theirs = [averages[row.name] for row in ours]
    yield [row.calls for row in ours], [row.count for row in theirs]
    for mine, other in (("own", "self_cpu_time_total"), ("total", "cpu_time_total")):
        yield (
            torch.tensor([getattr(row, mine) for row in ours], dtype=torch.double),
            torch.tensor([getattr(row, other) for row in theirs], dtype=torch.double),
        )
