"""The catalogue of the snippets: what each is, and its page, day, proofs and tests.

Read from the files alone: `snippets/` and `proofs/` are parsed, not imported. Pages
show it by day; `python -m literate.catalogue --write` makes `snippets/README.md` of it.
"""

import argparse
import ast
import functools
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from literate.page import Page, day_of, pages
from literate.project import PROOFS, ROOT, SNIPPETS, PageError, relative
from literate.running.dependencies import mentioned

OTHERS = "others"
README = SNIPPETS / "README.md"
TESTS = ROOT / "tests"
TRACKS = {"llm": "LLM", "pytorch": "PyTorch"}
HEAD = """\
# Snippets

The code of the book: one idea a file, to read, copy and import. This list is made from
the files by `python -m literate.catalogue --write`.

| File | What it is | Built on | Proved against | Tested in |
|:--|:--|:--|:--|:--|
"""
SENTENCE = re.compile(r"(.+?[.?])(?:\s|$)")
MARKUP = re.compile(r"`[^`]*`|[\\*_<>\[\]$]")


@dataclass(frozen=True)
class Snippet:
    """A file of `snippets/` as a reader looks back at it."""

    path: Path
    says: str  # the first sentence of its docstring
    names: dict[str, str]  # what it defines, with the first sentence of each
    page: Page | None  # the page that builds it

    @property
    def module(self) -> str:
        """Its dotted name: `snippets.tokenizers.bpe`."""
        return relative(self.path).removesuffix(".py").replace("/", ".")

    @property
    def group(self) -> str:
        """The day that builds it, such as `llm-3`."""
        return day_of(self.page) if self.page else OTHERS


