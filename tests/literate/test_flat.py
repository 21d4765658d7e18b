"""What the proof of the scripts rests on: it sees how names can clash."""

import ast

import pytest

from tests.flat import Part, clashes, dump, modules_of, statements, unfit

MODULE = """
import math
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import tokenizers
SIZE, COUNT = 3, 4
def area(x):
    inner = abs(x)
    return math.pi * inner ** SIZE
"""


def named(source: str) -> set[str]:
    """The names that clash between the module above and a page."""
    found = clashes([Part("module", MODULE), Part("page", source)])
    return {message.split(",")[0] for message in found}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import math\ninner = math.pi\nx = 3", set()),
        (MODULE, set()),
        ("SIZE, COUNT = 3, 4", set()),
        ("tokenizers = [1]", set()),
        ("def f(SIZE):\n    return SIZE", set()),
        ("[SIZE for SIZE in ()]", set()),
        ("SIZE = 4", {"SIZE"}),
        ("for SIZE in (1, 2): pass", {"SIZE"}),
        ("with open('a') as COUNT: pass", {"COUNT"}),
        ("if (SIZE := 3): pass", {"SIZE"}),
        ("def f():\n    global SIZE\n    SIZE = 5", {"SIZE"}),
        ("def area(x):\n    return x", {"area"}),
        ("class area: pass", {"area"}),
        ("from cmath import pi as math", {"math"}),
        ("import cmath as math", {"math"}),
        ("try:\n    pass\nexcept ValueError as COUNT:\n    pass", {"COUNT"}),
        ("abs = 3", {"abs"}),  # a builtin to the module
        ("from numpy import abs", {"abs"}),
        ("def f():\n    return area(2)", {"area"}),  # not imported: not defined
        ("area", {"area"}),
    ],
)
def test_names_that_clash(source, names):
    assert named(source) == names


def test_an_imported_name_is_that_of_its_module():
    source = "from snippets.base import SIZE"
    base, other = Part("snippets.base", "SIZE = 3"), Part("snippets.other", "SIZE = 4")
    page = Part("page", f"{source}\nprint(SIZE)")
    assert clashes([base, page]) == []
    assert len(clashes([base, page, other])) == 3
    assert len(clashes([base, Part("page", f"{source}\nSIZE = 4")])) == 2


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    return __file__", ["__file__"]),
        ("print(__name__)", ["__name__"]),
        ("from __future__ import annotations", ["from __future__ import annotations"]),
        ("print(type(3).__name__)", []),
    ],
)
def test_what_depends_on_the_file(source, found):
    assert unfit(Part("part", source)) == found


class Named:
    """A block of a page, as far as `statements` looks."""

    def __init__(self, source: str, raises: str = "") -> None:
        self.source = source
        self.options = self
        self.raises = raises


def test_the_statements_of_a_page():
    blocks = [
        Named("from snippets.schedules import step_decay\nx = 1"),
        Named("from snippets.schedules import step_decay\n1 / 0", "OSError"),
    ]
    found = [ast.unparse(node) for node in statements(blocks)]
    assert sum("def step_decay(" in text for text in found) == 1
    assert found[-2] == "x = 1"
    assert found[-1].startswith("try:\n    1 / 0\nexcept OSError as error:")
    assert not any("snippets" in text for text in found)
    (own,) = modules_of(Part("page", blocks[0].source))
    assert own.name == "snippets.schedules"
    assert [dump(n) for n in own.tree.body] == [dump(n) for n in statements(blocks)][
        :-2
    ]
