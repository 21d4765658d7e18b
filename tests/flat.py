"""What a page's script must hold, read from the page and from `snippets/` alone.

A script is the page's blocks, and all that they import from `snippets`, in one
namespace. It does what the page does where two things hold: it consists of just these
statements, in the right order (`statements`), and every name means in the one namespace
what it means in its own (`clashes`). Nothing here asks the code that makes scripts.
"""

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import permutations

from literate.block import Block
from literate.project import ROOT

DATA = "snippets.data"
MAIN = "__name__ == '__main__'"  # does not hold on import
GUARD = """
try:
    pass
except {} as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""
OWN_SCOPE = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@dataclass(frozen=True)
class Part:
    """One of the namespaces that a script joins: a module's, or the page's own."""

    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its statements."""
        return ast.parse(self.source)

    @cached_property
    def reached(self) -> ast.Module:
        """Its statements without those for type checkers alone, which never run."""
        body = [node for node in self.tree.body if not asks(node, "TYPE_CHECKING")]
        return ast.Module(body, [])

    @cached_property
    def tables(self) -> list[symtable.SymbolTable]:
        """The table of its names, and those of all scopes inside."""
        source = ast.unparse(self.reached)
        found = [symtable.symtable(source, self.name, "exec")]
        for table in found:
            found += table.get_children()
        return found

    @cached_property
    def imported(self) -> dict[str, str]:
        """The names that it imports from `snippets`, each with its module."""
        return {
            alias.name: node.module
            for node in self.tree.body
            if of_snippets(node)
            for alias in node.names
        }

    @cached_property
    def bound(self) -> dict[str, set[str]]:
        """The global names that it sets, with what to; imports of snippets left out."""
        names = {
            symbol.get_name()
            for table in self.tables
            for symbol in table.get_symbols()
            if (symbol.is_assigned() or symbol.is_imported())
            and (table is self.tables[0] or symbol.is_declared_global())
        }
        found: dict[str, set[str]] = {name: set() for name in names}
        for name, meaning in meanings(self.reached):
            if name in found:
                found[name].add(meaning or f"of {self.name} alone")
        for name in names:
            if not found[name] and self.imported.get(name):
                del found[name]
        return {name: found[name] or {f"of {self.name} alone"} for name in found}

    @cached_property
    def used(self) -> set[str]:
        """The global names that it reads, also in its functions; builtins too."""
        return {
            symbol.get_name()
            for table in self.tables
            for symbol in table.get_symbols()
            if symbol.is_referenced()
            and (table is self.tables[0] or symbol.is_global())
        }


def asks(node: ast.stmt, test: str) -> bool:
    """Whether this is `if` with this test."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == test


def of_snippets(node: ast.AST) -> bool:
    """Whether this is `from snippets.… import …`."""
    return isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "snippets"


def meanings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that the code in a module's own scope sets, each with what to.

    The meaning is empty where it takes more than one statement to tell: loops, `del`.
    """
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                for alias in names:
                    name = alias.asname or alias.name.split(".")[0]
                    yield name, f"import {alias.name if alias.asname else name}"
            case ast.ImportFrom(module=module, names=names) if not of_snippets(child):
                for alias in names:
                    yield alias.asname or alias.name, f"{module} has {alias.name}"
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, ast.dump(child)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for name, _ in meanings(ast.Expr(target)):
                        yield name, ast.dump(child)
                yield from meanings(value)
                continue
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.AST() as value):
                yield name, ast.dump(child)
                yield from meanings(value)
                continue
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name, ""
            case ast.ExceptHandler(name=str(name)):
                yield name, "an error, until it is dealt with"
        if not isinstance(child, OWN_SCOPE):
            yield from meanings(child)


def clashes(parts: Iterable[Part]) -> list[str]:
    """The names that mean one thing in one part and another thing in another part.

    A name that a part reads and does not set is a builtin there, or not defined.
    """
    by_name = {part.name: part for part in parts}

    def meaning(part: Part, name: str) -> set[str]:
        if name in part.bound:
            return part.bound[name]
        if name in part.imported:
            return meaning(by_name[part.imported[name]], name)
        return {"builtin"} if name in part.used else set()

    return [
        f"{name}, which {part.name} sets, means something else in {other.name}"
        for part, other in permutations(by_name.values(), 2)
        for name, own in part.bound.items()
        if meaning(other, name) and meaning(other, name) != own
    ]


def unfit(part: Part) -> list[str]:
    """What a module reads that would not be the same in a script, and what it asks for.

    Such as its own file, and features of Python for one file.
    """
    names = part.used & {"__file__", "__name__", "__package__", "__path__", "__spec__"}
    future = [
        ast.unparse(node)
        for node in part.tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    return sorted(names) + future


def statements(blocks: Iterable[Block]) -> list[ast.stmt]:
    """The statements of a page's script, without those that hold its data."""
    body: list[ast.stmt] = []
    done: set[str] = set()
    for block in blocks:
        own = ast.parse(block.source).body
        for node in filter(of_snippets, own):
            body += statements_of_module(node.module, done)
        rest = [node for node in own if not of_snippets(node)]
        if block.options.raises:
            (guard,) = ast.parse(GUARD.format(block.options.raises)).body
            guard.body = rest
            rest = [guard]
        body += rest
    return body


def statements_of_module(name: str, done: set[str]) -> list[ast.stmt]:
    """A module's statements after those of the modules it imports, each module once."""
    if name in done:
        return []
    done.add(name)
    if name == DATA:
        return []
    body = module(name).tree.body
    before = [
        found
        for node in filter(of_snippets, body)
        for found in statements_of_module(node.module, done)
    ]
    return before + [node for node in body if not of_snippets(node)]


@cache
def module(name: str) -> Part:
    """A module of `snippets` as an import runs it, by its dotted name."""
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(file.read_text("utf8"))
    first = 1 if ast.get_docstring(tree) else 0
    tree.body = [node for node in tree.body[first:] if not asks(node, MAIN)]
    return Part(name, ast.unparse(tree))


def modules_of(part: Part) -> list[Part]:
    """The modules that a part imports from `snippets`, and those that these import."""
    found: list[Part] = []
    waiting = list(part.imported.values())
    while waiting:
        name = waiting.pop()
        if module(name) not in found:
            found.append(module(name))
            waiting += module(name).imported.values()
    return found


@cache
def dump(node: ast.stmt) -> str:
    """A statement in a form that can be compared."""
    return ast.dump(node, annotate_fields=False)
