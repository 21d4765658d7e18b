"""What readers take along, as files of the site: written after each build.

The notebook and script of every page with code, every snippet as a single file, the
notebook of every lab, the plan for the site's scripts, and what the playgrounds read,
the model among it. Each is made once for what it depends on, and kept.
"""

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from literate import store
from literate.handing_out import labs, notebook, standing_alone, tokenizer_files
from literate.handing_out.setup_cell import REQUIREMENTS
from literate.page import Page
from literate.parse import Parsed, parse, parsed_pages
from literate.plan import data
from literate.project import DOCS, SNIPPETS, relative
from literate.running import dependencies, schedule
from literate.sharing import plain
from snippets import RENAMED

KIND = "downloads"
PLAN = "assets/reader/plan.json"
MODEL = ("mini-gpt.safetensors", "mini-gpt.json")  # the weights, and their card
MODEL_FOLDER = "assets/playground/model"


def write(site: Path, url: str) -> None:
    """Write all downloads below the folder of the site; `url` is its address."""
    for name, make in files(url).items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made = make()
        path.write_bytes(made.encode() if isinstance(made, str) else made)


def files(url: str) -> dict[str, Callable[[], str | bytes]]:
    """Each download's path below the site, and what makes its content."""
    found: dict[str, Callable[[], str | bytes]] = {PLAN: plan}
    for parsed in parsed_pages():
        if parsed.has_code:
            found |= _chapter(parsed, url)
        if tokenizer_files.READER in parsed.page.body:
            found |= tokenizer_files.files()
    for path in sorted(SNIPPETS.rglob("*.py")):
        if path.name != "__init__.py":
            found[relative(path)] = functools.partial(snippet, path)
    for old, new in RENAMED.items():  # addresses that once were published
        found[f"snippets/{old}.py"] = found[f"snippets/{new}.py"]
    found |= plain.files(url)
    for path in labs.labs():
        name = path.relative_to(DOCS).with_suffix(".ipynb").as_posix()
        found[name] = functools.partial(lab, path, url)
    if (DOCS / "playground").is_dir():
        for name in MODEL:
            found[f"{MODEL_FOLDER}/{name}"] = (SNIPPETS / "data" / name).read_bytes
    return found


def _chapter(parsed: Parsed, url: str) -> Iterator[tuple[str, Callable[[], str]]]:
    page = parsed.page
    stem = page.name.removeprefix("docs/").removesuffix(".md")
    yield f"{stem}.ipynb", lambda: chapter(page, url)[0]
    yield f"{stem}.py", lambda: chapter(page, url)[1]


def plan() -> str:
    """The plan; raises `PageError` if it is wrong."""
    return json.dumps(data(), ensure_ascii=False)


def chapter(page: Page, url: str) -> tuple[str, ...]:
    """A page's notebook and script."""
    parsed = parse(page)
    sources = [block.source for block in parsed.blocks]

    def make() -> tuple[str, str]:
        book = notebook.notebook(page, url)
        return notebook.dump(book), notebook.script(book)

    about = repr((page.name, parsed.lines, schedule.values(parsed)))
    pinned = store.digest_of_files([REQUIREMENTS])
    return _kept(page.name, [url, about, pinned], sources, make)


def snippet(path: Path) -> str:
    """A file of `snippets/` with all it imports from there, as one file."""
    text = path.read_text("utf8")

    def make() -> tuple[str, ...]:
        return (standing_alone.single_file(path),)

    return _kept(relative(path), [text], [text], make)[0]


def lab(path: Path, url: str) -> str:
    """A lab's notebook, with the tasks left to do."""
    text = path.read_text("utf8")

    def make() -> tuple[str, ...]:
        return (notebook.dump(labs.stripped(path, url)),)

    pinned = store.digest_of_files([REQUIREMENTS])
    return _kept(relative(path), [url, text, pinned], [text], make)[0]


def _kept(
    name: str, parts: list[str], sources: list[str], make: Callable[[], tuple[str, ...]]
) -> tuple[str, ...]:
    """What `make` gives, made once for these parts and all that the sources import."""
    key = store.digest(
        store.own_code(),
        store.version_of("nbformat"),
        store.version_of("jupytext"),
        store.digest_of_files(dependencies.files(sources)),
        *parts,
    )
    found = store.load(KIND, name, key)
    if found is None:
        found = make()
        store.save(KIND, name, key, found)
    return tuple(found)
