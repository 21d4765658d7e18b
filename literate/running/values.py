"""Values in the prose of a page, evaluated when the block before them has run."""

from collections.abc import Iterable
from typing import Any


class ValueFailedError(Exception):
    """A value that cannot be shown: its code, and the error in `__cause__`."""


def evaluated(codes: Iterable[str], namespace: dict[str, Any]) -> dict[str, str]:
    """The text of each value by its code; raises `ValueFailedError` for the first."""
    found: dict[str, str] = {}
    for code in codes:
        try:
            found[code] = evaluate(code, namespace)
        except BaseException as error:  # as in a block
            raise ValueFailedError(code) from error
    return found


def evaluate(code: str, namespace: dict[str, Any]) -> str:
    """A value of the prose, as text; raises TypeError for what has no one form."""
    value = eval(compile(code, "<value in the text>", "eval"), namespace)
    if isinstance(value, bool) or not isinstance(value, str | int):
        hint = 'write how it is shown, such as f"{x:.2f}"'
        raise TypeError(f"{value!r} is neither text nor a whole number: {hint}")
    text = str(value)
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} cannot stand in a line of text")
    return text
