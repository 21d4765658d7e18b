"""Chapters as notebooks and scripts: plain Markdown, the page's own code, it runs."""

import ast
import re

import nbformat
import pytest
from nbclient import NotebookClient

from literate import expected
from literate.handing_out import notebook, setup_cell
from literate.page import Page, pages, read
from literate.parse import parse
from literate.project import DOCS
from tests.flat import dump, of_snippets

CHAPTERS = [page for page in pages() if parse(page).has_code]
SITE = "https://example.org/book/"

PAGE = r"""
# Title {#title}

/// opening
Know first: *sums*.
///

Text with \(a^2\), $b$ and a [link](/llm/day-1/index.md#pages), [another](other.md),
[`x()`](other.md#x), `[no](link.md)`.

\[
c^2
\]

!!! note "Mind the step"

    Inside, $x$.

    ```python title="snippets/attention.py"
    x = 1
    ```

    After.

Outside.[^1]

=== "One"

    First tab.

=== "Two"

    Second tab.

```python raises="ValueError"
raise ValueError("no")
```

```python notest="needs a GPU"
x.cuda()
```

```python alt="a line" caption="What to see."
import matplotlib.pyplot as plt
plt.plot([1, 2]);
```

<figure class="diagram">
--8<-- "assets/figures/multi-head.svg"
<figcaption>A <em>diagram</em> of <code>x</code>.</figcaption>
</figure>

<reader-notes></reader-notes>

/// question | Why?
    id: q-why

- [x] Because.

    It is so.

- [ ] Not.

    It is not.
///

/// fact | What?
    id: f-what
This.
///

//// exercise | Do it
    id: e-do
Now.

/// solution
```python
x + 1
```
///
////

```text
!!! note "in a fence"
```

[^1]: A footnote.
"""


@pytest.fixture(scope="module")
def cells():
    return notebook.notebook(Page(None, PAGE), SITE).cells


@pytest.fixture(scope="module")
def prose(cells):
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


def test_code_cells_are_the_blocks(cells):
    setup, *code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert setup.endswith("importlib.metadata.version(package))")
    assert code == [
        "x = 1",
        'raise ValueError("no")',
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "x + 1",
    ]


def test_a_block_that_must_raise_does_not_stop_the_notebook(cells):
    (cell,) = [cell for cell in cells if cell.source.startswith("raise")]
    assert cell.metadata["tags"] == ["raises-exception"]


@pytest.mark.parametrize(
    "text",
    [
        "# Title\n",
        "Know first: *sums*.",
        "Text with $a^2$, $b$ and a [link](https://example.org/book/llm/day-1/#pages)",
        "[another](https://example.org/book/other/)",
        "[`x()`](https://example.org/book/other/#x), `[no](link.md)`.",
        "$$\nc^2\n$$",
        "> **Mind the step**\n>\n> Inside, $x$.",
        "`snippets/attention.py`",
        "> After.\n\nOutside.[1]",
        "**One**\n\nFirst tab.\n\n**Two**\n\nSecond tab.",
        "Not run here (needs a GPU):\n\n```python\nx.cuda()\n```",
        "*What to see.*",
        "*A diagram of `x`.*\n\n**Check yourself.**",
        "**Check yourself.** Why?\n\n- Because.\n- Not.",
        "<details><summary>Answers</summary>",
        "- *Because.*\n\n    **Right.** It is so.\n\n- *Not.*\n\n    **No.** It is",
        "**What?**\n\nThis.",
        "**Exercise.** Do it\n\nNow.\n\n**Solution**",
        '```text\n!!! note "in a fence"\n```',
        "[1] A footnote.",
    ],
)
def test_prose_is_plain_markdown(prose, text):
    assert text in prose


def test_without_a_known_address_links_are_text():
    book = notebook.notebook(Page(None, PAGE))
    text = "\n".join(cell.source for cell in book.cells)
    assert "and a link, another,\n`x()`, `[no](link.md)`." in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It costs $5-$6 an hour.", r"It costs \$5-\$6 an hour."),
        (r"a delimiter $ between \(x\) and $y$", r"a delimiter \$ between $x$ and $y$"),
        (r"\$5 and `$a$`", r"\$5 and `$a$`"),
        ("$$\nx\n$$", "$$\nx\n$$"),
    ],
)
def test_a_dollar_that_is_no_formula_is_none_in_the_notebook(text, wanted):
    assert notebook.notebook(Page(None, text)).cells[0].source == wanted


