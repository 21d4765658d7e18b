"""A page's script is the page: the same statements, and names that mean the same.

Pages run once, on the site's own terms. That their scripts run too is proved without
running each: a script holds exactly the page's statements and those of the modules it
imports (`tests/flat.py`), no name changes its meaning where all share one namespace,
and each module stands alone (`test_inline.py`). A sample is run, one page for each
feature that pages have; `--deep` runs the others too.
"""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from literate.block import Block
from literate.handing_out import downloads
from literate.page import pages
from literate.parse import parse
from literate.project import SNIPPETS
from tests.flat import (
    DATA,
    GUARD,
    Part,
    clashes,
    dump,
    modules_of,
    statements,
    unfit,
)
from tests.processes import run_alone

CHAPTERS = [page for page in pages() if parse(page).has_code]
RULES = ("F821", "F822", "F823")  # names that are not defined, or not yet
OWN_FILE = {("snippets.bert_pretrain", "__file__")}  # the default of an option
GUARDS = Part("the guards", GUARD.format("Exception"))  # around blocks that must raise
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)


@cache
def running(name: str) -> list[Block]:
    """The blocks of a page that run, as its Markdown shows them."""
    page = next(page for page in CHAPTERS if page.name == name)
    return [b for b in parse(page).blocks if not b.options.notest]


@cache
def script_of(name: str) -> str:
    """The text of a page's script."""
    page = next(page for page in CHAPTERS if page.name == name)
    return downloads.chapter(page, "")[1]


@cache
def part_of(name: str) -> Part:
    """The page's own namespace."""
    return Part(name, "\n\n".join(block.source for block in running(name)))


def split(script: str) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements of a script, and apart from them those that hold its data."""
    body = ast.parse(script).body
    for index, node in enumerate(body):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EMBEDDED":
            return body[: index - 2] + body[index + 2 :], body[index - 2 : index + 2]
    return body, []


@each_chapter
class TestChapter:
    def test_the_script_has_the_statements_of_the_page(self, page):
        wanted = statements(running(page.name))
        if "alias('matplotlib.pyplot', 'plt')" in "".join(map(dump, wanted)):
            wanted += ast.parse("plt.show()").body
        found, _ = split(script_of(page.name))
        assert found
        assert list(map(dump, found)) == list(map(dump, wanted))

    def test_no_name_changes_its_meaning_in_the_one_namespace(self, page):
        own = part_of(page.name)
        _, data = split(script_of(page.name))
        modules = [
            stand_in(data) if part.name == DATA else part for part in modules_of(own)
        ]
        assert clashes([own, *modules]) == clashes([*modules, GUARDS]) == []
        assert not reads_error_of_another_block(page.name)
        found = {(part.name, what) for part in modules for what in unfit(part)}
        assert found <= OWN_FILE
        assert not re.search(r"""["'](snippets|proofs|literate)\b""", own.source)

    def test_the_data_that_it_reads_goes_along(self, page):
        _, data = split(script_of(page.name))
        parts = [part_of(page.name), *modules_of(part_of(page.name))]
        texts = "\n".join(part.source for part in parts)
        names = set(re.findall(r"""\bread_data\(\s*["']([^"']+)""", texts))
        assert bool(names) == bool(data)
        namespace: dict = {}
        exec(compile(ast.Module(data, []), "data", "exec"), namespace)
        for name in names:
            content = (SNIPPETS / "data" / name).read_bytes()
            assert namespace["read_data"](name) == content


def reads_error_of_another_block(name: str) -> bool:
    """Whether a block reads an `error` that a guard before it may have deleted."""
    parts = [Part(block.label, block.source) for block in running(name)]
    guarded = any(block.options.raises for block in running(name))
    return guarded and any("error" in part.used - part.bound.keys() for part in parts)


def stand_in(data: list[ast.stmt]) -> Part:
    """The part of a script that holds its data, without the data."""
    data[2].value = ast.Dict([], [])
    return Part(DATA, ast.unparse(ast.Module(data, [])))


def test_all_scripts_compile_and_no_name_in_them_is_undefined(tmp_path):
    for page in CHAPTERS:
        path = tmp_path / (page.name.replace("/", "--").removesuffix(".md") + ".py")
        compile(script_of(page.name), path, "exec")
        path.write_text(script_of(page.name), "utf8")
    command = ("-m", "ruff", "check", "--isolated", "--output-format", "json")
    done = subprocess.run(
        [sys.executable, *command, "--select", ",".join(RULES), str(tmp_path)],
        capture_output=True,
        text=True,
        encoding="utf8",
    )
    found = {
        (Path(problem["filename"]).stem, problem["message"])
        for problem in json.loads(done.stdout)
    }
    assert not found


# --- a sample, run

SNIPPET = re.compile(r"^from (snippets\.[\w.]+) import ", re.MULTILINE)
PATTERNS = {  # read from the text of a page's blocks, since all pages are looked at
    "a block that raises": r"^raises$",
    "a figure": r"\bplt\.",
    "data": r"\b(?:load_text|read_data)\(",
    "worker processes": r"num_workers=[1-9]",
    "another interpreter": r"sys\.executable",
    "files": r"\bsave\(|\.write_|\bopen\(",
    "a program's main": r"^from snippets\..* import .*\bmain\b",
}


def features(name: str) -> set[str]:
    """What a page does that a script of its own could fail at."""
    blocks = running(name)
    text = "\n".join(block.source for block in blocks)
    text += "\nraises\n" * any(block.options.raises for block in blocks)
    snippets = set(SNIPPET.findall(text))
    found = {f for f, p in PATTERNS.items() if re.search(p, text, re.MULTILINE)}
    found.add(("no snippet", "one snippet", "several snippets")[min(len(snippets), 2)])
    return found


def sample() -> set[str]:
    """The names of pages that have all features together: of each the shortest."""
    chosen: set[str] = set()
    of = {page.name: features(page.name) for page in CHAPTERS}
    lengths = {name: sum(len(b.lines) for b in running(name)) for name in of}
    for feature in sorted(set().union(*of.values())):
        pages_with = [name for name in of if feature in of[name]]
        if not chosen.intersection(pages_with):
            chosen.add(min(pages_with, key=lambda name: (lengths[name], name)))
    return chosen


def chapters_to_run() -> list:
    """Each chapter; those outside of the sample are for `--deep`."""
    chosen = sample()
    return [
        pytest.param(
            page, id=page.name, marks=[] if page.name in chosen else pytest.mark.deep
        )
        for page in CHAPTERS
    ]


@pytest.mark.parametrize("page", chapters_to_run())
def test_the_script_runs_in_an_empty_folder(page, tmp_path):
    path = tmp_path / "chapter.py"
    path.write_text(script_of(page.name), "utf8")
    done = run_alone(path, "__main__")
    assert done.returncode == 0, done.stderr
