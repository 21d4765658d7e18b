"""A chapter as a notebook and as a script, in plain Markdown and plain Python.

Site syntax does not survive: admonitions and tabs become quotes and titled parts,
questions get their answers folded below, links lead to the published site where its
address is known. Code cells are exactly the blocks that the page runs.
"""

import ast
import copy
import posixpath
import re
from collections.abc import Iterator

import jupytext
import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from literate.block import Block
from literate.handing_out import setup_cell
from literate.handing_out.standing_alone import Inliner
from literate.inline import replaced
from literate.page import Page
from literate.parse import CLOSING, ID, OPENING, parse
from literate.running import schedule
from literate.showing.exercises import CHOICE

BOX = re.compile(
    r'^(?P<indent> *)(?:!!!|\?\?\?\+?) +(?P<kind>[\w-]+)[^"]*(?:"(?P<title>.*)")?$'
)
TAB = re.compile(r'^(?P<indent> *)===[!+]? +"(?P<title>.*)"$')
HTML_BLOCK = re.compile(r"^\s*<(?P<tag>!--|figure\b|svg\b|[a-z]+-[a-z-]+)")
CAPTION = re.compile(r"<figcaption>(.*)</figcaption>")
MARKDOWN_TAG = re.compile(r"^\s*</?(?:div|section)\b[^>]*>\s*$")
ATTRIBUTES = re.compile(r"[ \t]*\{:?[ \t]*[#.][^{}\n]*\}")
CODE_OR_LINK = re.compile(
    r"`[^`]+`|(?P<image>!?)\[(?P<label>[^\]]*)\]\((?P<target>[^)\s]+)\)"
)
FOOTNOTE = re.compile(r"\[\^([\w-]+)\]:?")
# a formula in a line, as the site reads it, or a dollar that is none
INLINE_TEX = re.compile(
    r"\\\((?P<tex>.+?)\\\)"
    r"|(?<![\\$])\$(?![\s$])(?!\d(?:[^$]*[^\s$])?\$\d)(?P<dollars>(?:\\.|[^\\$])+?)"
    r"(?<!\s)\$|(?<![\\$])\$(?!\$)"
)
DISPLAY_TEX = re.compile(r"^\s*\\[\[\]]\s*$")
TITLES = {
    "opening": "",
    "question": "**Check yourself.** {}",
    "fact": "**{}**",
    "exercise": "**Exercise.** {}",
    "solution": "**{}**",
    "gather": "*On the site, a list of other pages' parts stands here.*",
}
SNIPPET = "snippet"  # the tag of a cell that holds a module the page imports
KERNEL = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def notebook(page: Page, site_url: str = "") -> NotebookNode:
    """The page as a notebook, not executed, with the values of its prose in place.

    Raises `PageError` if the page cannot be read, or fails where it has such values.
    """
    parsed = parse(page).sound()
    lines, blocks_at = parsed.lines, parsed.python
    values = schedule.values(parsed)
    at = {fence.start: fence for fence in parsed.fences}
    prose, cells, index = Prose(page, site_url), [], 0
    while index < len(lines):
        fence = at.get(index)
        if fence is None:
            prose.line(parsed.with_values(index, lambda v: values[v.block][v.code]))
        elif index in blocks_at:
            block = blocks_at[index]
            own = values[block.index]
            cells += [*_markdown(prose.cell()), *_code_cells(block, own)]
        else:
            prose.fence([line.text for line in lines[index : fence.end + 1]])
        index = fence.end + 1 if fence else index + 1
    cells += _markdown(prose.cell())
    made = new_notebook(cells=ready_to_run(page.name, cells), metadata=KERNEL)
    nbformat.validate(made)
    return made


def _markdown(text: str) -> list[NotebookNode]:
    return [new_markdown_cell(text)] if text else []


