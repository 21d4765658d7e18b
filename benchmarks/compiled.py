"""What `torch.compile` gains, and what its first call costs: three programs, two sizes.

    python -m benchmarks.compiled --record   some minutes; it needs a C++ compiler

Both sides compute the same, in float32, on one thread, in one process, and take turns.
What was found is kept in `snippets/data/compiled.json`, which a page prints.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import record
from snippets.stopwatch import time_call

ROUNDS = 5
Program = Callable[[], object]


def gelu(x: Tensor) -> Tensor:
    """GELU by its tanh approximation: nine operations on each number."""
    return 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def elementwise(size: int) -> tuple[Program, Program]:
    """GELU of so many numbers."""
    x, compiled = torch.rand(size), torch.compile(gelu)
    return lambda: gelu(x), lambda: compiled(x)


def product(size: int) -> tuple[Program, Program]:
    """The product of two square matrices."""
    a = torch.rand(size, size)

    def multiply(a: Tensor) -> Tensor:
        return a @ a

    compiled = torch.compile(multiply)
    return lambda: multiply(a), lambda: compiled(a)


def step(size: int) -> tuple[Program, Program]:
    """A training step of a small network with a batch of this size."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.rand(size, 64), torch.randint(10, (size,))

    def train(network: Callable[[Tensor], Tensor]) -> None:
        optimizer.zero_grad()
        F.cross_entropy(network(x), y).backward()
        optimizer.step()

    compiled = torch.compile(model)
    return lambda: train(model), lambda: train(compiled)


PROGRAMS = {
    "GELU, number by number": (elementwise, (10_000, 4_000_000)),
    "one matrix product": (product, (128, 1024)),
    "step of a small network": (step, (32, 4096)),
}


def measure() -> list[dict[str, Any]]:
    """Seconds of processor time a call, the least of some rounds, for each program."""
    found = []
    for name, (make, sizes) in PROGRAMS.items():
        for size in sizes:
            torch.manual_seed(0)
            torch.compiler.reset()
            plain, compiled = make(size)
            started = time.perf_counter()
            compiled()
            first = time.perf_counter() - started
            calls = max(1, round(0.1 / time_call(plain).work))

            def many(program: Program, calls: int = calls) -> float:
                return time_call(lambda: [program() for _ in range(calls)], 1).work

            pairs = [(many(plain), many(compiled)) for _ in range(ROUNDS)]
            times = [min(column) / calls for column in zip(*pairs, strict=True)]
            row = {"program": name, "size": size, "first": round(first, 1)}
            row |= {"plain": times[0], "compiled": times[1]}
            found.append(row)
            print(*row.values())
    return found


if __name__ == "__main__":
    torch.compiler.config.force_disable_caches = True  # first calls compile
    record.main("compiled", __doc__, measure)
