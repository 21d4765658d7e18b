"""Drawings with as few elements as their picture needs.

Matplotlib wraps each mark and each word in groups that carry nothing but a name, draws
backgrounds that cannot be seen, and every tick by itself: three quarters of a figure's
elements. A browser walks all of them, and so does every reader's phone.
"""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"url\(#([^)]+)\)")
UPRIGHT = re.compile(r"rotate\(-?0(?:\.0*)?(?:[ ,].*)?\)")
LINES = re.compile(r"[MLz\d\s.-]*")  # a path of straight lines, in absolute places
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
LONGEST_TICK = 40  # characters of a path that is written again where it is used
ElementTree.register_namespace("", SVG[1:-1])


def lighter(svg: str) -> str:
    """The same picture, drawn with fewer elements; as it is where it is no XML."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return svg
    _link_without_prefix(root)
    _drop_names(root)
    _drop_unseen(root)
    _unwrap(root)
    ticks = _ticks(root)
    for parent in root.iter():
        _write_ticks_out(parent, ticks)
        _join_lines(parent)
    _drop_names(root)
    _drop_unseen(root)
    return ElementTree.tostring(root, encoding="unicode")


def _link_without_prefix(root: Element) -> None:
    """References as browsers know them today, without a namespace of their own."""
    for element in root.iter():
        if (target := element.attrib.pop(LINK, None)) is not None:
            element.set("href", target)


def _drop_names(root: Element) -> None:
    """Take off names that nothing refers to, and turns by no angle."""
    used: set[str] = set()
    for element in root.iter():
        used.update(*(REFERENCE.findall(value) for value in element.attrib.values()))
        used.add(element.get("href", "").removeprefix("#"))
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        if UPRIGHT.fullmatch(element.get("transform", "")):
            del element.attrib["transform"]


def _drop_unseen(root: Element) -> None:
    """Take out paths without ink, and groups and definitions that hold nothing."""
    for parent in reversed(list(root.iter())):  # what it holds before itself
        for child in list(parent):
            is_path = child.tag == f"{SVG}path" and not child.get("id")
            unused = is_path and parent.tag == f"{SVG}defs"
            no_line = is_path and not child.get("d")
            no_ink = is_path and _style(child) == {"fill": "none"}
            empty = child.tag in (f"{SVG}g", f"{SVG}defs") and not len(child)
            if unused or no_line or no_ink or empty:
                parent.remove(child)


def _style(element: Element) -> dict[str, str]:
    """What the `style` of an element says."""
    parts = (part.partition(":") for part in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in parts if name.strip()}


def _unwrap(parent: Element) -> None:
    """Put what a group without attributes holds in its place."""
    if parent.tag in (f"{SVG}text", f"{SVG}tspan"):
        return  # blanks between elements mean something here
    children: list[Element] = []
    for child in parent:
        _unwrap(child)
        plain = child.tag == f"{SVG}g" and not child.attrib
        children += list(child) if plain else [child]
        child.tail = None
    if children:
        parent.text = None  # blanks between elements
    parent[:] = children


def _ticks(root: Element) -> dict[str, Element]:
    """The short paths that a picture defines in order to draw them often."""
    paths = root.iterfind(f".//{SVG}defs/{SVG}path[@id]")
    return {f"#{path.get('id')}": path for path in paths if _is_short(path)}


def _is_short(path: Element) -> bool:
    """Whether a path can be written again: few straight lines, and nothing else."""
    line = path.get("d", "")
    if len(line) > LONGEST_TICK or not LINES.fullmatch(line):
        return False
    return set(path.keys()) <= {"id", "d", "style"}


def _write_ticks_out(parent: Element, ticks: dict[str, Element]) -> None:
    """Draw the ticks of one kind as one path, where the first of them stands."""
    joined: dict[tuple[str, str], Element] = {}
    for child in list(parent):
        tick = ticks.get(child.get("href", ""))
        if child.tag != f"{SVG}use" or tick is None or not _is_opaque(child, tick):
            continue
        kind = (child.get("href", ""), child.get("style", ""))
        line = _moved(tick.get("d", ""), child)
        if kind in joined:
            joined[kind].set("d", f"{joined[kind].get('d')} {line}")
            parent.remove(child)
            continue
        joined[kind] = child
        style = _style(child) | _style(tick)
        child.tag = f"{SVG}path"
        child.attrib = {
            "d": line,
            "style": "; ".join(f"{k}: {v}" for k, v in style.items()),
        }


def _is_opaque(*elements: Element) -> bool:
    """Whether what is drawn twice looks as if it were drawn once."""
    return not any("opacity" in element.get("style", "") for element in elements)


def _moved(line: str, use: Element) -> str:
    """A path as `use` places it."""
    shifts = [float(use.get("x", 0)), float(use.get("y", 0))]

    def move(number: re.Match[str]) -> str:
        shifts.reverse()
        return f"{float(number[0]) + shifts[1]:.2f}".rstrip("0").rstrip(".")

    return NUMBER.sub(move, " ".join(line.split()))


def _join_lines(parent: Element) -> None:
    """Draw lines that follow one another in one style as one path."""
    before = None
    for child in list(parent):
        if before is not None and _is_line(child) and _look(child) == _look(before):
            before.set("d", f"{before.get('d')} {child.get('d')}")
            parent.remove(child)
        else:
            before = child if _is_line(child) else None


def _is_line(element: Element) -> bool:
    is_path = element.tag == f"{SVG}path" and not element.get("id")
    return is_path and _style(element).get("fill") == "none" and _is_opaque(element)


def _look(path: Element) -> dict[str, str]:
    return {name: value for name, value in path.items() if name != "d"}
