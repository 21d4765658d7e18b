"""Drawings with few elements: the same picture, whatever matplotlib put into it."""

import io
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image, ImageChops

from literate.running import figures
from literate.showing.drawing import lighter

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
LOUD = 100  # of 255: a difference that is no rounding


def curves(axes):
    x = np.linspace(0, 3, 30)
    for power in (1, 2, 3):
        axes.plot(x, x**power, label=f"$x^{power}$")
    axes.errorbar(x[::5], x[::5], yerr=0.5, marker="s", capsize=3)
    axes.errorbar([1, 2], [-50, 1], yerr=0.2, fmt="o")  # a point out of sight
    axes.set_ylim(-1, 20)
    axes.legend()


def points(axes):
    draw = np.random.default_rng(0)
    axes.scatter(draw.random(50), draw.random(50), alpha=0.3, c=draw.random(50))
    axes.scatter([0.5], [0.5], marker="x", s=80)
    axes.set_xlabel("turned", rotation=30)


def bars(axes):
    axes.bar(["a", "b", "c"], [3, 1, 2], hatch="//")
    axes.barh([0], [1], alpha=0.5)
    axes.grid(True)


def picture(axes):
    axes.imshow(np.eye(4))
    for at in range(4):
        axes.text(at, at, f"{at}", ha="center", color="#d55e00")
    axes.annotate("here", (1, 2), (2, 1), arrowprops={"arrowstyle": "->"})


def logarithms(axes):
    axes.loglog([1, 10, 1000], [3, 20, 5], marker="o")
    axes.axvspan(5, 50, alpha=0.2)
    axes.fill_between([1, 10, 1000], [1, 1, 1], [3, 20, 5], alpha=0.3)


PICTURES = (curves, points, bars, picture, logarithms)


def drawn(paint) -> str:
    plt.close("all")  # what another test left open would be collected too
    with mpl.rc_context():
        figures.configure()
        figure, axes = plt.subplots(figsize=(4, 3))
        paint(axes)
        return figures.collect(figure)[0]


@pytest.fixture
def pixels(browser):
    """A function that shows a drawing in a browser."""
    page = browser.new_page(viewport={"width": 400, "height": 300})

    def shown(svg: str) -> Image.Image:
        page.set_content(f"<body style='margin:0;color:#123'>{svg}")
        return Image.open(io.BytesIO(page.screenshot())).convert("L")

    yield shown
    page.close()


def loud(one: Image.Image, other: Image.Image) -> int:
    """How many pixels differ by more than the rounding of an edge."""
    return sum(ImageChops.difference(one, other).histogram()[LOUD:])


@pytest.mark.parametrize("paint", PICTURES, ids=lambda paint: paint.__name__)
def test_a_figure_looks_as_before_and_has_fewer_elements(pixels, paint):
    before = drawn(paint)
    after = lighter(before)
    assert loud(pixels(before), pixels(after)) == 0
    assert loud(pixels(before), pixels(after.replace("<path", "<none"))) > 50
    numbers = [len(list(ElementTree.fromstring(svg).iter())) for svg in (before, after)]
    assert numbers[1] < 0.7 * numbers[0]


def inside(svg: str) -> str:
    return lighter(SVG.format(svg)).partition(">")[2].removesuffix("</svg>")


def test_a_name_that_is_used_stays():
    clip = '<clipPath id="a"><rect width="1" height="2" /></clipPath>'
    line = '<path d="M 0 0 L 1 1" clip-path="url(#a)" style="stroke: red" />'
    assert inside(f'<g id="b">{clip}{line}</g>') == clip + line


def test_a_group_that_does_something_stays():
    group = '<g transform="scale(2)"><text>a</text></g>'
    assert inside(group) == group


def test_text_keeps_its_blanks():
    words = "<text>a <tspan>b</tspan> c</text>"
    assert inside(f"<g>\n{words}\n</g>") == words


def test_lines_that_shine_through_each_other_stay_apart():
    line = '<path d="M 0 0 L 1 1" style="fill: none; stroke: red; opacity: 0.5" />'
    assert inside(line * 2) == line * 2


def test_lines_of_one_style_become_one():
    line = '<path d="M 0 0 L 1 1" style="fill: none; stroke: red" />'
    joined = line.replace('L 1 1"', 'L 1 1 M 0 0 L 1 1"')
    assert inside(line * 2) == joined


def test_what_is_no_xml_stays():
    assert lighter("<svg><path></svg>") == "<svg><path></svg>"
