"""Every part of the book equals the production implementation it re-builds."""

import ast
import contextlib
import functools
import importlib
import types

import pytest
import torch

import proofs
from literate.project import DOCS, PROOFS
from proofs import Proof

# found by reading: importing the proofs imports all that they compare with
NAMES = [
    f"{path.stem}-{node.name}"
    for path in sorted(PROOFS.glob("*.py"))
    for node in ast.parse(path.read_text("utf8")).body
    if any(
        ast.unparse(d).startswith("proof(") for d in getattr(node, "decorator_list", [])
    )
]
each_proof = pytest.mark.parametrize("name", NAMES)


@functools.cache
def loaded() -> dict[str, Proof]:
    """All proofs, by module and function."""
    names = {p: (p.pairs.__module__, p.pairs.__name__) for p in proofs.load()}
    return {"-".join(name).removeprefix("proofs."): p for p, name in names.items()}


def test_all_proofs_are_found():
    assert sorted(NAMES) == sorted(loaded())


@each_proof
def test_ours_equals_theirs(name):
    proof = loaded()[name]
    finding = proofs.check(proof)
    assert finding.compared > 0
    assert finding.difference <= proof.bound


@each_proof
def test_what_a_proof_names_exists(name):
    proof = loaded()[name]
    resolve(proof.ours)
    resolve(proof.theirs)
    assert (DOCS / proof.page).is_file()


def resolve(dotted: str) -> object:
    """The object of this name, below whatever modules its name starts with."""
    first, *rest = dotted.split(".")
    path, found = first, importlib.import_module(first)
    for name in rest:
        path = f"{path}.{name}"
        if not hasattr(found, name) and isinstance(found, types.ModuleType):
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(path)  # sets the name in its package
        found = getattr(found, name)
    return found


def test_a_bad_name_is_noticed():
    with pytest.raises(AttributeError, match="gone"):
        resolve("snippets.attention.gone")


def made(pairs, bound=1e-5) -> Proof:
    return Proof("part", "ours", "theirs", "page.md", bound, lambda: iter(pairs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1])),
        (torch.tensor([float("nan")]), torch.tensor([1.0])),
        (torch.tensor([float("inf")]), torch.tensor([float("-inf")])),
        ([1, 2], [1, 3]),
    ],
)
def test_a_difference_is_found(ours, theirs):
    assert not proofs.check(made([(ours, theirs)])).holds


def test_equal_things_hold():
    infinite = torch.tensor([float("inf"), float("nan"), 1.0])
    finding = proofs.check(made([(infinite, infinite.clone()), ("ab", "ab")]))
    assert finding.holds
    assert finding.compared == 4


def test_the_largest_difference_counts():
    pairs = [(torch.tensor(0.0), torch.tensor(0.5)), (torch.tensor(1.0),) * 2]
    assert proofs.check(made(pairs)).difference == 0.5


def test_a_proof_of_nothing_does_not_hold():
    assert not proofs.check(made([])).holds


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(1,\) and \(2,\)"):
        proofs.check(made([(torch.zeros(1), torch.zeros(2))]))