def snippets() -> list[Snippet]:
    """All files that readers copy, in the order of their paths."""
    topics = [page for page in pages() if day_of(page)]
    found = []
    for path in sorted(SNIPPETS.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        tree = ast.parse(path.read_text("utf8"))
        names = {
            node.name: sentence(ast.get_docstring(node))
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
        }
        says = sentence(ast.get_docstring(tree))
        found.append(Snippet(path, says, names, _built_on(path, topics)))
    return found


def _built_on(path: Path, topics: list[Page]) -> Page | None:
    """The page that shows most of a file; of several, the first."""
    mark = f'--8<-- "{path.relative_to(SNIPPETS).as_posix()}'
    shown = {page.path: page.body.count(mark) for page in topics}
    most = max(topics, key=lambda page: shown[page.path])
    return most if shown[most.path] else None


def sentence(docstring: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    text = " ".join((docstring or "").split())
    match = SENTENCE.match(text)
    return (match[1] if match else text).rstrip(":")


def proofs() -> dict[str, list[str]]:
    """For each dotted name of ours, what the proofs compare it with."""
    files = sorted(PROOFS.glob("*.py"))
    return _proofs(tuple((path, path.stat().st_mtime_ns) for path in files))


@functools.lru_cache(maxsize=1)
def _proofs(files: tuple[tuple[Path, int], ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, _ in files:
        body = ast.parse(path.read_text("utf8")).body
        named = {
            ast.unparse(node.targets[0]): node.value
            for node in body
            if isinstance(node, ast.Assign)
        }
        calls = [call for node in body for call in getattr(node, "decorator_list", [])]
        for call in calls:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "proof":
                given = {keyword.arg: keyword.value for keyword in call.keywords}
                ours = _text(path, given["ours"], named)
                found.setdefault(ours, []).append(_text(path, given["theirs"], named))
    return found


def _text(path: Path, value: ast.expr, named: dict[str, ast.expr]) -> str:
    """The text of a string, written out there or as a constant of the module."""
    meant = named.get(ast.unparse(value), value)
    if isinstance(meant, ast.Constant) and isinstance(meant.value, str):
        return meant.value
    raise PageError(
        f"{relative(path)}:{value.lineno}: ours and theirs of a proof must be strings,"
        f" or constants of the module, not {ast.unparse(value)}"
    )


def of_group(group: str, to_root: str = "") -> list[str]:
    """The snippets of a day, or those that no page builds, as Markdown.

    `to_root` leads from the page that shows them to the site's root, for downloads.
    """
    entries = [
        _entry(snippet, to_root) for snippet in snippets() if snippet.group == group
    ]
    return [line for entry in entries for line in entry]


def _entry(snippet: Snippet, to_root: str) -> list[str]:
    """A snippet: what it is, where it is built and tested, what it defines."""
    path = relative(snippet.path)
    where = []
    if snippet.page:
        link = snippet.page.name.removeprefix("docs")
        where.append(f"built in [{snippet.page.title}]({link})")
    if tests := tests_of(snippet):
        where.append("tested in " + ", ".join(f"`{name}`" for name in tests))
    where.append(f'<a href="{to_root}{path}" download>download</a>')
    anchor = re.sub(r"[._]", "-", snippet.module)
    heading = f"### `{path}` {{#{anchor}}}"
    lines = [heading, "", shown(snippet.says), "", " · ".join(where), ""]
    for name, says in snippet.names.items():
        theirs = ", ".join(
            f"`{their}`" for their in against(f"{snippet.module}.{name}")
        )
        proved = f" *Proved against* {theirs}." if theirs else ""
        lines.append(f"- `{name}`: {shown(says)}{proved}")
    return [*lines, ""]


def by_name() -> list[str]:
    """All that the snippets define, by name, each with the page that builds it."""
    entries = sorted(
        (
            (name, says, snippet)
            for snippet in snippets()
            for name, says in snippet.names.items()
        ),
        key=lambda entry: (entry[0].casefold(), entry[0], entry[2].module),
    )
    lines: list[str] = []
    for letter, members in groupby(entries, lambda entry: entry[0][0].upper()):
        lines += ["", f"## {letter} {{#names-{letter.lower()}}}", ""]
        lines += [_named(*entry) for entry in members]
    return lines


def _named(name: str, says: str, snippet: Snippet) -> str:
    """A name, its file where no page builds it, and its sentence."""
    if snippet.page is None:
        return f"- `{name}` in `{relative(snippet.path)}`: {shown(says)}"
    return f"- [`{name}`]({snippet.page.name.removeprefix('docs')}): {shown(says)}"


def against(ours: str) -> list[str]:
    """What a name, and what belongs to it, is compared with."""
    theirs = [
        their
        for proved, others in proofs().items()
        if proved == ours or proved.startswith(f"{ours}.")
        for their in others
    ]
    return list(dict.fromkeys(theirs))


def tests_of(snippet: Snippet) -> list[str]:
    """The file that tests it by its name; if there is none, all that import it."""
    parts = snippet.path.relative_to(SNIPPETS).with_suffix("").parts
    own = {f"test_{name}.py" for name in (parts[-1], "_".join(parts))}
    found = [p for p, names in _mentioned().items() if snippet.module in names]
    chosen = [path for path in found if path.name in own] or found
    return [relative(path) for path in chosen]


@functools.cache
def _mentioned() -> dict[Path, frozenset[str]]:
    """For each file of tests of snippets, the modules that it imports or starts."""
    files = sorted((TESTS / "snippets").glob("test_*.py"))
    return {path: mentioned(path.read_text("utf8")) for path in files}


def readme() -> str:
    """The contents of `snippets/README.md`: a row for each file."""
    return HEAD + "".join(f"| {' | '.join(_row(s))} |\n" for s in snippets())


def _row(snippet: Snippet) -> tuple[str, ...]:
    path = snippet.path.relative_to(SNIPPETS).as_posix()
    page, built = snippet.page, "–"
    if page:
        track, day = snippet.group.split("-")
        link = f"../{page.name}"
        built = f"{TRACKS[track]} day {day}: [{page.title}]({link})"
    theirs = ", ".join(f"`{their}`" for their in against(snippet.module)) or "–"
    tests = ", ".join(f"`{name}`" for name in tests_of(snippet)) or "–"
    says = shown(snippet.says).replace("|", "\\|")
    return f"[`{path}`]({path})", says, built, theirs, tests


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the list of the snippets, or say whether it is as the files are."""
    parser = argparse.ArgumentParser(prog="python -m literate.catalogue")
    parser.add_argument("--write", action="store_true", help="write it to the file")
    if parser.parse_args(arguments).write:
        README.write_text(readme(), "utf8", newline="\n")
    elif not README.is_file() or README.read_text("utf8") != readme():
        print(f"{relative(README)} is old: python -m literate.catalogue --write")
        return 1
    return 0


def shown(text: str) -> str:
    """A docstring's sentence as Markdown that shows just its characters.

    >>> print(shown("d_ff of `a_b`, 2 * 3"))
    d\\_ff of `a_b`, 2 \\* 3

    Brackets become entities: with a backslash they would stand around a formula. The
    company whose name is an emoji is written in letters, which every system can show.
    """
    text = text.replace("🤗", "Hugging Face")

    def escaped(match: re.Match[str]) -> str:
        entity = {"[": "&#91;", "]": "&#93;"}.get(match[0])
        return match[0] if match[0].startswith("`") else entity or "\\" + match[0]

    return MARKUP.sub(escaped, text)


if __name__ == "__main__":
    sys.exit(main())
