"""Imports from `snippets` replaced by what they import, so that a file stands alone.

A page's notebook and script, and each snippet, are offered as single files that run in
an empty folder. All code then shares one namespace: two modules may not give one name
two meanings. Data that a module reads by `read_data("file")` goes along, compressed.
"""

import ast
import base64
import functools
import lzma
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from literate.project import ROOT, SNIPPETS, PageError, relative, stamp

DATA = "snippets.data"
EMBEDDED = '''\
import base64
import lzma

EMBEDDED = {{
{files}}}


def read_data(name: str) -> bytes:
    """The contents of a file that the book ships, compressed above."""
    if name not in EMBEDDED:
        known = ", ".join(EMBEDDED)
        raise FileNotFoundError(f"no file {{name!r}}; there are: {{known}}")
    return lzma.decompress(base64.b85decode("".join(EMBEDDED[name].split())))
'''


@dataclass(frozen=True)
class Module:
    """A snippet to be put in place: its file, its summary, and its code."""

    path: str
    summary: str
    code: str


@dataclass
class Inliner:
    """Replaces imports, each module once; `place` starts the messages of errors."""

    place: str
    sources: list[str]  # all pieces of code that will share the namespace
    done: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)  # top-level name: its module

    def replace(self, source: str) -> tuple[list[Module], str]:
        """The modules to put before a piece of code, and the code without imports.

        A comment stands where an import was.

        Raises `PageError` for an import in another form than `from snippets.x import a`
        at the top level, and for names with two meanings.
        """
        lines = source.split("\n")
        wanted: list[str] = []
        for node in reversed(self._imports(source)):
            names = ", ".join(alias.name for alias in node.names)
            comment = f"# from {node.module}, above: {names}"
            wrapped = textwrap.wrap(comment, 88, subsequent_indent="#   ")
            lines[node.lineno - 1 : node.end_lineno] = wrapped
            wanted.insert(0, node.module or "")
        modules = [module for name in wanted for module in self._module(name)]
        return modules, "\n".join(lines).strip("\n")

    def _imports(self, source: str) -> list[ast.ImportFrom]:
        """The top-level imports from `snippets`, after a check of all imports."""
        found, wrong = imports_in(source)
        if wrong:
            raise PageError(
                f"{self.place}: {ast.unparse(wrong[0])!r}: files that stand alone need"
                " `from snippets.module import name`, at the top level, on lines of"
                " its own"
            )
        return found

    def _module(self, name: str) -> list[Module]:
        """A module after those it imports; nothing if it is there already."""
        if name in self.done:
            return []
        self.done.add(name)
        path = module_path(name)
        if not path.is_file():
            raise PageError(f"{self.place}: there is no module {name}")
        text = path.read_text("utf8")
        self._claim(name, definitions(text))
        summary = (ast.get_docstring(tree_of(text)) or "").split("\n")[0]
        if name == DATA:
            return [Module(relative(path), summary, self._data())]
        before, code = self.replace(without_frame(text))
        return [*before, Module(relative(path), summary, code)]

    def _claim(self, module: str, names: Iterable[str]) -> None:
        for name in names:
            owner = self.owners.setdefault(name, module)
            if owner != module:
                raise PageError(
                    f"{self.place}: {owner} and {module} both define {name!r}; in one"
                    " file only one of them could stay: rename one"
                )

    def check_page(self, sources: Iterable[str]) -> None:
        """Raise `PageError` if a page gives a name of its modules another meaning."""
        known = {
            name: meaning
            for module in self.done - {DATA}
            for name, meaning in definitions(
                module_path(module).read_text("utf8")
            ).items()
        }
        for source in sources:
            try:
                own = definitions(source)
            except SyntaxError:
                continue
            for name, meaning in own.items():
                if name in known and meaning != known[name]:
                    raise PageError(
                        f"{self.place}: the page defines {name!r} anew, which"
                        f" {self.owners[name]} uses for something else: rename it"
                    )

    def _data(self) -> str:
        files = "".join(
            f'    "{name}": """\n{compressed(SNIPPETS / "data" / name)}\n""",\n'
            for name in sorted(self._data_names())
        )
        return EMBEDDED.format(files=files)

    def _data_names(self) -> set[str]:
        """The files that the code, or a module it imports, reads by a literal name."""
        names: set[str] = set()
        waiting, seen = list(self.sources), set[str]()
        while waiting:
            try:
                modules, calls = asked_for(waiting.pop())
            except SyntaxError:
                continue
            for module in modules - seen:
                seen.add(module)
                path = module_path(module)
                if path.is_relative_to(SNIPPETS) and path.is_file():
                    waiting.append(path.read_text("utf8"))
            names.update(map(self._data_name, calls))
        return names

    def _data_name(self, call: ast.Call) -> str:
        match call.args:
            case [ast.Constant(value=str(name))]:
                if not (SNIPPETS / "data" / name).is_file():
                    raise PageError(f"{self.place}: no file {name!r} in snippets/data")
                return name
        raise PageError(f"{self.place}: {ast.unparse(call)}: the name must be literal")


