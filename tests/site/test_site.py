"""The built site: links, weights, downloads, addresses. Without a browser."""

import functools
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag

from literate import moved
from literate.handing_out import labs
from literate.page import pages
from literate.parse import parse
from literate.plan import tasks
from literate.project import DOCS, ROOT
from tests.conftest import REPOSITORY, URL

KB = 1000
SOURCES = sorted([*(p.path for p in pages()), *labs.labs()])


def built(site: Path, source: Path) -> Path:
    """The HTML file of a page."""
    name = source.relative_to(DOCS)
    folder = name.parent if name.name == "index.md" else name.with_suffix("")
    return site / folder / "index.html"


@functools.cache
def soup_of(path: Path) -> BeautifulSoup:
    """A built page, parsed once for all tests: they must not change it."""
    return BeautifulSoup(path.read_text("utf8"), "html.parser")


def text_of(element: Tag, without: tuple[str, ...]) -> Iterator[str]:
    """The pieces of text in an element, outside of elements with these names."""
    for child in element.children:
        if isinstance(child, Tag):
            if child.name not in without:
                yield from text_of(child, without)
        elif type(child) is NavigableString:  # comments and scripts are subclasses
            yield child


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """The ids of a built page."""
    return frozenset(element["id"] for element in soup_of(path).select("[id]"))


def weight(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))


each_page = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


def test_the_site_has_these_pages_and_no_other(site):
    expected = {built(site, source) for source in SOURCES} | {site / "404.html"}
    expected |= {site / old.strip("/") / "index.html" for old in moved.pages()}
    assert set(site.rglob("*.html")) == expected


def leading_nowhere(site: Path, path: Path) -> list[str]:
    """The links and sources on a built page that lead nowhere."""
    here = URL + path.relative_to(site).as_posix().removesuffix("index.html")
    wrong = []
    for element in soup_of(path).select("[href], [src]"):
        target = element.get("href") or element.get("src")
        if target is None or target.startswith("data:") or element.name == "use":
            continue
        address = urlsplit(urljoin(here, target))
        if not address.geturl().startswith(URL):
            if not re.match(r"https://[\w.-]+/", address.geturl()):
                wrong.append(target)
            continue
        file = site / unquote(address.path.removeprefix(urlsplit(URL).path))
        file = file / "index.html" if file.is_dir() else file
        fragment = unquote(address.fragment)
        if not file.is_file() or (fragment and fragment not in anchors(file)):
            wrong.append(target)
    return wrong


