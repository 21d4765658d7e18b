"""What runs on a page and would not run the same in its notebook or its script."""

import ast
from collections.abc import Iterator

from literate.block import Block

LOOPS = ("run", "Runner")  # of asyncio
LOOP = (
    "a notebook runs in a loop of its own, and refuses: put this into a file and run it"
    " by subprocess, or show it by notest="
)
COMMAND_LINE = ("parse_args", "parse_known_args")


def problem(block: Block) -> str:
    """What a block does that only a page, or a script, can do; empty if nothing."""
    if block.options.notest:
        return ""
    try:
        tree = ast.parse(block.source)
    except SyntaxError:  # a block that must raise it
        return ""
    for node in ast.walk(tree):
        for reason in _reasons(node, block.index):
            return f"{ast.unparse(node)}: {reason}"
    return ""


def _reasons(node: ast.AST, index: int) -> Iterator[str]:
    """Why a piece of code does not run everywhere."""
    match node:
        case ast.ImportFrom(module="__future__") if index > 0:
            yield "in a script this stands at its head only: move it to the first block"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr=name)):
            if name in LOOPS:
                yield LOOP
        case ast.ImportFrom(module="asyncio", names=names):
            if any(alias.name in LOOPS for alias in names):
                yield LOOP
        case ast.Call(func=ast.Attribute(attr="run_until_complete")):
            yield LOOP
        case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]):
            if name in COMMAND_LINE:
                yield "a notebook has other arguments: name those you mean, as a list"
