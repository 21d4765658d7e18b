"""The site as one ZIP, to be read from files: opened in a browser, without a server.

A browser shows the listing of a folder that is opened as a file, so links name the
pages in them. It runs no modules from files: each page says so, once, and what to do.
"""

import re
import zipfile
from pathlib import Path
from posixpath import normpath

from literate.publishing import offline
from literate.publishing.markup import Tag, changed
from snippets.files import naming_file, write_whole

FOLDER = "daybook"  # all that is in the archive
# what only a server has a use for
LEFT_OUT = (offline.WORKER, offline.MANIFEST, "404.html", "sitemap.xml")
DATE = (1980, 1, 1, 0, 0, 0)  # the same site gives the same archive
NOTICE = (
    '<p class="only-as-file" role="note">You read this book from files. Search, ticks, '
    "notes, flash cards and all that computes need a server. Python has one: run "
    "<code>python -m http.server --bind 127.0.0.1</code> in the folder "
    f"<code>{FOLDER}</code>, and open <code>http://127.0.0.1:8000</code>.</p>"
)
STYLE = """
.md-typeset .only-as-file {
  background: var(--daybook-wash);
  border-left: 0.2rem solid var(--md-accent-fg-color);
  padding: 0.6rem 0.8rem;
}
html:not(.is-file) .only-as-file {
  display: none;
}
"""
ARTICLE = re.compile(r"<article\b[^>]*>")
MANIFEST = re.compile(r"""<link rel="manifest"[^>]*>\n?""")
REFRESH = re.compile(r"(?P<before>\d+;\s*url=)(?P<target>.*)")


def write(site: Path, target: Path) -> None:
    """Pack a built site; raises `OSError` where the archive cannot be written."""
    with naming_file(target):
        write_whole(target, lambda file: pack(site, zipfile.ZipFile(file, "w")))


def pack(site: Path, archive: zipfile.ZipFile) -> None:
    """Put the files of a site into an archive, in order, and close it."""
    names = sorted(
        path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()
    )
    folders = {Path(name).parent.as_posix() for name in names if is_page(name)}
    with archive:
        for name in names:
            if name.startswith(LEFT_OUT) or name.endswith(".map"):
                continue
            content = (site / name).read_bytes()
            if name.endswith(".html"):
                content = as_file(content.decode(), name, folders).encode()
            elif name == "assets/site.css":
                content += STYLE.encode()
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, compresslevel=9)


def is_page(name: str) -> bool:
    """Whether a file is what its folder shows."""
    return name.rpartition("/")[2] == "index.html"


def as_file(page: str, name: str, folders: set[str]) -> str:
    """The HTML of a page as it is read from a file; `folders` are those with a page."""

    def change(tag: Tag) -> Tag:
        kind = (tag.get("http-equiv") or "").lower()
        if kind == "content-security-policy":  # the origin of files is none
            allowed = (tag.get("content") or "").replace("'self'", "'self' file:")
            return tag.with_attribute("content", allowed)
        if kind == "refresh" and (found := REFRESH.match(tag.get("content") or "")):
            target = named(found["target"], name, folders)
            return tag.with_attribute("content", found["before"] + target)
        link = tag.get("href") if tag.name in ("a", "link") else None
        if link is None or (target := named(link, name, folders)) == link:
            return tag
        return tag.with_attribute("href", target)

    page = changed(MANIFEST.sub("", page, count=1), change)
    return ARTICLE.sub(lambda found: found[0] + NOTICE, page, count=1)


def named(link: str, name: str, folders: set[str]) -> str:
    """A link that leads to the page of a folder, with the name of that page."""
    found = re.fullmatch(r"(?P<path>[^?#:]*)(?P<rest>[?#].*)?", link, re.DOTALL)
    if not found or not found["path"] or found["path"].startswith("/"):
        return link
    path, rest = found["path"], found["rest"] or ""
    target = normpath(f"{Path(name).parent.as_posix()}/{path}")
    return f"{path.rstrip('/')}/index.html{rest}" if target in folders else link