def ready_to_run(place: str, cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, what they need installed before them, numbered alike at each build.

    What they import from `snippets` stands in cells before them. `place` starts the
    messages of errors.
    """
    cells = _standing_alone(place, cells)
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    cells = [*setup_cell.cells(code), *cells]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return cells


def _standing_alone(place: str, cells: list[NotebookNode]) -> list[NotebookNode]:
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    inliner = Inliner(place, sources)
    made: list[NotebookNode] = []
    for cell in cells:
        if cell.cell_type == "code":
            modules, cell.source = inliner.replace(cell.source)
            for module in modules:
                made.append(new_markdown_cell(f"`{module.path}`: {module.summary}"))
                made.append(new_code_cell(module.code, metadata={"tags": [SNIPPET]}))
        made.append(cell)
    inliner.check_page(sources)
    return made


def script(book: NotebookNode) -> str:
    """A page's notebook as a script in percent format, which runs from top to end.

    It installs nothing: what a notebook begins with is left out.
    """
    made = copy.deepcopy(book)
    made.cells = [
        c for c in made.cells if setup_cell.TAG not in c.metadata.get("tags", [])
    ]
    for cell in made.cells:
        if raises := cell.metadata.pop("raises", None):
            cell.source = _guarded(cell.source, raises)
        cell.metadata.pop("tags", None)
    code = (cell.source for cell in book.cells if cell.cell_type == "code")
    if any(map(_has_plt, code)):
        made.cells.append(new_code_cell("plt.show()"))
    made.metadata = {"jupytext": {"notebook_metadata_filter": "-all"}}
    return jupytext.writes(made, fmt="py:percent")


def dump(made: NotebookNode) -> str:
    """The notebook's file."""
    return nbformat.writes(made) + "\n"


def _guarded(source: str, raises: str) -> str:
    """Code that must raise an error, which is printed; it may not even parse."""
    try:
        body = _indented(source)
    except SyntaxError:
        body = f"    exec({source!r})"
    return (
        f"try:\n{body}\nexcept {raises} as error:\n"
        f'    print(f"{{type(error).__name__}}: {{error}}")'
    )


def _indented(source: str) -> str:
    """Code four columns to the right, but for the insides of texts of several lines."""
    texts = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Constant, ast.JoinedStr))
    ]
    inside = {
        number
        for text in texts
        for number in range(text.lineno + 1, (text.end_lineno or text.lineno) + 1)
    }
    return "\n".join(
        f"    {line}" if line and number not in inside else line
        for number, line in enumerate(source.split("\n"), 1)
    )