@each_page
def test_every_link_leads_somewhere(site, source):
    assert leading_nowhere(site, built(site, source)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    """Of a lab's page too, whose links MkDocs does not check."""
    lab = tmp_path / "labs" / "small" / "index.html"
    lab.parent.mkdir(parents=True)
    (tmp_path / "index.html").write_text("<h1 id=home>Home</h1>", "utf8")
    good = '<a id=own href="#own"></a><a href="../../#home"></a><a href="../../"></a>'
    bad = '<a href="../gone/"></a><a href="../../#no"></a><img src="a.png">'
    lab.write_text(f'{good}{bad}<a href="http://plain.org/"></a>', "utf8")
    wrong = ["../gone/", "../../#no", "a.png", "http://plain.org/"]
    assert leading_nowhere(tmp_path, lab) == wrong


@each_page
def test_nothing_is_loaded_from_elsewhere(site, source):
    page = soup_of(built(site, source))
    for element in page.select("script[src], img[src], link[rel=stylesheet], iframe"):
        target = element.get("src") or element.get("href")
        assert not re.match(r"(https?:)?//", target), target


@each_page
def test_no_syntax_is_left_over(site, source):
    article = soup_of(built(site, source)).article
    text = "".join(text_of(article, without=("pre", "code")))
    assert not re.search(r"--8<--|^/{3}|!!!|\{#|\\\(|\$\$|<!--", text, re.MULTILINE)
    raw = built(site, source).read_text("utf8")
    assert labs.BEGIN not in raw and labs.END not in raw
    assert 'class="arithmatex"' not in raw
    assert "output-of-block" not in raw


@each_page
def test_a_page_is_light(site, source):
    path = built(site, source)
    limit = 250 * KB if source.suffix == ".py" else 60 * KB
    assert weight(path) <= limit
    for figure in soup_of(path).select("figure svg"):
        assert len(gzip.compress(str(figure).encode())) <= 8 * KB


def modules(path: Path) -> set[Path]:
    """A script, with the scripts that it imports before it runs."""
    text = path.read_text("utf8")
    imported = re.findall(r'^(?:import|\}) .*?"(\.[^"]+)";$', text, re.MULTILINE)
    return {path}.union(*(modules((path.parent / name).resolve()) for name in imported))


def test_what_all_pages_share_is_light(site):
    chapter = built(site, DOCS / "plan.md")  # without what only some pages have
    shared = {
        (chapter.parent / (element.get("src") or element.get("href"))).resolve()
        for element in soup_of(chapter).select("script[src], link[rel=stylesheet]")
    }
    shared.add(site / "assets" / "fonts" / "math.woff2")
    shared |= modules((site / "assets" / "site.js").resolve())
    names = {path.name for path in shared}
    assert {"site.js", "page.js", "store.js", "schema.js"} <= names
    assert sum(weight(path) for path in shared) <= 90 * KB


@functools.cache
def glyphs() -> frozenset[int]:
    """The code points that the math font has, or that its whole has not either."""
    source = (ROOT / "tools" / "vendor.py").read_text("utf8")
    kept = eval(re.search(r"^GLYPHS = (\[.*?^\])", source, re.M | re.S)[1])
    return frozenset({*kept, 0x203E})  # the whole font has no overline


@each_page
def test_the_math_font_has_every_letter_of_the_formulas(site, source):
    """Else it would be drawn in another font: add it to GLYPHS in tools/vendor.py."""
    letters = {
        letter
        for element in soup_of(built(site, source)).select("math :is(mi, mo, mn)")
        for letter in drawn(element.get_text(), element.get("mathvariant"))
        if not letter.isspace()
    }
    assert {letter for letter in letters if ord(letter) not in glyphs()} == set()


def drawn(text: str, variant: str | None) -> str:
    """The letters that a browser draws: small Greek letters alone are italic."""
    if len(text) == 1 and "α" <= text <= "ω" and variant != "normal":
        return chr(0x1D6FC + ord(text) - ord("α"))
    return text


def test_scripts_find_the_plan_and_its_pages(site):
    plan = json.loads((site / "assets" / "reader" / "plan.json").read_text("utf8"))
    assert [track["id"] for track in plan["tracks"]] == ["llm", "pytorch"]
    assert len(plan["days"]) == 14
    found = [task["id"] for day in plan["days"] for task in day["tasks"]]
    assert found == list(tasks())
    entries = [*plan["tracks"], *plan["days"]]
    urls = [entry["url"] for entry in entries]
    urls += [task["url"] for day in plan["days"] for task in day["tasks"]]
    for url in {*urls, *plan["pages"]}:
        assert url.startswith("/") and (site / url[1:] / "index.html").is_file(), url
    for url, title in plan["pages"].items():
        heading = soup_of(site / url[1:] / "index.html").h1
        assert " ".join("".join(text_of(heading, without=("a",))).split()) == title


@each_page
def test_a_page_has_a_field_for_a_note(site, source):
    page = soup_of(built(site, source))
    (field,) = page.select("section.reader-note[hidden] textarea")
    name = built(site, source).relative_to(site).as_posix()
    assert field["name"] == f"/{name.removesuffix('index.html')}"
    assert page.select_one(f"label[for={field['id']}]")


@each_page
def test_a_page_has_one_title_and_a_description(site, source):
    page = soup_of(built(site, source))
    assert len(page.select("h1")) == 1
    assert page.select_one("meta[name=description]")["content"]
    assert "Daybook" in page.title.get_text()


@each_page
def test_addresses_come_from_the_repository(site, source):
    path = built(site, source)
    expected = URL + path.relative_to(site).as_posix().removesuffix("index.html")
    assert soup_of(path).select_one("link[rel=canonical]")["href"] == expected
    assert "example.com" not in path.read_text("utf8")


def test_both_tracks_and_all_days_are_in_the_navigation(site):
    page = soup_of(built(site, DOCS / "index.md"))
    links = {a["href"] for a in page.select("nav a[href]")}
    for track in ("llm", "pytorch"):
        index = soup_of(built(site, DOCS / track / "index.md"))
        days = {a["href"] for a in index.select("nav a[href]")}
        assert f"{track}/" in links
        assert {f"day-{day}/" for day in range(1, 8)} <= days


def test_every_output_of_a_page_is_shown(site):
    page = soup_of(built(site, DOCS / "index.md"))
    written, printed = page.select(".highlight > .output")
    assert written.get_text().startswith("JULIET:")
    assert "the same as PyTorch's: True" in printed.get_text()


CHAPTERS = [page for page in pages() if parse(page).has_code]


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.name)
def test_a_chapter_offers_its_downloads(site, page):
    path = built(site, page.path)
    links = {a.get_text(): a["href"] for a in soup_of(path).select(".downloads a")}
    assert list(links)[:2] == ["Notebook", "Python script"]
    assert list(links)[-1] == "Open in Colab"
    assert all(re.fullmatch(r"snippets/[\w/]+\.py", name) for name in list(links)[2:-1])
    notebook = json.loads((path.parent / links["Notebook"]).read_text("utf8"))
    assert notebook["nbformat"] == 4
    compile((path.parent / links["Python script"]).read_text("utf8"), "x.py", "exec")
    name = page.path.relative_to(DOCS).with_suffix(".ipynb").as_posix()
    assert links["Open in Colab"].endswith(f"/{REPOSITORY}/blob/gh-pages/{name}")
    assert (site / name).is_file()


@pytest.mark.parametrize("lab", labs.labs(), ids=lambda lab: lab.stem)
def test_a_lab_shows_its_solved_run_and_offers_its_notebook(site, lab):
    path = built(site, lab)
    page = soup_of(path)
    printed = [output.get_text() for output in page.select(".output")]
    assert any("Task 1 is right" in text for text in printed)
    assert "NotImplementedError" not in page.article.get_text()
    link = page.select_one(".downloads a[download]")["href"]
    notebook = json.loads((path.parent / link).read_text("utf8"))
    code = "".join("".join(cell["source"]) for cell in notebook["cells"])
    is_broken = labs.BROKEN in lab.read_text("utf8")
    is_left_to_do = re.search(r"""raise NotImplementedError\(["']Task 1: """, code)
    assert bool(is_left_to_do) != is_broken
    assert "# As it was:" not in code  # that is only for the solved lab
    assert f"]({URL}llm/" in code or f"]({URL}pytorch/" in code
