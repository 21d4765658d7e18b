"""Each part that the book builds, against the production implementation.

A proof is a generator that yields pairs `(ours, theirs)`. Tensors are compared number
by number: the largest difference must stay within the proof's bound. Anything else,
such as token ids, must be equal. `tests/snippets/test_proofs.py` runs all of them, and
the page *Proofs* shows what they found.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from snippets.table import Table

Pairs = Iterator[tuple[Any, Any]]


@dataclass(frozen=True)
class Proof:
    """What is compared with what, and how far apart the two may be."""

    part: str  # what a reader calls it: Multi-head attention
    ours: str  # where it lives: snippets.attention.MultiHeadAttention
    theirs: str  # what it is compared with: torch.nn.MultiheadAttention
    page: str  # the page that builds it: llm/day-3/self-attention.md
    bound: float  # the largest difference allowed; 0: all must be equal
    pairs: Callable[[], Pairs]


@dataclass(frozen=True)
class Finding:
    """How many numbers were compared, and the largest difference seen."""

    proof: Proof
    compared: int
    difference: float

    @property
    def holds(self) -> bool:
        """Whether something was compared, and was near enough."""
        return self.compared > 0 and self.difference <= self.proof.bound


PROOFS: list[Proof] = []


def proof(part: str, *, ours: str, theirs: str, page: str, bound: float):
    """Decorate a generator of pairs: it becomes one of the book's proofs."""

    def register(pairs: Callable[[], Pairs]) -> Callable[[], Pairs]:
        PROOFS.append(Proof(part, ours, theirs, page, bound, pairs))
        return pairs

    return register


def load() -> list[Proof]:
    """All proofs, in the order of the book."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(PROOFS, key=lambda proof: (proof.page, proof.pairs.__module__))


def check(proof: Proof) -> Finding:
    """Run a proof. Raises ValueError where the two sides do not have the same form."""
    compared, largest = 0, 0.0
    for ours, theirs in proof.pairs():
        if isinstance(ours, torch.Tensor):
            count, difference = _difference(ours, theirs)
        else:
            count, difference = 1, 0.0 if ours == theirs else float("inf")
        compared += count
        largest = max(largest, difference)
    return Finding(proof, compared, largest)


def _difference(ours: torch.Tensor, theirs: torch.Tensor) -> tuple[int, float]:
    if ours.shape != theirs.shape:
        raise ValueError(f"shapes {tuple(ours.shape)} and {tuple(theirs.shape)}")
    apart = (ours.detach().double() - theirs.detach().double()).abs()
    # equal infinities differ by NaN, and so does anything that is NaN on one side only
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    apart = apart.masked_fill(same, 0.0).nan_to_num(nan=float("inf"))
    return ours.numel(), apart.max().item() if ours.numel() else 0.0


def table() -> Table:
    """Every proof with what it found."""
    rows = [
        (
            finding.proof.part,
            finding.proof.theirs,
            f"{finding.compared:,}",
            f"{finding.difference:.1e}" if finding.difference else "equal",
            f"{finding.proof.bound:.0e}" if finding.proof.bound else "equal",
        )
        for finding in map(check, load())
    ]
    columns = ("Part", "Compared with", "Values", "Largest difference", "Allowed")
    return Table(columns, rows)
