"""The texts that the book's models learn from.

`tales.txt` was written for this book: short tales of the sea, the farm, the town and
the hills, in plain words, so that a small model learns something from them in a minute.
Tiny Shakespeare is fetched when it is first asked for.
"""

# --8<-- [start:imports]
import hashlib
import http.client
import os
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from snippets.data import read_data
from snippets.files import write_whole

SHAKESPEARE = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/"
    "tinyshakespeare/input.txt"
)
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
# --8<-- [end:imports]


# --8<-- [start:tales]
# a mark, perhaps a closing quote, then what can start a sentence: not "Where?" he said
SENTENCE_END = re.compile(r'(?:(?<=[.?!])|(?<=[.?!]")) +(?=["A-Z])')


@dataclass(frozen=True)
class Tale:
    """A tale: where it happens, its title, and its paragraphs."""

    place: str  # sea, farm, town or hills
    title: str
    paragraphs: list[str]

    @property
    def sentences(self) -> list[str]:
        """All sentences, in order."""
        return [s for p in self.paragraphs for s in SENTENCE_END.split(p)]


def tales() -> list[Tale]:
    """The tales that come with the book."""
    text = read_data("tales.txt").decode("utf8")
    return [parse_tale(part) for part in text.strip().split("\n\n\n")]


def parse_tale(text: str) -> Tale:
    """Read `A tale of the sea: The Title` and the paragraphs below it."""
    title, *paragraphs = text.split("\n\n")
    match = re.fullmatch(r"A tale of the (\w+): (.+)", title)
    if not match:
        raise ValueError(f"a tale starts with 'A tale of the …: …', not {title!r}")
    return Tale(match[1], match[2], paragraphs)


# --8<-- [end:tales]


# --8<-- [start:load]
def load_text(name: str) -> str:
    """The text called `tales` or `shakespeare`, or else that of the file `name`.

    Shakespeare is read from the folder `$DAYBOOK_DATA`, or is downloaded once into a
    cache folder. Raises FileNotFoundError for a name that is neither a text nor a file,
    ConnectionError where it cannot be downloaded, ValueError for a damaged file.
    """
    if name == "tales":
        return read_data("tales.txt").decode("utf8")
    if name == "shakespeare":
        return shakespeare().read_text("utf8")
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(
            f"no text {name!r}: use 'tales', 'shakespeare' or the path of a text file"
        )
    try:
        return path.read_text("utf-8-sig")  # some editors put a mark first
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}") from error


# --8<-- [end:load]


# --8<-- [start:shakespeare]
def shakespeare() -> Path:
    """Where tiny Shakespeare lies, after a download if need be."""
    if given := os.environ.get("DAYBOOK_DATA"):
        path = Path(given) / "tinyshakespeare.txt"
        if path.is_file():
            return checked(path, SHAKESPEARE_SHA256)
    path = cache_folder() / "tinyshakespeare.txt"
    if not path.is_file():
        download(SHAKESPEARE, path, SHAKESPEARE_SHA256)
    return checked(path, SHAKESPEARE_SHA256)


def cache_folder() -> Path:
    """Where downloads are kept: `daybook` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "daybook"


def checked(path: Path, sha256: str) -> Path:
    """The path, if the file has this digest; raises ValueError otherwise."""
    try:
        check_digest(path.read_bytes(), sha256, str(path))
    except ValueError as error:
        raise ValueError(f"{error}: delete it and start again") from None
    return path


def check_digest(content: bytes, sha256: str, name: str) -> None:
    """Raise ValueError for other contents than those of this digest."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{name} is not the file it should be (sha256 {found[:12]}…, not"
            f" {sha256[:12]}…)"
        )


def download(url: str, path: Path, sha256: str) -> None:
    """Fetch a file, which appears only when it is complete and has this digest."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            content = answer.read()
    except http.client.IncompleteRead as error:
        got, rest = len(error.partial), error.expected or 0
        raise ConnectionError(
            f"the connection broke after {got} of {got + rest} bytes: start again"
        ) from error
    except OSError as error:
        raise ConnectionError(
            f"could not download {url} ({error}). Go online and start again, or put the"
            f" file into a folder as {path.name} and set DAYBOOK_DATA to that folder"
        ) from error
    check_digest(content, sha256, url)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: file.write(content))


# --8<-- [end:shakespeare]