def _has_plt(source: str) -> bool:
    """Whether code imports pyplot by its usual name."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    imports = (node for node in body if isinstance(node, (ast.Import, ast.ImportFrom)))
    names = (alias for node in imports for alias in node.names)
    return any(name.asname == "plt" for name in names)


def _code_cells(block: Block, values: dict[str, str]) -> Iterator[NotebookNode]:
    options = block.options
    if options.notest:
        code = f"```python\n{block.source}\n```"
        yield new_markdown_cell(f"Not run here ({options.notest}):\n\n{code}")
        return
    if options.title.endswith(".py"):  # the file that the code lives in
        yield new_markdown_cell(f"`{options.title}`")
    cell = new_code_cell(block.source.strip("\n"))
    if options.raises:
        cell.metadata["tags"] = ["raises-exception"]
        cell.metadata["raises"] = options.raises
    yield cell
    if options.caption:
        caption = replaced(options.caption, values.__getitem__)
        yield new_markdown_cell(f"*{caption}*")


class Prose:
    """Turns the lines of a page, one after the other, into plain Markdown.

    It remembers what is open (a box, a tab, a question), since code cells may stand
    inside of all of them.
    """

    def __init__(self, page: Page, site_url: str) -> None:
        self.folder = page.name.removeprefix("docs/").rpartition("/")[0]
        self.site_url = site_url
        self.written: list[str] = []  # the cell so far
        self.boxes: list[tuple[int, bool]] = []  # indent of the content, quoted or not
        self.blocks: list[str] = []  # names of the learner's blocks that are open
        self.answers: list[str] = []  # of the question that is open
        self.verdict = ""
        self.until = ""  # what ends the HTML that is being left out

    def cell(self) -> str:
        """The text since the last call."""
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(self.written)).strip()
        self.written = []
        return "" if set(text) <= set("> \n") else text

    def fence(self, lines: list[str]) -> None:
        """A fenced block in another language: kept as it is."""
        for text in lines:
            self._write(text[self._indent() :])

    def line(self, text: str) -> None:
        """A line outside of fences."""
        if self.until:
            self._leave_out(text)
            return
        while self.boxes and text.strip() and _spaces(text) < self._indent():
            self._close_box()
        text = text[self._indent() :]
        box = BOX.match(text) or TAB.match(text)
        html = HTML_BLOCK.match(text)
        if box:
            self._open_box(box)
        elif html:
            self.until = "-->" if html["tag"] == "!--" else f"</{html['tag']}>"
            self._leave_out(text)
        elif not self._learner(text) and not MARKDOWN_TAG.match(text):
            self._write(self._outside_code(text))

    def _indent(self) -> int:
        return self.boxes[-1][0] if self.boxes else 0

    def _write(self, text: str) -> None:
        quoted = any(quoted for _, quoted in self.boxes)
        self.written.append(f"> {text}".rstrip() if quoted else text)

    def _open_box(self, match: re.Match[str]) -> None:
        is_box = match.re is BOX
        title = match["title"] or (match["kind"].title() if is_box else "")
        self.boxes.append((self._indent() + len(match["indent"]) + 4, is_box))
        self._write(f"**{title}**")

    def _close_box(self) -> None:
        self.boxes.pop()
        while self.written and not self.written[-1].strip("> "):
            self.written.pop()
        self.written.append("")

    def _leave_out(self, text: str) -> None:
        """Skip HTML up to its end; of a figure, keep the caption."""
        if caption := CAPTION.search(text):
            self._write(f"*{_italic(caption[1])}*")
        if self.until in text:
            self.until = ""

    def _learner(self, text: str) -> bool:
        """Take a line that belongs to a question, fact, exercise or opening."""
        if CLOSING.match(text):
            if self.blocks and self.blocks.pop() == "question":
                self._write_answers()
            self.written.append("")
        elif opening := OPENING.match(text):
            self.blocks.append(opening["name"])
            title = TITLES[opening["name"]].format(opening["title"] or "Solution")
            self.written += ["", self._outside_code(title), ""]
        elif self.blocks and ID.match(text):
            pass
        elif self.blocks and self.blocks[-1] == "question":
            self._choice(self._outside_code(text))
        else:
            return False
        return True

    def _choice(self, text: str) -> None:
        if match := CHOICE.match(re.sub(r"^[-*] +", "", text)):
            self._write(f"- {match['text']}")
            self.answers += ["", f"- *{match['text']}*", ""]
            self.verdict = "**Right.** " if match["mark"] != " " else "**No.** "
        elif text.strip():
            self.answers.append(f"    {self.verdict}{text.strip()}")
            self.verdict = ""

    def _write_answers(self) -> None:
        self.written += ["", "<details><summary>Answers</summary>"]
        self.written += [*self.answers, "", "</details>"]
        self.answers = []

    def _outside_code(self, text: str) -> str:
        """Change the parts of a line that are not code; a link's label may be code."""
        text = CODE_OR_LINK.sub(lambda m: self._link(m) if m["target"] else m[0], text)
        pieces = re.split(r"(`[^`]+`)", text)
        return "".join(p if i % 2 else self._inline(p) for i, p in enumerate(pieces))

    def _inline(self, text: str) -> str:
        text = ATTRIBUTES.sub("", text)
        text = INLINE_TEX.sub(_dollars, text)
        text = DISPLAY_TEX.sub("$$", text)
        return FOOTNOTE.sub(r"[\1]", text)

    def _link(self, match: re.Match[str]) -> str:
        target, label = match["target"], match["label"]
        if re.match(r"[a-z]+:", target):
            return match[0]
        if target.startswith("#") or not self.site_url:
            return f"*{label}*" if match["image"] else label
        path, hash_, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join("/", self.folder, path))[1:]
        path = re.sub(r"(^|/)index\.md$", r"\1", path)
        path = re.sub(r"\.(md|py)$", "/", path)
        return f"{match['image']}[{label}]({self.site_url}{path}{hash_}{anchor})"


def _dollars(match: re.Match[str]) -> str:
    """A formula between dollars, as notebooks read it; any other dollar marked."""
    tex = match["tex"] or match["dollars"]
    return f"${tex}$" if tex else r"\$"


def _italic(html: str) -> str:
    """A caption as Markdown that stands in italics: words alone and code."""
    return re.sub(r"</?code>", "`", re.sub(r"</?(em|strong)>", "", html))


def _spaces(text: str) -> int:
    return len(text) - len(text.lstrip())
