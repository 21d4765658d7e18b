"""The reader's own things, as static HTML: questions, facts, exercises, openings.

REFERENCE.md shows how each is written. All of it can be read, and works, without
JavaScript; later behaviour finds them by class and id, which therefore never change.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from pymdownx.blocks import BlocksExtension
from pymdownx.blocks.block import Block, type_html_identifier

CHOICE = re.compile(r"\[(?P<mark>[ xX])\]\s+(?P<text>.*)", re.DOTALL)


class Rendered(Treeprocessor):
    """Every block that was opened must have become HTML."""

    def run(self, root: Element) -> None:
        state = self.md.literate
        made = [
            e.attrib.pop("data-block") for e in root.iter() if "data-block" in e.attrib
        ]
        for block in state.parsed.declared:
            if block.name in made:
                made.remove(block.name)
            elif block.name in NAMES:
                state.problem(
                    block.line,
                    f"this {block.name} cannot be read: write a blank line before it,"
                    " its title after | (where it has one), no option but id",
                )


class Titled(Block):
    """A block with an id; its title, after `|`, is what on_create shows first."""

    ARGUMENT: bool | None = True
    OPTIONS = {"id": ("", type_html_identifier)}  # noqa: RUF012

    def box(self, parent: Element, tag: str) -> Element:
        """The element of the block, with its class, and its id if it has one."""
        attributes = {"class": self.NAME, "data-block": self.NAME}
        if self.options.get("id"):
            attributes["id"] = self.options["id"]
        return SubElement(parent, tag, attributes)

    def problem(self, message: str) -> None:
        """Note something wrong with this block."""
        state = self.md.literate
        line = next(
            (b.line for b in state.parsed.declared if b.id == self.options.get("id")),
            state.page.first,
        )
        state.problem(line, message)


class Question(Titled):
    """A question to check oneself; each choice unfolds whether it is right, and why."""

    NAME = "question"

    def on_create(self, parent: Element) -> Element:
        """A section that starts with the question, and is named by it."""
        box = self.box(parent, "section")
        label = f"{self.options['id']}-text"
        box.attrib.update({"role": "group", "aria-labelledby": label})
        text = SubElement(box, "p", {"class": "question-text", "id": label})
        text.text = self.argument
        return box

    def on_end(self, block: Element) -> None:
        """Turn the list of choices into folded explanations."""
        listed = block.find("ul")
        if listed is None or len(listed) < 2:
            self.problem("a question needs a list of at least two choices")
            return
        listed.set("class", "choices")
        marks = [self._choice(item) for item in listed]
        if True not in marks:
            self.problem("a question needs a right choice, marked [x]")

    def _choice(self, item: Element) -> bool:
        """Fold one choice; returns whether it is the right one."""
        first = item[0] if len(item) and not (item.text or "").strip() else item
        match = CHOICE.match((first.text or "").strip())
        explained = [e for e in item if e is not first]
        if not match or first is item or not explained:
            self.problem(
                "each choice starts with [x] or [ ], and after a blank line, indented"
                " by four, comes why it is right or wrong"
            )
            return False
        right = match["mark"] != " "
        for child in list(item):
            item.remove(child)
        item.set("data-right", "true" if right else "false")
        folded = SubElement(item, "details")
        SubElement(folded, "summary").text = match["text"]
        verdict = "**Right.**" if right else "**No.**"
        explained[0].text = f"{verdict} {explained[0].text}"
        folded.extend(explained)
        return right


class Fact(Titled):
    """A key fact, as a question to be asked again later, and its answer."""

    NAME = "fact"

    def on_create(self, parent: Element) -> Element:
        """The question, which unfolds the answer."""
        box = self.box(parent, "details")
        SubElement(box, "summary").text = self.argument
        return box


class Exercise(Titled):
    """Something to do, with its solution folded inside."""

    NAME = "exercise"

    def on_create(self, parent: Element) -> Element:
        """A section that starts with the title."""
        box = self.box(parent, "section")
        title = SubElement(box, "p", {"class": "exercise-title"})
        title.text = f"**Exercise.** {self.argument}"
        return box


class Solution(Titled):
    """The folded solution of the exercise around it."""

    NAME = "solution"
    ARGUMENT = None
    OPTIONS = {}  # noqa: RUF012

    def on_create(self, parent: Element) -> Element:
        """A fold."""
        box = self.box(parent, "details")
        SubElement(box, "summary").text = self.argument or "Solution"
        return box


class Opening(Titled):
    """The line under a page's title: reading time, run time, what to know first."""

    NAME = "opening"
    ARGUMENT = False
    OPTIONS = {}  # noqa: RUF012

    def on_create(self, parent: Element) -> Element:
        """A box that starts with the measured times; `Finish` fills them in."""
        box = self.box(parent, "div")
        times = SubElement(box, "p")
        times.text = self.md.htmlStash.store("<!--times-->")
        return box


BLOCKS = (Opening, Question, Fact, Exercise, Solution)
NAMES = tuple(block.NAME for block in BLOCKS)


class LearnerExtension(BlocksExtension):
    """Registers the blocks and their checks."""

    def extendMarkdownBlocks(self, md: Markdown, block_mgr: Any) -> None:
        """Called once for each Markdown object."""
        for block in BLOCKS:
            block_mgr.register(block, self.getConfigs())
        # before inline text is parsed (20)
        md.treeprocessors.register(Rendered(md), "literate-rendered", 22)


def makeExtension(**options: Any) -> LearnerExtension:
    """Called by Python-Markdown."""
    return LearnerExtension(**options)
