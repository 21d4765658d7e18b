"""Links to the glossary show the definition on hover, on focus, and at a tap.

    <a class="term" href="…/#softmax" aria-describedby="term-softmax">softmax</a>
    <span class="definition" role="tooltip" id="term-softmax">…</span>

Without JavaScript a style shows it; `docs/assets/terms.js` lets Escape close it, and a
first tap open it.
"""

from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

from literate import glossary


class Terms(Treeprocessor):
    """Wraps each link to a term, with its definition beside it."""

    def run(self, root: Element) -> None:
        known: dict[str, glossary.Term] = {}
        seen: set[str] = set()
        for parent in list(root.iter()):
            for index, link in enumerate(list(parent)):
                path, _, name = link.get("href", "").partition("#")
                if link.tag != "a" or not name or not path.endswith("glossary.md"):
                    continue
                known = known or glossary.terms()
                if name not in known:
                    self._unknown(name)
                elif name not in seen:
                    seen.add(name)
                    parent[index] = self._wrapped(link, known[name])

    def _unknown(self, name: str) -> None:
        state = self.md.literate
        line = state.page.line_of(f"glossary.md#{name}")
        state.problem(line, f"docs/glossary.md has no term {name!r}")

    @staticmethod
    def _wrapped(link: Element, term: glossary.Term) -> Element:
        box = link.makeelement("span", {"class": "with-definition"})
        box.tail, link.tail = link.tail, None
        link.set("class", "term")
        link.set("aria-describedby", f"term-{term.id}")
        shown = {"class": "definition", "role": "tooltip", "id": f"term-{term.id}"}
        definition = link.makeelement("span", shown)
        definition.text = term.definition
        box.extend([link, definition])
        return box


class TermsExtension(Extension):
    """Registers `Terms`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """After inline text (20), before MkDocs resolves the links (0)."""
        md.treeprocessors.register(Terms(md), "literate-terms", 6)


def makeExtension(**options: object) -> TermsExtension:
    """Called by Python-Markdown."""
    return TermsExtension(**options)
