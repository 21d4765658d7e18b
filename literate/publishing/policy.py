"""A Content-Security-Policy for every page of a built site, by hashes.

The site is served by whoever keeps files, without headers of ours: so the policy stands
in the page. It allows what the page itself holds, each inline script and style by its
hash, and what lies beside it; nothing from elsewhere, and no `eval`.

A `style` attribute would be refused. It becomes a class, and one `<style>` of the page
says what its classes mean, as strongly as the attribute did.
"""

import base64
import functools
import hashlib
import html
import re
from pathlib import Path

from literate.project import PageError
from literate.publishing.markup import Tag, changed, tags

DATA = {"application/json", "application/ld+json"}  # scripts that no browser runs
CHARSET = re.compile(r"<meta charset=[^>]*>", re.IGNORECASE)
MODULE = re.compile(r"""["'`](\.{1,2}/[^"'`\s]+\.m?js)["'`]""")
# the weight of an id, which is more than any rule for a class has
RULE = ".{}:not(#_){{{}}}"


def write(site: Path) -> None:
    """Give each page below a folder its policy; raises `PageError` where none fits."""
    for path in sorted(site.rglob("*.html")):
        text = path.read_text("utf8")
        try:
            made = with_policy(text, compiles(site, path, text))
        except ValueError as error:
            raise PageError(f"{path.relative_to(site).as_posix()}: {error}") from None
        path.write_text(made, "utf8", newline="\n")


def with_policy(page: str, compiles: bool = False) -> str:
    """The HTML of a page with its policy; `compiles` allows WebAssembly.

    Raises `ValueError` for what no hash can allow.
    """
    for tag in tags(page):
        if handlers := [name for name in tag.names() if name.startswith("on")]:
            raise ValueError(
                f"<{tag.name} {handlers[0]}=…>: the page's policy refuses inline "
                "handlers; use addEventListener in a module"
            )
        if (tag.get("href") or "").strip().lower().startswith("javascript:"):
            raise ValueError("a link to javascript: is refused by the page's policy")
    page = with_classes(page)
    if not CHARSET.search(page):
        raise ValueError("no <meta charset>, after which the policy would stand")
    allowed = policy(page, compiles)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{allowed}">'
    return CHARSET.sub(lambda found: found[0] + meta, page, count=1)


def policy(page: str, compiles: bool = False) -> str:
    """What the page may load and run."""
    found = list(tags(page))
    scripts = [
        tag.body
        for tag in found
        if tag.name == "script"
        and tag.get("src") is None
        and (tag.get("type") or "").lower() not in DATA
    ]
    styles = [tag.body for tag in found if tag.name == "style"]
    wasm = ["'wasm-unsafe-eval'"] if compiles else []
    allowed = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *wasm, *hashes(scripts)],
        "style-src": ["'self'", *hashes(styles)],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(" ".join([name, *values]) for name, values in allowed.items())


def hashes(texts: list[str]) -> list[str]:
    """What allows inline texts; browsers hash them with plain line ends."""
    plain = {text.replace("\r\n", "\n").replace("\r", "\n") for text in texts}
    return sorted(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in plain
    )


def with_classes(page: str) -> str:
    """The page with a class for each `style` attribute, and a rule for each class."""
    rules: dict[str, str] = {}

    def change(tag: Tag) -> Tag:
        style = tag.get("style")
        if style is None:
            return tag
        bare = tag.with_attribute("style", None)
        declared = style.strip().rstrip(";")
        if not declared:
            return bare
        if re.search(r"[{}<>\\]|/\*", declared):
            raise ValueError(f'style="{style}" cannot be written as a rule')
        name = "s-" + hashlib.sha256(declared.encode()).hexdigest()[:8]
        rules[name] = declared
        own = tag.get("class")
        return bare.with_attribute("class", f"{own} {name}" if own else name)

    page = changed(page, change)
    if not rules:
        return page
    text = "".join(RULE.format(name, declared) for name, declared in rules.items())
    at = re.search(r"</head\s*>", page, re.IGNORECASE)
    if not at:
        raise ValueError("no </head>, before which the styles would stand")
    return f"{page[: at.start()]}<style>{text}</style>\n{page[at.start() :]}"


def compiles(site: Path, path: Path, page: str) -> bool:
    """Whether a script of the page, or a widget in it, names WebAssembly."""
    starts: set[Path] = set()
    for tag in tags(page):
        source = tag.get("src") if tag.name == "script" else None
        if source and not html.unescape(source).startswith("/"):
            starts.add((path.parent / source.partition("?")[0]).resolve())
        elif "-" in tag.name:
            starts.add((site / "assets" / "widgets" / f"{tag.name}.js").resolve())
    known: set[Path] = set()
    while starts:
        module = starts.pop()
        if module in known or not module.is_file():
            continue
        known.add(module)
        stamp = module.stat()
        compiled, others = _reads(module, stamp.st_mtime_ns, stamp.st_size)
        if compiled:
            return True
        starts |= set(others)
    return False


@functools.lru_cache(maxsize=512)
def _reads(module: Path, changed: int, size: int) -> tuple[bool, tuple[Path, ...]]:
    """Whether a module names WebAssembly, and the modules whose names it holds.

    Imports, imports on demand and workers alike are names in quotes.
    """
    text = module.read_text("utf8")
    others = ((module.parent / name).resolve() for name in MODULE.findall(text))
    return "WebAssembly" in text, tuple(others)
