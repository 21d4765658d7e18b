"""The tags of an HTML text: found and changed, while all else stays byte for byte."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

VALUE = r"""(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?"""
ATTRIBUTES = r"""(?:[^<>"'=]|=\s*(?:"[^"]*"|'[^']*')|=)*"""
# comments, and what stands in scripts and styles, hold no tags
TAG = re.compile(
    rf"<!--.*?-->"
    rf"|<(?P<raw>script|style|textarea|title)\b(?P<given>{ATTRIBUTES})>"
    rf"(?P<body>.*?)</(?P=raw)\s*>"
    rf"|<(?P<name>[a-zA-Z][\w:.-]*)(?P<attributes>{ATTRIBUTES})>",
    re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(rf"""\s(?P<name>[^\s"'<>/=]+)(?P<value>{VALUE})""")


@dataclass(frozen=True)
class Tag:
    """A start tag with its attributes; of a script or a style, with what is in it."""

    name: str
    attributes: str  # as they stand there
    body: str = ""

    def get(self, name: str) -> str | None:
        """The value of an attribute; None where there is none."""
        for match in ATTRIBUTE.finditer(self.attributes):
            if match["name"].lower() == name:
                given = match["value"].partition("=")[2].strip()
                is_quoted = given.startswith(("'", '"'))
                return html.unescape(given[1:-1] if is_quoted else given)
        return None

    def names(self) -> list[str]:
        """The names of all attributes."""
        found = ATTRIBUTE.finditer(self.attributes)
        return [match["name"].lower() for match in found]

    def with_attribute(self, name: str, value: str | None) -> "Tag":
        """The same tag, an attribute having this value; with None, without it."""
        added = f' {name}="{html.escape(value)}"' if value is not None else ""

        def change(match: re.Match[str]) -> str:
            nonlocal added
            if match["name"].lower() != name:
                return match[0]
            changed, added = added, ""
            return changed

        kept = ATTRIBUTE.sub(change, self.attributes)
        return Tag(self.name, added + kept, self.body)


def tags(text: str) -> Iterator[Tag]:
    """The start tags of an HTML text, in order."""
    for match in TAG.finditer(text):
        if tag := _tag(match):
            yield tag


def changed(text: str, change: Callable[[Tag], Tag]) -> str:
    """The text with its start tags changed; what stands in a script or style stays."""

    def replace(match: re.Match[str]) -> str:
        tag = _tag(match)
        if tag is None or (new := change(tag)) is tag:
            return match[0]
        return match[0].replace(tag.attributes, new.attributes, 1)

    return TAG.sub(replace, text)


def _tag(match: re.Match[str]) -> Tag | None:
    if match["raw"]:
        return Tag(match["raw"].lower(), match["given"], match["body"])
    return Tag(match["name"], match["attributes"]) if match["name"] else None
