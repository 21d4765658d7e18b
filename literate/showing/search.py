"""The index of the site's search, in parts that a browser fetches as they are needed.

Readers search for names in code, and for parts of them: `clip_grad_norm_`, `attn_mask`,
`RMSNorm`. So a word of the index is a whole name and, with less weight, each of its
parts. How much a word says about a section is computed here, once, and a query only
adds up (`docs/assets/search/`):

- `index.json`: the pages in the order of the navigation, and their sections;
- `words/N.json`: the words of part N with the sections that have them;
- `texts/N.json`: the text of page N, for the lines that are shown of what was found.

A page counts for more where it explains: words of its title and headings, what the
glossary sends there, what its code defines, what its key facts and its summary say, and
what no earlier page has. Optional pages, labs and lists count for less.
"""

import html
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from literate import glossary
from literate.page import pages
from literate.project import DOCS

PARTS = 32  # files of words
WORD = re.compile(r"\w+")
PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
BLOCK = re.compile(r"</?(?:p|li|pre|ul|ol|table|tr|td|th|div|blockquote)\b[^>]*>")
DEFINED = re.compile(r"^\s*(?:class|def) (\w+)", re.MULTILINE)
SUMMARY = ("key-facts", "in-five-lines")
# What a word adds to a section, by where it stands.
IN_PAGE_TITLE, IN_GLOSSARY, IN_HEADING, DEFINES = 30.0, 40.0, 12.0, 8.0
IN_SUMMARY, IN_CODE, IN_TEXT = 6.0, 3.0, 2.0
A_PART = 0.3  # of what the whole name adds
FIRST = 1.15  # where no earlier page of the track has the word
OPTIONAL, LAB, LIST = 0.6, 0.5, 0.4
SCALE = 10  # weights are whole numbers


def words(text: str) -> Iterator[tuple[str, float]]:
    """The words of a text: whole names, and the parts of each with less weight."""
    for found in WORD.findall(text):
        yield stem(found), 1.0
        parts = PIECES.findall(found)
        if len(parts) > 1:
            yield from ((stem(part), A_PART) for part in parts)


def stem(word: str) -> str:
    """A word as the index has it: small, and without the `s` of a plural."""
    word = word.lower()
    plural = len(word) > 3 and word.endswith("s") and word[-2] not in "sui"
    return word[:-1] if plural else word


@dataclass
class Section:
    """A part of a page below one heading."""

    page: int
    anchor: str
    title: str
    text: str  # HTML
    weights: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def lines(self) -> list[list[Any]]:
        """Its paragraphs and lines of code as plain text, with 1 for code."""
        found: list[list[Any]] = []
        for number, block in enumerate(
            re.split(r"<pre><code>|</code></pre>", self.text)
        ):
            is_code = number % 2
            parts = block.split("\n") if is_code else BLOCK.split(block)
            for part in parts:
                plain = html.unescape(TAG.sub("", part))
                if plain.strip():
                    found.append(
                        [is_code, plain if is_code else " ".join(plain.split())]
                    )
        return found

    def weigh(self, in_title: float) -> None:
        """Note how much each word says about this section."""
        code = "\n".join(CODE.findall(self.text))
        often: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for place, text in enumerate((CODE.sub(" ", self.text), code)):
            for word, much in words(html.unescape(TAG.sub(" ", text))):
                often[word][place] += much
        for word, (in_text, in_code) in often.items():
            self.weights[word] += IN_TEXT * _filled(in_text) + IN_CODE * _filled(
                in_code
            )
            if self.anchor in SUMMARY:
                self.weights[word] += IN_SUMMARY * _filled(in_text + in_code)
        for name in DEFINED.findall(html.unescape(code)):
            self.weights[stem(name)] += DEFINES
        self.add(self.title, in_title)

    def add(self, text: str, weight: float) -> None:
        """Let each word of a text add as much."""
        for word, much in words(text):
            self.weights[word] += weight * much


def _filled(often: float) -> float:
    """Of a word that comes again and again, each further time adds less."""
    return often / (often + 1.0)


