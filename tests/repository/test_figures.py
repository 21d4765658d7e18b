"""Drawings of the book: small, readable on a phone and in the dark, and described."""

import re
from xml.etree import ElementTree

import pytest

from literate.project import DOCS

FIGURES = sorted((DOCS / "assets" / "figures").glob("*.svg"))
MOST_BYTES = 8 * 1024
PHONE = 358  # pixels for text on a screen of 390
SMALLEST = 9.5  # pixels of a letter's size
COLOURS = re.compile(r"(?:currentColor|none|inherit|var\(--[\w-]+\))")
PAINTS = re.compile(r"\b(?:fill|stroke|color)\s*[:=]\s*[\"']?([^\"';}]+)")


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_drawing_is_small_and_described(path):
    assert path.stat().st_size <= MOST_BYTES
    figure = ElementTree.parse(path).getroot()
    assert figure.get("role") == "img"
    assert len(figure.get("aria-label", "").split()) >= 5


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_drawing_has_the_ink_of_the_page_in_light_and_dark(path):
    paints = PAINTS.findall(path.read_text("utf8"))
    assert paints
    assert [paint for paint in paints if not COLOURS.fullmatch(paint.strip())] == []


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_drawing_can_be_read_on_a_phone(path):
    figure = ElementTree.parse(path).getroot()
    width = float(figure.get("viewBox").split()[2])
    sizes = [float(e.get("font-size")) for e in figure.iter() if e.get("font-size")]
    scale = min(1, PHONE / width)
    assert min(sizes) * scale >= SMALLEST