def script_of(*blocks: str) -> str:
    fences = (f"```python{block}\n```" for block in blocks)
    return notebook.script(notebook.notebook(Page(None, "\n\n".join(fences))))


def said_by(script: str, capsys) -> str:
    exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out


def test_a_text_in_a_block_that_must_raise_is_not_moved(capsys):
    script = script_of(' raises="KeyError"\nif True:\n    raise KeyError("""a\n  b""")')
    assert said_by(script, capsys) == "KeyError: 'a\\n  b'\n"


def test_a_block_that_must_not_parse_does_not_break_the_script(capsys):
    script = script_of(' raises="SyntaxError"\n1 +', "\nprint(2)")
    assert said_by(script, capsys).split("\n")[1:] == ["2", ""]


def test_figures_are_shown_only_by_a_script_that_draws():
    assert "plt.show()" not in script_of("\nx = 'matplotlib'")
    assert "plt.show()" not in script_of("\nimport matplotlib")
    for drawing in ("import matplotlib.pyplot as plt", "from matplotlib import pyplot"):
        name = "" if " as " in drawing else " as plt"
        assert "plt.show()" in script_of(f"\n{drawing}{name}")


LEFT_OVER = {
    "admonition": r"^(!!!|\?\?\?)",
    "tab": r"^===",
    "block": r"^/{3}",
    "include": r"8<",
    "attribute list": r"\{[:#.][^}]*\}\s*$",
    "TeX brackets": r"\\[(\[]",
    "footnote": r"\[\^",
    "HTML": r"<(?!/?(details|summary)\b)[a-z/!]",
    "link into the site": r"\]\((?![a-z]+:)",
}


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", [Page(None, PAGE), *CHAPTERS], ids=lambda p: p.name)
def test_no_site_syntax_is_left_over(page):
    for cell in notebook.notebook(page).cells:
        if cell.cell_type == "markdown":
            for name, pattern in LEFT_OVER.items():
                found = re.search(pattern, without_code(cell.source), re.MULTILINE)
                assert not found, f"{name}: {found[0]!r} in:\n{cell.source}"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)
def test_the_notebook_has_the_code_of_the_page(page):
    running = [b for b in parse(page).blocks if not b.options.notest]
    code = [cell.source for cell in own_code(notebook.notebook(page))]
    assert code
    for got, block in zip(code, running, strict=True):
        if "from snippets" in block.source:
            own = ast.parse(block.source).body
            wanted = [dump(node) for node in own if not of_snippets(node)]
            assert [dump(node) for node in ast.parse(got).body] == wanted
        else:
            assert got == block.source.strip("\n")


def test_the_notebook_runs_in_an_empty_folder_and_prints_what_the_page_does(
    tmp_path,
):
    """One page stands for all: `test_scripts.py` proves their code."""
    page = read(DOCS / "llm" / "day-3" / "self-attention.md")
    book = notebook.notebook(page)
    nbformat.write(book, tmp_path / "chapter.ipynb")
    client = NotebookClient(
        book, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    wanted = expected.read(page.path)
    running = [b for b in parse(page).blocks if not b.options.notest]
    for block, cell in zip(running, own_code(book), strict=True):
        if block.label in wanted and not (block.options.nocheck or block.options.alt):
            tolerance = block.options.tol or expected.TOLERANCE
            got = printed(cell, block.options.raises)
            assert expected.same(wanted[block.label], got, tolerance), block.label


def own_code(book) -> list:
    """The code cells that are blocks of the page."""
    return [
        cell
        for cell in book.cells
        if cell.cell_type == "code"
        and not {notebook.SNIPPET, setup_cell.TAG} & {*cell.metadata.get("tags", [])}
    ]


def printed(cell, raises: str) -> str:
    """What a cell printed, in the form the page shows it."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            parts.append(output.text)
        elif output.output_type == "execute_result":
            parts.append(output.data["text/plain"] + "\n")
        elif output.output_type == "error":
            assert raises, output.evalue
            parts.append(f"{output.ename}: {output.evalue}\n")
    lines = "".join(parts).rstrip().split("\n")
    return "\n".join(line.rstrip() for line in lines)
