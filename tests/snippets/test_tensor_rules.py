"""What the first day says of PyTorch's tensors, where one easily says it wrong."""

import ast

import pytest
import torch

from literate.page import pages
from literate.parse import parse

DAY_1 = [page for page in pages() if page.name.startswith("docs/pytorch/day-1/")]


@pytest.mark.parametrize(
    ("wide", "scalar", "result"),
    [
        (torch.float16, 2.0, torch.float16),
        (torch.float16, torch.tensor(2.0, dtype=torch.float64), torch.float16),
        (torch.int64, 2.0, torch.float32),
        (torch.int64, torch.tensor(2.0, dtype=torch.float64), torch.float64),
        (torch.int64, torch.tensor(2.0, dtype=torch.float16), torch.float16),
        (torch.float16, torch.tensor([2.0], dtype=torch.float64), torch.float64),
    ],
)
def test_a_tensor_without_axes_brings_its_width_only_with_a_higher_kind(
    wide, scalar, result
):
    assert (torch.ones(2, dtype=wide) * scalar).dtype == result


def test_a_leaf_may_not_be_changed_in_place_and_what_was_computed_may():
    leaf = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        leaf.add_(1)
    changed = (leaf * 1).add_(1)
    changed.sum().backward()
    assert leaf.grad.tolist() == [1, 1]


def opens_the_test_split(source: str) -> bool:
    """Whether code takes the third split of `split_digits()`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Name(id=name))):
                if name == "split_digits" and not leaves_out_the_third(target):
                    return True
            case ast.Subscript(value=ast.Call(func=ast.Name(id="split_digits"))):
                if ast.unparse(node.slice) not in ("0", "1"):
                    return True
    return False


def leaves_out_the_third(target: ast.expr) -> bool:
    return isinstance(target, ast.Tuple) and ast.unparse(target.elts[-1]) == "_"


@pytest.mark.parametrize("page", DAY_1, ids=lambda page: page.name)
def test_the_first_day_leaves_the_test_split_shut(page):
    for block in parse(page).blocks:
        assert block.options.raises or not opens_the_test_split(block.source)


@pytest.mark.parametrize(
    ("source", "opens"),
    [
        ("train, validation, _ = split_digits()", False),
        ("train, validation, test = split_digits()", True),
        ("train = split_digits()[0].images", False),
        ("parts = split_digits()", True),
        ("for part in split_digits()[1:]:\n    pass", True),
    ],
)
def test_what_opens_the_test_split(source, opens):
    assert opens_the_test_split(source) == opens