class Index:
    """All pages of a site, weighed."""

    def __init__(
        self, entries: Iterable[dict[str, Any]], factors: dict[str, float]
    ) -> None:
        """From the entries of Material's own index, in the order of the navigation.

        `factors` says how much a page counts, by its address.
        """
        self.pages: list[tuple[str, str]] = []
        self.sections: list[Section] = []
        self.tops: dict[str, Section] = {}  # what stands above a page's first heading
        for entry in entries:
            address, _, anchor = entry["location"].partition("#")
            title = html.unescape(TAG.sub("", entry["title"]))
            if not anchor:
                self.pages.append((address, title))
            made = Section(len(self.pages) - 1, anchor, title, entry["text"])
            made.weigh(IN_HEADING if anchor else IN_PAGE_TITLE)
            self.sections.append(made)
            if not anchor:
                self.tops[address] = made
        self.factors = [factors.get(address, 1.0) for address, _ in self.pages]

    def explain(self, term: str, address: str) -> None:
        """Note that a page explains a term."""
        if section := self.tops.get(address):
            section.add(term, IN_GLOSSARY)
            section.weights["_".join(map(stem, term.split()))] += IN_GLOSSARY

    def words(self) -> dict[str, list[int]]:
        """Each word with its sections: number, weight, number, weight, and so on."""
        having: defaultdict[str, list[int]] = defaultdict(list)
        for number, section in enumerate(self.sections):
            for word in section.weights:
                having[word].append(number)
        return {word: self._weights(word, having[word]) for word in sorted(having)}

    def _weights(self, word: str, having: list[int]) -> list[int]:
        rare = math.log(1 + len(self.sections) / len(having))
        first: dict[str, int] = {}  # the page of each track
        for number in having:
            page = self.sections[number].page
            if self.factors[page] == 1.0:
                first.setdefault(self.track(page), page)
        found = []
        for number in having:
            section = self.sections[number]
            is_first = first.get(self.track(section.page)) == section.page
            factor = self.factors[section.page] * (FIRST if is_first else 1.0)
            weight = round(SCALE * factor * rare * section.weights[word])
            found += [number, max(weight, 1)]
        return found

    def track(self, page: int) -> str:
        """The first part of a page's address."""
        return self.pages[page][0].partition("/")[0]

    def files(self) -> dict[str, Any]:
        """What the browser fetches: each file's content by its name."""
        sections = [[s.page, s.anchor, s.title] for s in self.sections]
        made: dict[str, Any] = {
            "index.json": {"parts": PARTS, "pages": self.pages, "sections": sections}
        }
        parts: list[dict[str, list[int]]] = [{} for _ in range(PARTS)]
        for word, weights in self.words().items():
            parts[part_of(word)][word] = weights
        made |= {f"words/{n}.json": part for n, part in enumerate(parts)}
        texts: list[list[Any]] = [[] for _ in self.pages]
        for section in self.sections:
            texts[section.page].append(section.lines)
        return made | {f"texts/{n}.json": text for n, text in enumerate(texts)}


def part_of(word: str) -> int:
    """The part that has a word: by its first two letters, so that beginnings do too."""
    return sum(ord(letter) * (1, 7)[at] for at, letter in enumerate(word[:2])) % PARTS


def factors() -> dict[str, float]:
    """How much each page counts where that is not all, by its address.

    A page may say it itself, as Material lets it: `search: {boost: 0.5}`.
    """
    found = {}
    for page in pages():
        name = page.name.removeprefix("docs/").removesuffix(".md")
        address = f"{name.removesuffix('index')}".rstrip("/") + "/"
        if page.meta.get("optional"):
            found[address] = OPTIONAL
        elif name.endswith("index") or not page.meta.get("tasks"):
            found[address] = LIST
        if boost := page.meta.get("search", {}).get("boost"):
            found[address] = float(boost)
    return found | {f"labs/{lab.stem}/": LAB for lab in (DOCS / "labs").glob("*.py")}


def write(site: Path) -> None:
    """Turn Material's index, which is one large file, into parts, and empty it."""
    whole = site / "search" / "search_index.json"
    found = json.loads(whole.read_text("utf8"))
    index = Index(found["docs"], factors())
    for term in glossary.terms().values():
        name = term.page.removeprefix("/").partition("#")[0].removesuffix(".md")
        index.explain(term.name, f"{name}/")
    for name, content in index.files().items():
        path = whole.parent / name
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        path.write_text(text, "utf8")
    whole.write_text(json.dumps(found | {"docs": []}), "utf8")
