"""The site's custom elements: known to Markdown as blocks, unknown ones refused.

A widget is a custom element in `docs/assets/widgets/<tag>.js`; the site's script loads
that module on pages that hold the tag.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from literate.project import DOCS

FOLDER = DOCS / "assets" / "widgets"
TAG = re.compile(r"<(?P<tag>[a-z][a-z0-9]*-[a-z0-9-]*)[\s>/]")
CODE = re.compile(r"(`+).*?\1")


def known() -> list[str]:
    """The tags that have a module."""
    return sorted(path.stem for path in FOLDER.glob("*-*.js"))


class Tags(Preprocessor):
    """A tag without a module is a problem of the page."""

    def run(self, lines: list[str]) -> list[str]:
        state = self.md.literate
        for number, text in state.parsed.outside():
            for match in TAG.finditer(CODE.sub("", text)):
                if match["tag"] not in known():
                    names = ", ".join(known()) or "none yet"
                    message = f"unknown widget <{match['tag']}>; known are: {names}"
                    state.problem(number, message)
        return lines


class OnDemand(Treeprocessor):
    """The questions of a whole track, which a browser with scripts makes when asked.

    Hundreds of them are on the page, and a reader has few to answer again. One without
    scripts reads all of them.
    """

    def run(self, root: Element) -> None:
        for widget in root.iter("wrong-questions"):
            for parent in list(widget.iter()):
                for number, child in enumerate(parent):
                    if child.tag == "section" and child.get("class") == "question":
                        parent[number] = _without_scripts(child)


def _without_scripts(question: Element) -> Element:
    """What browsers with scripts keep as text, with the question's id."""
    wrapped = Element("noscript", {"data-question": question.get("id", "")})
    wrapped.append(question)
    wrapped.tail, question.tail = question.tail, None
    return wrapped


class WidgetExtension(Extension):
    """Registers the check, and the tags as block-level elements."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Without the list Markdown would wrap a widget in a paragraph."""
        md.block_level_elements.extend(known())
        md.preprocessors.register(Tags(md), "literate-widgets", 38)
        # when inline text is parsed (20) and the blocks have been looked at (22)
        md.treeprocessors.register(OnDemand(md), "literate-on-demand", 1)


def makeExtension(**options: Any) -> WidgetExtension:
    """Called by Python-Markdown."""
    return WidgetExtension(**options)
