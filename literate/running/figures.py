"""Matplotlib figures as inline SVG that follows the page's light and dark colours."""

import io
import re
import sys
from collections.abc import Iterator
from typing import Any

# Text, ticks and frames are drawn in this ink, which then becomes the page's text
# colour; no other element may use it.
INK = "#010203"

# Seven hues (Okabe and Ito 2008, two of them darkened or lightened) that keep a
# contrast of 3:1 on the site's light and its dark background, each with a line style
# of its own: nothing relies on colour alone.
COLOURS = ("#2f7ed8", "#d55e00", "#009473", "#b8609a", "#a57d00", "#5b84a8", "#8a6fd1")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

HEAVIEST = 300_000  # characters of a figure

GEOMETRY = re.compile(r' (?:d|x|y|points|transform)="[^"]*"')
PLACES = re.compile(r"(\.\d\d)\d+")


def configure() -> None:
    """Set matplotlib's defaults for pages, if matplotlib is installed."""
    try:
        import matplotlib
        from cycler import cycler
    except ImportError:
        return
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color")
    settings: dict[str, Any] = {
        **dict.fromkeys((*inked, "ytick.color", "axes.titlecolor"), INK),
        "axes.prop_cycle": cycler(color=COLOURS, linestyle=STYLES),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.constrained_layout.use": True,
        "figure.dpi": 72,
        "figure.figsize": (6.4, 3.6),
        "font.size": 12,
        "image.interpolation": "none",
        "legend.frameon": False,
        "savefig.transparent": True,
        "svg.fonttype": "none",
        "svg.hashsalt": "daybook",
    }
    known = matplotlib.rcParamsDefault.items()  # not those of whoever builds
    defaults = {name: value for name, value in known if "backend" not in name}
    matplotlib.rcParams.update(defaults | settings)  # type: ignore[arg-type]  # any name


def is_figure(value: Any) -> bool:
    """Whether a value is a figure of matplotlib."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def collect(value: Any = None) -> list[str]:
    """The open figures as SVG, in the order they were made; closes them.

    With them `value`, if it is a figure that pyplot did not make. Raises ValueError for
    an animation, and for a figure that is too heavy.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    found = [pyplot.figure(n) for n in pyplot.get_fignums()] if pyplot else []
    if is_figure(value) and value not in found:
        found.append(value)
    try:
        return [_svg(figure) for figure in found]
    finally:
        if pyplot:
            pyplot.close("all")


def _animated(figure: Any) -> bool:
    """Whether an animation waits for this figure to be drawn."""
    module = sys.modules.get("matplotlib.animation")
    return module is not None and any(
        isinstance(getattr(listener(), "__self__", None), module.Animation)
        for listener in _listeners(figure)
    )


def _listeners(figure: Any) -> Iterator[Any]:
    """References to what is called when a figure is drawn."""
    yield from figure.canvas.callbacks.callbacks.get("draw_event", {}).values()


def _svg(figure: Any) -> str:
    if _animated(figure):
        raise ValueError("an animation moves, and a page does not: draw one frame")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # matplotlib's sheet restyles every element of the page that holds the figure
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = GEOMETRY.sub(lambda match: PLACES.sub(r"\1", match[0]), svg)
    svg = re.sub(r"\n\s*", "\n", svg).strip()
    if len(svg) > HEAVIEST:
        raise ValueError(
            f"it weighs {len(svg):,} bytes, and may weigh {HEAVIEST:,}: draw fewer"
            " points (every tenth, a histogram), or as pixels, by rasterized=True"
        )
    return svg
