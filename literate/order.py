"""Nothing is used before it is shown: what pages need from `snippets/`, and show of it.

A page shows what it embeds (`--8<-- "attention.py:causal-mask"`). It needs what its
blocks import, and what the embedded lines use of their own module and of others. What a
page needs must be shown on it or on a page before it; a block may say
`later="/llm/day-3/self-attention.md"`.
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from literate import nav
from literate.page import Page, Problem, day_of
from literate.parse import Parsed, parse
from literate.project import SNIPPETS, stamp

INCLUDE = re.compile(
    r"^[ \t>]*-+8<-+[ \t]+[\"'](?P<file>[^\"':]+\.py)(?::(?P<section>[\w-]+))?[\"']$"
)
MARK = re.compile(r"# --8<-- \[(?P<kind>start|end):(?P<name>[\w-]+)\]")
# How a file beside the snippets is read, and rows are printed: their names say it all.
UTILITIES = {("data", "read_data"), ("table", "Table")}
LINK = re.compile(r"\]\((?P<target>/[^)#]+\.md)")

Name = tuple[str, str]  # a module of `snippets`, as `mini_gpt.model`, and a name in it


@dataclass(frozen=True)
class Module:
    """What a file of `snippets/` defines and uses, by line."""

    name: str
    sections: dict[str, range]
    defined: dict[str, int]
    imported: dict[str, Name]
    uses: tuple[tuple[int, str], ...]

    def shows(self, lines: range) -> set[Name]:
        """What these lines of it define."""
        return {(self.name, n) for n, line in self.defined.items() if line in lines}

    def needs(self, lines: range) -> set[Name]:
        """What these lines of it use, of it and of other modules."""
        used = {name for line, name in self.uses if line in lines}
        own = {(self.name, name) for name in used if name in self.defined}
        return own | {self.imported[name] for name in used if name in self.imported}


def module(path: Path) -> Module:
    """What is in a file of `snippets/`, read once for as long as it stays as it is."""
    return _module(path, stamp(path))


@functools.lru_cache(maxsize=1024)
def _module(path: Path, stamp: tuple[int, int, int]) -> Module:
    text = path.read_text("utf8")
    tree = ast.parse(text)
    package = path.parent.relative_to(SNIPPETS.parent).parts
    return Module(
        name=".".join(path.relative_to(SNIPPETS).with_suffix("").parts),
        sections=_sections(text),
        defined=dict(_defined(tree)),
        imported=dict(_imported(tree, package)),
        uses=tuple(
            (node.lineno, node.id)
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        ),
    )


def _sections(text: str) -> dict[str, range]:
    lines = text.split("\n")
    found = {"": range(1, len(lines) + 1)}
    starts: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if mark := MARK.search(line):
            if mark["kind"] == "start":
                starts[mark["name"]] = number
            elif mark["name"] in starts:
                found[mark["name"]] = range(starts[mark["name"]], number)
    return found


def _defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name):
                        yield part.id, node.lineno


def _imported(
    tree: ast.AST, package: tuple[str, ...] = ()
) -> Iterator[tuple[str, Name]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = [*base, *filter(None, (node.module or "").split("."))]
            if parts[:1] == ["snippets"]:
                for alias in node.names:
                    name = (".".join(parts[1:]), alias.name)
                    if name not in UTILITIES:
                        yield alias.asname or alias.name, name


@dataclass(frozen=True)
class Need:
    """What a block of a page uses of `snippets/`, and where."""

    line: int
    name: Name
    later: str

    @property
    def full(self) -> str:
        """As one would import it."""
        return f"snippets.{'.'.join(filter(None, self.name))}"


def embedded(page: Page) -> Iterator[tuple[int, Module, range]]:
    """The lines of snippets that a page embeds, each with the page's own line."""
    for number, text in page.lines():
        match = INCLUDE.match(text)
        path = SNIPPETS / match["file"] if match else None
        if match and path and path.is_file():
            found = module(path)
            lines = found.sections.get(match["section"] or "")
            if lines:
                yield number, found, lines


def shown(page: Page) -> set[Name]:
    """What a page shows of `snippets/`."""
    return set().union(*(found.shows(lines) for _, found, lines in embedded(page)))


def needs(parsed: Parsed) -> Iterator[Need]:
    """What a page uses of `snippets/`, block after block."""
    inside = list(embedded(parsed.page))
    for block in parsed.blocks:
        names = [name for _, name in _imported(_tree(block.source))]
        for line, found, lines in inside:
            if line in block.lines:
                names += sorted(found.needs(lines))
        for name in dict.fromkeys(names):
            yield Need(block.line, name, block.options.later)


def _tree(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:  # a page may show one
        return ast.Module([], [])


def before(page: Page) -> list[Page]:
    """The pages that a page may build on: of its track, and those its opening names.

    A page that is `optional: true` does not count for one that is not.
    """
    ordered = nav.topics()
    names = [other.name for other in ordered]
    place, track = names.index(page.name), day_of(page).split("-")[0]
    named = set(_named_in_opening(page))
    return [
        other
        for index, other in enumerate(ordered)
        if (index < place and day_of(other).startswith(track)) or other.name in named
        if not other.meta.get("optional") or page.meta.get("optional")
    ]


def _named_in_opening(page: Page) -> Iterator[str]:
    """Pages of the other track that the opening names."""
    inside, track = False, day_of(page).split("-")[0]
    for _, text in page.lines():
        inside = text.startswith("/// opening") or (inside and text.strip() != "///")
        for match in LINK.finditer(text) if inside else ():
            if not match["target"].startswith(f"/{track}/"):
                yield f"docs{match['target']}"


def all_shown() -> dict[str, set[Name]]:
    """What each topic page shows, by the pages' names, in order."""
    return {page.name: shown(page) for page in nav.topics()}


def problems(page: Page, by_page: Mapping[str, set[Name]]) -> list[Problem]:
    """What a page uses that neither it nor a page before it has shown.

    `by_page` is `all_shown()`.
    """
    parsed = parse(page)
    known = shown(page).union(*(by_page[other.name] for other in before(page)))
    found: list[Problem] = []
    promised: set[str] = set()
    for need in needs(parsed):
        if need.name in known or is_module(need.name):
            continue
        where = next((n for n, names in by_page.items() if need.name in names), "")
        place = where.removeprefix("docs")
        if place and need.later == place:
            promised.add(need.later)
        else:
            found.append(Problem(need.line, _message(need, place)))
    return [*found, *_later_problems(parsed, promised)]


def is_module(name: Name) -> bool:
    """Whether `from snippets.a import b` imports a file, not a name in one."""
    return SNIPPETS.joinpath(*name[0].split("."), f"{name[1]}.py").is_file()


def _later_problems(parsed: Parsed, promised: Iterable[str]) -> Iterator[Problem]:
    """Promises that are not needed, and pages that do not say where a box is opened."""
    links = {m["target"] for line in parsed.outside() for m in LINK.finditer(line.text)}
    for block in parsed.blocks:
        later = block.options.later
        if later and later not in promised:
            message = f'later="{later}" is not needed here: that page shows nothing'
            yield Problem(block.line, f"{message} that this block uses")
        elif later and later not in links:
            message = f"say in a sentence what the black box does, and link to {later}"
            yield Problem(block.line, message)


def _message(need: Need, place: str) -> str:
    if not place:
        return f"{need.full} is used, and no page shows it: embed it before"
    return (
        f"{need.full} is used before it is shown, on {place}: embed it, move this page"
        f' behind that one, or write later="{place}" and say in a sentence what it does'
    )
