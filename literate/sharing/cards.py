"""The picture that a link to a page is shown with: its title, its place, the book.

Drawn while the site is built, with the font that matplotlib ships, so that every
machine draws the same; kept by what it shows.
"""

import base64
import functools
import io
from collections.abc import Iterator
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from literate import store
from literate.plan import titles
from literate.sharing.about import card_address, of_track

KIND = "cards"
WIDTH, HEIGHT = 1200, 630  # what services that show such pictures ask for
EDGE = 80
BACKGROUND, INK, QUIET = "#20334d", "#ffffff", "#b9c7d9"
ROLES = ("#cfe0f7", "#fbe3bd", "#cdeadb")  # query, key, value, as on the pages
COLOURS = 16  # more would only smooth the letters' edges
MOST_BYTES = 40_000
SIZES = (84, 72, 60, 50, 42)  # of the title: the largest that fits in four lines


@functools.cache
def font(size: int, weight: str = "") -> ImageFont.FreeTypeFont:
    """DejaVu Sans; laid out by Pillow itself, since not every build has another."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    path = folder / f"DejaVuSans{weight}.ttf"
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def wrapped(text: str, face: ImageFont.FreeTypeFont) -> list[str]:
    """The lines of a text; a word that is too long for one stands alone."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and face.getlength(longer) <= WIDTH - 2 * EDGE:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def fitting(title: str) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The title in lines, and the largest font in which it fits, or the smallest."""
    for size in SIZES:
        face = font(size, "-Bold")
        lines = wrapped(title, face)
        widest = max(map(face.getlength, lines), default=0)
        if len(lines) <= 4 and widest <= WIDTH - 2 * EDGE:
            break
    return lines, face


def draw(title: str, place: str) -> bytes:
    """The picture as PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), BACKGROUND)
    pen = ImageDraw.Draw(image)
    for row in range(4):  # a causal mask: who may look at whom
        for column in range(row + 1):
            x, y = (
                WIDTH - EDGE - 4 * 30 + column * 30,
                HEIGHT - EDGE - 4 * 30 + row * 30,
            )
            pen.rectangle((x, y, x + 24, y + 24), fill=ROLES[(row + column) % 3])
    pen.text((EDGE, EDGE), place, fill=QUIET, font=font(34))
    lines, face = fitting(title)
    for number, line in enumerate(lines):
        height = EDGE + 74 + number * face.size * 1.22
        pen.text((EDGE, height), line, fill=INK, font=face)
    pen.text((EDGE, HEIGHT - EDGE - 40), "Daybook", fill=INK, font=font(40, "-Bold"))
    file = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def kept(title: str, place: str) -> bytes:
    """The picture, drawn once for these words and this code."""
    own = store.digest_of_files([Path(__file__)])
    key = store.digest(own, store.version_of("pillow"), title, place)
    found = store.load(KIND, title, key) if is_name(title) else None
    if found is None:
        found = base64.b64encode(draw(title, place)).decode()
        if is_name(title):
            store.save(KIND, title, key, found)
    return base64.b64decode(found)


def is_name(title: str) -> bool:
    """Whether a title can name a folder on every system."""
    return all(letter.isalnum() or letter in " -,." for letter in title)


def files() -> Iterator[tuple[str, bytes]]:
    """The path, below the site, and the content of each page's picture."""
    for address, title in titles().items():
        yield card_address(address), kept(title, of_track(address) or "Two tracks")


def write(site: Path) -> None:
    """Write all pictures into the folder of the site."""
    for name, content in files():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
