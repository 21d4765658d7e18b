"""The site without a network: a service worker that knows every file by its digest.

The worker is `docs/assets/offline/worker.js`; here it gets the list of files, and the
site the manifest with which a browser can install it.
"""

import base64
import hashlib
import json
from pathlib import Path

from literate.project import DOCS
from literate.showing.site_markdown import configuration

WORKER = "sw.js"
MANIFEST = "manifest.webmanifest"
PROGRAM = DOCS / "assets" / "offline" / "worker.js"
ICONS = (192, 512)  # pixels
# for search engines, for debuggers, and Material's word lists of other languages
LEFT_OUT = ("sitemap.xml", "sitemap.xml.gz", "assets/javascripts/lunr/", WORKER)
HEAVY = 300_000  # bytes; what weighs more, as a model does, is kept once it was used
FIRST = (".html", ".css", ".js", ".json", ".svg", ".woff2")  # before what is downloaded


def write(site: Path) -> None:
    """Write the manifest and the worker, which knows all that the site has by now."""
    made = json.dumps(manifest(), ensure_ascii=False, indent=2) + "\n"
    (site / MANIFEST).write_text(made, "utf8", newline="\n")
    found = files(site)
    later = [name for name in found if is_heavy(name, (site / name).stat().st_size)]
    head = (
        f"self.files = {json.dumps(found, separators=(',', ':'))};\n"
        f"self.whenUsed = {json.dumps(later, separators=(',', ':'))};\n"
    )
    text = head + PROGRAM.read_text("utf8")
    (site / WORKER).write_text(text, "utf8", newline="\n")


def files(site: Path) -> dict[str, str]:
    """The digest of each file, those first that pages are made of."""
    paths = {
        path.relative_to(site).as_posix(): path
        for path in site.rglob("*")
        if path.is_file()
    }
    names = [n for n in paths if not n.startswith(LEFT_OUT) and not n.endswith(".map")]
    names.sort(key=lambda name: (not name.endswith(FIRST), name))
    return {name: digest(paths[name].read_bytes()) for name in names}


def digest(content: bytes) -> str:
    """As the worker computes it."""
    made = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return made.decode()[:22]


def is_heavy(name: str, size: int) -> bool:
    """Whether a file waits until it is used; a page does not, nor what search needs."""
    is_needed = name.endswith(".html") or name.startswith("search/")
    return size > HEAVY and not is_needed


def manifest() -> dict[str, object]:
    """What a browser needs to install the site."""
    config = configuration()
    icons = [
        {
            "src": f"assets/icons/icon-{size}.png",
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size in ICONS
        for purpose in ("any", "maskable")
    ]
    return {
        "name": config.site_name,
        "short_name": config.site_name,
        "description": config.site_description,
        "lang": "en",
        "start_url": "./",
        "scope": "./",
        "display": "minimal-ui",
        "background_color": "#ffffff",
        "theme_color": "#20334d",
        "icons": icons,
    }
