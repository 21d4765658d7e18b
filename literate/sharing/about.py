"""What the template says of a page to those who look for it, share it or correct it."""

import html
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from literate import page as source
from literate.handing_out.labs import FOLDER as LABS
from literate.project import DOCS, relative, repository
from literate.sharing import history, plain

LONGEST = 200  # characters of a description
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z`*])")
MARKS = re.compile(r"[*`]|\\[()]|\{python\}")
LINK = re.compile(r"\[(?P<text>[^\]]*)\](?:\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True)
class About:
    """Of one page; what is not known is empty."""

    description: str
    changed: str  # a date
    plain: str  # the page as Markdown, from the root of the site
    card: str  # its picture, likewise
    edit: str  # an address on GitHub
    report: str


def about(path: Path, address: str, written: str = "") -> dict[str, str]:
    """All of it for the source of a page; `written` is its author's description."""
    name, repo = relative(path), repository()
    on_github = f"https://github.com/{repo}" if repo else ""
    form = f"{on_github}/issues/new?template=mistake.yml&page={quote(address)}"
    return asdict(
        About(
            description=written or description(path),
            changed=history.changed(path),
            plain=plain.address(path),
            card=card_address(address),
            edit=f"{on_github}/edit/main/{name}" if repo else "",
            report=form if repo else "",
        )
    )


def card_address(address: str) -> str:
    """Where the picture of a page is, from the root of the site."""
    return f"assets/cards/{address.strip('/').replace('/', '-') or 'index'}.png"


def description(path: Path) -> str:
    """The first sentences of a page or lab, as many as a list of results shows."""
    if path.parent == LABS:
        lines = path.read_text("utf8").split("\n")[1:]
        text = "\n".join(line.removeprefix("#").strip() for line in lines)
        text = text.partition("\n%%")[0]
    else:
        text = source.read(path).body
    return shortened(first_paragraph(text))


def first_paragraph(text: str) -> str:
    """The first paragraph of prose below the title, without marks; may be empty."""
    for part in re.split(r"\n\s*\n", text.partition("# ")[2].partition("\n")[2]):
        line = " ".join(part.split())
        if line and line[0] not in "#/<|-`~!":
            return html.unescape(MARKS.sub("", LINK.sub(r"\g<text>", line)))
    return ""


def shortened(text: str) -> str:
    """The sentences that fit; of a first one that does not, the words that do."""
    kept = ""
    for sentence in SENTENCE.split(text):
        longer = f"{kept} {sentence}".strip()
        if len(longer) > LONGEST:
            break
        kept = longer
    if kept or len(text) <= LONGEST:
        return kept
    return text[: LONGEST - 2].rpartition(" ")[0] + " …"


def of_track(address: str) -> str:
    """Where in the book a page is, in words: `LLM track, day 3`; may be empty."""
    match = re.match(r"/(?P<track>llm|pytorch)/(?:day-(?P<day>\d)/)?", address)
    if address.startswith("/labs/"):
        return "Lab"
    if not match:
        return ""
    track = {"llm": "LLM track", "pytorch": "PyTorch track"}[match["track"]]
    return f"{track}, day {match['day']}" if match["day"] else track


def sources() -> list[Path]:
    """The source of every page and lab."""
    return sorted([*DOCS.rglob("*.md"), *LABS.glob("*.py")])
