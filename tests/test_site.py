"""The built site: links, weights, downloads, addresses. Without a browser."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from literate import labs
from literate.plan import tasks
from literate.project import DOCS, ROOT
from literate.source import has_code, pages
from tests.conftest import REPOSITORY, URL
from tests.helpers import python

KB = 1000
SOURCES = sorted([*(p.path for p in pages()), *labs.labs()])


def built(site: Path, source: Path) -> Path:
    """The HTML file of a page."""
    name = source.relative_to(DOCS)
    folder = name.parent if name.name == "index.md" else name.with_suffix("")
    return site / folder / "index.html"


def soup_of(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf8"), "html.parser")


def weight(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))


each_page = pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)


@pytest.fixture(scope="module")
def anchors(site) -> dict[Path, set[str]]:
    """The ids of every built page."""
    return {
        path: {element["id"] for element in soup_of(path).select("[id]")}
        for path in site.rglob("*.html")
    }


@each_page
def test_every_link_leads_somewhere(site, anchors, source):
    path = built(site, source)
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
        if not file.is_file() or (fragment and fragment not in anchors[file]):
            wrong.append(target)
    assert wrong == []


@each_page
def test_nothing_is_loaded_from_elsewhere(site, source):
    page = soup_of(built(site, source))
    for element in page.select("script[src], img[src], link[rel=stylesheet], iframe"):
        target = element.get("src") or element.get("href")
        assert not re.match(r"(https?:)?//", target), target


@each_page
def test_no_syntax_is_left_over(site, source):
    page = soup_of(built(site, source))
    for code in page.select("pre, code"):
        code.decompose()
    text = page.select_one("article").get_text()
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
    chapter = built(site, DOCS / "llm" / "day-3" / "self-attention.md")
    shared = {
        (chapter.parent / (element.get("src") or element.get("href"))).resolve()
        for element in soup_of(chapter).select("script[src], link[rel=stylesheet]")
    }
    shared.add(site / "assets" / "fonts" / "math.woff2")
    shared |= modules((site / "assets" / "site.js").resolve())
    names = {path.name for path in shared}
    assert {"site.js", "page.js", "store.js", "schema.js"} <= names
    assert sum(weight(path) for path in shared) <= 90 * KB


def test_the_math_font_has_every_letter_of_the_formulas(site):
    """Else it would be drawn in another font: add it to GLYPHS in tools/vendor.py."""
    source = (ROOT / "tools" / "vendor.py").read_text("utf8")
    glyphs = set(eval(re.search(r"^GLYPHS = (\[.*?^\])", source, re.M | re.S)[1]))
    glyphs.add(0x203E)  # the whole font has no overline
    missing = {}
    for path in site.rglob("*.html"):
        for formula in soup_of(path).select("math"):
            for element in formula.select("mi, mo, mn"):
                for letter in drawn(element.get_text(), element.get("mathvariant")):
                    if ord(letter) not in glyphs and not letter.isspace():
                        missing[letter] = path.relative_to(site).as_posix()
    assert missing == {}


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
        heading.a.decompose() if heading.a else None
        assert " ".join(heading.get_text().split()) == title


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
    (output,) = page.select(".highlight > .output")
    assert "the same as PyTorch's: True" in output.get_text()


CHAPTERS = [page for page in pages() if has_code(page)]


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
    assert ("raise NotImplementedError('Task 1: " in code) != is_broken
    assert "# As it was:" not in code  # that is only for the solved lab
    assert f"]({URL}llm/" in code or f"]({URL}pytorch/" in code


def test_without_a_repository_nothing_is_invented(tmp_path):
    folder = tmp_path / "site"
    done = python(ROOT, "-m", "mkdocs", "build", "--site-dir", str(folder))
    assert done.returncode == 0, done.stderr
    for path in folder.rglob("*.html"):
        text = path.read_text("utf8")
        assert "colab.research" not in text and "Source on GitHub" not in text, path
        assert 'rel="canonical"' not in text


def test_a_frozen_build_shows_what_the_tests_ran(site, tmp_path):
    folder = tmp_path / "site"
    command = ("-m", "mkdocs", "build", "--site-dir", str(folder))
    done = python(ROOT, *command, LITERATE="frozen", GITHUB_REPOSITORY=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert "Cache miss" not in done.stderr
    for source in SOURCES:
        first, second = built(site, source), built(folder, source)
        assert first.read_text("utf8") == second.read_text("utf8"), source


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"GITHUB_REPOSITORY": "no owner"}, "GITHUB_REPOSITORY='no owner': it must be"),
        ({"DAYBOOK_URL": "daybook.org"}, "DAYBOOK_URL='daybook.org': it must start"),
        ({"LITERATE": "icy"}, "LITERATE='icy': it must be one of run, frozen"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, variables, message):
    command = ("-m", "mkdocs", "build", "--site-dir", str(tmp_path / "site"))
    done = python(ROOT, *command, **variables)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
