"""What several tests need: pages from text, and replacements in files."""

from pathlib import Path

from literate.showing.site_markdown import markdown

SLOW = 300  # seconds after which a command counts as hanging


def convert(text: str) -> str:
    """The HTML of a page with this text, its blocks run."""
    return markdown().convert(text)


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that must be in a file."""
    text = path.read_text("utf8")
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, 1), "utf8", newline="\n")
