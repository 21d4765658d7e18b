"""Outputs as HTML, to stand inside the box of the code that made them."""

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import markdown

from literate import workload
from literate.block import Block
from literate.handing_out import elsewhere
from literate.inline import replaced
from literate.page import Page
from literate.parse import Parsed
from literate.plan import Task, served
from literate.project import repository
from literate.running.worker import Output
from literate.showing import drawing, icons
from literate.showing.mathml import mathml
from literate.showing.task_boxes import box

# the branch that the published site, and so its notebooks, are on
COLAB = "https://colab.research.google.com/github/{}/blob/gh-pages/"
TEX = re.compile(r"^(?:\$\$?|\\\[|\\\()|(?:\$\$?|\\\]|\\\))$")  # what stands around it
SNIPPET = re.compile(r"\bsnippets/[\w/]+\.py\b")  # a title may name several files
SVG_ID = re.compile(r'(\bid="|\bhref="#|url\(#)')


def output(block: Block, made: Output) -> str:
    """The printed text and the figure of a block."""
    parts = []
    if made.text:
        parts.append(text(made.text))
    if made.form:
        parts.append(rich(made.form, made.kind))
    parts += [figure(block, drawn, made.values) for drawn in made.figures]
    return "".join(parts)


def text(printed: str) -> str:
    """Printed text, as printed."""
    code = f"<pre><code>{html.escape(printed, quote=False)}</code></pre>"
    return f'<div class="output" role="group" aria-label="Output">{code}</div>'


def rich(made: str, kind: str) -> str:
    """A value's own form, such as a table; raises ValueError where TeX would stop."""
    if kind == "text/markdown":
        made = markdown.markdown(made, extensions=["tables", "fenced_code"])
    elif kind == "text/latex":
        made = mathml(TEX.sub("", made.strip()), True)
    return f'<div class="output rich" role="group" aria-label="Output">{made}</div>'


def figure(block: Block, made: str, values: Mapping[str, str]) -> str:
    """A figure, SVG or an image, with its alternative text and caption.

    These may hold values.
    """
    label = html.escape(replaced(block.options.alt, values.__getitem__))
    if made.startswith("<svg"):
        made = drawing.lighter(made)
        made = SVG_ID.sub(rf"\g<1>figure-{block.index}-", made)
        made = made.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    else:
        made = made.replace("<img ", f'<img alt="{label}" ', 1)
    caption = replaced(block.options.caption, values.__getitem__)
    caption = html.escape(caption, quote=False)
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f'<figure class="output figure">{made}{below}</figure>'


def times(parsed: Parsed, outputs: Sequence[Output]) -> str:
    """How long a page takes (estimated) and its code to run (measured)."""
    load = workload.of(parsed)
    read = f"about {load.minutes} minute{'s' if load.minutes > 1 else ''}"
    if load.exercises:
        read += f" with the exercise{'s' if load.exercises > 1 else ''}"
    seconds = sum(made.seconds for made in outputs)
    ran = f"its code ran in {seconds:.1f} s on one core" if outputs else ""
    beyond = "optional: goes beyond what the day needs"
    optional = beyond if parsed.page.meta.get("optional") else ""
    shown = filter(None, (optional, read, ran))
    parts = " · ".join(f"<span>{part}</span>" for part in shown)
    return f'<p class="times">{parts}</p>'


def downloads(parsed: Parsed) -> str:
    """Links to a chapter's notebook, script and snippets, to Colab where that works."""
    page = parsed.page
    if not parsed.has_code or page.path is None:
        return ""
    stem = page.path.stem
    titles = dict.fromkeys(block.options.title for block in parsed.blocks)
    snippets = dict.fromkeys(n for title in titles for n in SNIPPET.findall(title))
    links = [
        f'<a href="../{stem}.ipynb" download>Notebook</a>',
        f'<a href="../{stem}.py" download>Python script</a>',
    ]
    links += [
        f'<a href="{to_root(page)}{name}" download><code>{name}</code></a>'
        for name in snippets
    ]
    if repository():
        path = page.name.removeprefix("docs/").removesuffix(".md") + ".ipynb"
        links.append(f'<a href="{COLAB.format(repository())}{path}">Open in Colab</a>')
    return f'<p class="downloads">{" · ".join(links)}</p>'


def to_root(page: Page) -> str:
    """The way from a page's address to that of the site: `../../`."""
    if page.path is None:
        return ""
    folders = Path(page.name.removeprefix("docs/")).with_suffix("").parts
    return "../" * len(folders[:-1] if folders[-1] == "index" else folders)


def in_plan(page: Page) -> str:
    """The tasks of the plan that a page serves, named in its front matter."""
    items = served(page)
    rows = "".join(_row(task) for task in items)
    if not rows:
        return ""
    link = f'<a href="{to_root(page)}plan/#{items[0].id}">In the plan</a>'
    title = f'<p class="serves-title">{link}</p>'
    return (
        f'<aside class="serves" aria-label="In the plan">{title}<ul>{rows}</ul></aside>'
    )


def _row(task: Task) -> str:
    """A task's box and words, and the minutes it is thought to take."""
    attributes = "".join(
        f' {name}="{value}"' if value else f" {name}"
        for name, value in box(task.id).items()
    )
    words = icons.in_html(task.plain.replace("`", ""))
    return (
        f'<li class="task" data-task="{task.id}"><label><input{attributes}> {words}'
        f'</label> <span class="minutes">{task.minutes} min</span></li>'
    )


def running() -> str:
    """What stands in place of an output that is still to come, while serving."""
    text = "running …"
    return f'<div class="output pending" role="status">{text}</div>'


def failure(message: str) -> str:
    """A failed block or a wrong page, for `mkdocs serve`."""
    code = f"<pre><code>{html.escape(message, quote=False)}</code></pre>"
    return f'<div class="output failure" role="alert">{code}</div>'


def fold(code: str, summary: str) -> str:
    """Long helper code behind a line that says what it is."""
    title = html.escape(summary, quote=False)
    return f'<details class="fold"><summary>{title}</summary>{code}</details>'


def problems(block: Block, made: Output) -> str:
    """What is wrong with a block: it cannot be shown, or not taken along; or empty."""
    alt, drawn = block.options.alt, len(made.figures)
    if drawn and not alt:
        return 'this block draws a figure: say what it shows, alt="..."'
    if alt and not drawn:
        return "this block has alt= and draws no figure"
    if drawn > 1:
        return f"this block draws {drawn} figures; draw one a block (or use subplots)"
    if made.kind == "text/latex":
        try:
            rich(made.form, made.kind)
        except ValueError as error:
            return str(error)
    return elsewhere.problem(block)