# Each of these reads a text once: modules come again with every page that needs them.


@functools.lru_cache(maxsize=4096)
def tree_of(text: str) -> ast.Module:
    """The syntax tree of a text; only to be read."""
    return ast.parse(text)


@functools.lru_cache(maxsize=4096)
def imports_in(text: str) -> tuple[list[ast.ImportFrom], list[ast.stmt]]:
    """The top-level imports from `snippets`, and those that have no place in a file."""
    try:
        tree = tree_of(text)
    except SyntaxError:  # a block that must raise it
        return [], []
    found: list[ast.ImportFrom] = []
    wrong: list[ast.stmt] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.Import):
            is_wrong = any(name.split(".")[0] == "snippets" for name in names)
        else:
            if node.level == 0 and (node.module or "").split(".")[0] != "snippets":
                continue
            aliased = any(alias.asname for alias in node.names)
            at_top = node in tree.body and not _shares_a_line(node, tree)
            is_wrong = node.module == "snippets" or aliased or not at_top
            is_wrong = is_wrong or node.level > 0
            found.append(node)
        if is_wrong or "*" in names:
            wrong.append(node)
    return sorted(found, key=lambda node: node.lineno), wrong


@functools.lru_cache(maxsize=4096)
def asked_for(text: str) -> tuple[set[str], list[ast.Call]]:
    """The modules that a text imports from, and its calls of `read_data`."""
    modules: set[str] = set()
    calls: list[ast.Call] = []
    for node in ast.walk(tree_of(text)):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "read_data":
            calls.append(node)
    return modules, calls


def _shares_a_line(statement: ast.stmt, tree: ast.Module) -> bool:
    """Whether another statement stands on one of a statement's lines."""
    ends = statement.end_lineno or statement.lineno
    return any(
        other.lineno <= ends and (other.end_lineno or 0) >= statement.lineno
        for other in tree.body
        if other is not statement
    )


def single_file(path: Path) -> str:
    """A snippet with all it imports from `snippets`, as one file."""
    name = relative(path)
    text = path.read_text("utf8")
    inliner = Inliner(name, [text])
    tree = tree_of(text)
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    inliner._claim(module, definitions(text))
    first = tree.body[1] if ast.get_docstring(tree) and len(tree.body) > 1 else None
    cut = first.lineno - 1 if first else 0
    lines = text.split("\n")
    head, body = "\n".join(lines[:cut]), "\n".join(lines[cut:])
    modules, code = inliner.replace(body)
    parts = [without_marks(head).strip("\n")]
    parts += [f"# {module.path}: {module.summary}\n{module.code}" for module in modules]
    if modules:
        parts.append(f"# {name}")
    parts.append(without_marks(code).strip("\n"))
    return "\n\n\n".join(part for part in parts if part) + "\n"


def module_path(name: str) -> Path:
    """The file of a module of this name."""
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.lru_cache(maxsize=4096)
def definitions(text: str) -> dict[str, str]:
    """The names that a module's top level binds, imports left out, and to what."""
    found: dict[str, str] = {}
    for node in tree_of(text).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[node.name] = ast.dump(node)
            case ast.Assign() | ast.AnnAssign() | ast.For() | ast.With():
                for name in stored(node):
                    found[name] = ast.dump(node)
    return found


def stored(statement: ast.stmt) -> list[str]:
    """The variables that a statement sets, those of comprehensions left out."""
    match statement:
        case ast.Assign():
            targets: list[ast.AST] = list(statement.targets)
        case ast.AnnAssign():
            targets = [statement.target]
        case ast.For():
            targets = [statement.target, *statement.body]
        case _:
            targets = [statement]
    walked = (node for target in targets for node in ast.walk(target))
    return [
        node.id
        for node in walked
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


@functools.lru_cache(maxsize=1024)
def without_frame(text: str) -> str:
    """A module's code without its docstring, its program part and section marks."""
    lines, tree = text.split("\n"), tree_of(text)
    for node in reversed(tree.body):
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            del lines[node.lineno - 1 : node.end_lineno]
    if ast.get_docstring(tree):
        del lines[tree.body[0].lineno - 1 : tree.body[0].end_lineno]
    return without_marks("\n".join(lines))


def without_marks(text: str) -> str:
    """Code without the marks of its sections, and the blank lines they leave."""
    kept = [line for line in text.split("\n") if not line.startswith("# --8<--")]
    tidy: list[str] = []
    for line in kept:
        if line.strip() or tidy[-2:] != ["", ""]:
            tidy.append(line)
    return "\n".join(tidy).strip("\n")


def compressed(path: Path) -> str:
    """A file as lines of text that hold no quote and no backslash (base 85)."""
    return _compressed(path, stamp(path))


@functools.lru_cache(maxsize=64)
def _compressed(path: Path, stamp: tuple[int, int, int]) -> str:
    packed = base64.b85encode(lzma.compress(path.read_bytes(), preset=9)).decode()
    return "\n".join(textwrap.wrap(packed, 88))
