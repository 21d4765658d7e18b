"""The form in which notebooks show a value: HTML, Markdown, LaTeX, or a picture.

These are methods of its class, such as `_repr_html_`, or one that gives several forms
at once, `_repr_mimebundle_`. A value without a form, or whose form is None, is printed.
"""

import base64
import re
from typing import Any

FORMS = {  # those that notebooks like best come first
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "text/latex": "_repr_latex_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
}
STARTS = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}
SCRIPTS = re.compile(
    r"<(?:script|link|iframe|object|embed)\b|\bsrc=[\"']?(?:https?:)?//",
    re.IGNORECASE,
)


def form_of(value: Any) -> tuple[str, Any] | None:
    """The type and the content of the form that a notebook would show, or None.

    Raises TypeError for what a static page cannot show.
    """
    name = type(value).__name__
    if hasattr(type(value), "_ipython_display_"):
        raise TypeError(f"{name} shows itself only where a notebook runs: print it")
    if type(value).__module__.startswith("matplotlib.animation"):
        raise TypeError(f"{name} moves, and a page does not: draw one of its frames")
    bundle = _bundle(value)
    for kind, method in FORMS.items():
        content = bundle.get(kind)
        if content is None and hasattr(type(value), method):
            content = getattr(value, method)()
            content = content[0] if isinstance(content, tuple) else content
        if content is not None:
            return kind, _checked(kind, content, name)
    if others := set(bundle) - {"text/plain"}:
        raise TypeError(f"{name} has no form for a page, only {', '.join(others)}")
    return None


def _bundle(value: Any) -> dict[str, Any]:
    """The forms that a value gives at once, if it does."""
    if not hasattr(type(value), "_repr_mimebundle_"):
        return {}
    made = value._repr_mimebundle_(include=None, exclude=None)
    return (made[0] if isinstance(made, tuple) else made) or {}


def _checked(kind: str, content: Any, name: str) -> Any:
    """A form; a picture in PNG or JPEG as bytes."""
    if kind in STARTS:
        data = base64.b64decode(content) if isinstance(content, str) else content
        if not data.startswith(STARTS[kind]):
            raise TypeError(f"what {name} gives as {kind} is none: {data[:20]!r}")
        return data
    if kind == "image/svg+xml":
        return content.encode()
    if kind == "text/html" and (found := SCRIPTS.search(content)):
        raise TypeError(
            f"the HTML of {name} has {found[0]!r}, and pages load and run nothing from"
            " elsewhere: print it"
        )
    return content


def picture(kind: str, data: bytes) -> str:
    """A picture as an element that holds it."""
    return f'<img src="data:{kind};base64,{base64.b64encode(data).decode()}">'
