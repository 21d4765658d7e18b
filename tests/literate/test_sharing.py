"""Descriptions, pictures, plain Markdown and dates of pages."""

import io
import re
import subprocess

import pytest
from PIL import Image

from literate.page import pages, read
from literate.plan import titles
from literate.project import DOCS, ROOT
from literate.sharing import about, cards, history, plain

OPENING = """\
# A title

![picture](a.svg)

/// opening
Know first: nothing.
///

You read *this* and `that`, see [a page](/a.md#b). It has a second sentence.

More.
"""


def test_a_description_is_the_first_paragraph_without_marks():
    found = about.first_paragraph(OPENING)
    assert found == "You read this and that, see a page. It has a second sentence."
    assert about.first_paragraph("# Only a title") == ""


def test_a_description_ends_with_a_sentence_or_a_word():
    sentence = "Many words make a sentence that goes on. "
    short = about.shortened(sentence * 20)
    assert len(short) <= about.LONGEST and short.endswith("goes on.")
    cut = about.shortened("word " * 100)
    assert len(cut) <= about.LONGEST and cut.endswith("word …")
    assert about.shortened("Short.") == "Short."


@pytest.mark.parametrize("path", about.sources(), ids=lambda path: path.stem)
def test_every_page_says_what_it_is_about(path):
    written = "" if path.suffix == ".py" else read(path).meta.get("description", "")
    assert len((written or about.description(path)).split()) >= 5


def test_links_to_the_repository_are_there_where_it_is_known(monkeypatch):
    path = DOCS / "llm" / "day-3" / "llama.md"
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    unknown = about.about(path, "/llm/day-3/llama/")
    assert unknown["edit"] == unknown["report"] == ""
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    known = about.about(path, "/llm/day-3/llama/")
    assert known["edit"] == "https://github.com/a/b/edit/main/docs/llm/day-3/llama.md"
    assert known["report"].endswith("?template=mistake.yml&page=/llm/day-3/llama/")
    form = ROOT / ".github" / "ISSUE_TEMPLATE" / "mistake.yml"
    assert "id: page" in form.read_text("utf8")


def test_a_picture_is_the_same_each_time_small_and_of_the_size_that_is_asked_for():
    first, second = (cards.draw("A title", "LLM track, day 3") for _ in range(2))
    assert first == second
    assert first != cards.draw("Another", "LLM track, day 3")
    assert Image.open(io.BytesIO(first)).size == (cards.WIDTH, cards.HEIGHT)


@pytest.mark.parametrize("title", [*titles().values(), "long " * 14, "x" * 31])
def test_a_title_fits_its_picture(title):
    lines, face = cards.fitting(title)
    assert " ".join(lines) == title.strip()
    assert len(lines) <= 4
    widest = max(face.getlength(line) for line in lines)
    assert widest <= cards.WIDTH - 2 * cards.EDGE
    assert len(cards.kept(title, "LLM track, day 3")) <= cards.MOST_BYTES


def test_plain_markdown_has_outputs_and_values_and_no_syntax_of_ours():
    text = plain.markdown(read(DOCS / "pytorch" / "day-1" / "shapes.md"))
    assert text.startswith("# ")
    prose = re.sub(r"^[ >]*(`{3,})[^`]*?^[ >]*\1$", "", text, flags=re.M | re.S)
    for left_over in ("///", "--8<--", "{python}", "<svg", "<!--", "    id: "):
        assert left_over not in prose
    assert "\n```text\n" in text and "**Question.** " in text
    assert "title=" not in "".join(re.findall(r"^```python.*$", text, re.MULTILINE))


def test_links_of_plain_markdown_lead_to_plain_markdown_or_to_an_address():
    here = read(DOCS / "llm" / "day-3" / "llama.md")

    def moved(link: str) -> str:
        return plain.LINK.sub(lambda match: plain._link(here, match), link)

    assert moved("[a](/llm/day-2/gpt.md#b)") == "[a](../../llm/day-2/gpt.md#b)"
    assert moved("[a](self-attention.md)") == "[a](../../llm/day-3/self-attention.md)"
    assert moved("[a](/flash-cards.md)") == "[a](../../flash-cards/)"
    assert moved("[a](/labs/bpe.py)") == "[a](../../labs/bpe/)"


def test_llms_txt_lists_the_chapters_with_what_they_are_about():
    text = plain.llms("https://a.org/b/")
    assert text.startswith("# Daybook\n\n> ")
    links = re.findall(r"^- \[.+\]\((\S+)\): .{20}", text, re.MULTILINE)
    assert "https://a.org/b/llm/day-3/llama.md" in links
    topics = [p for p in pages() if re.match(r"docs/(llm|pytorch)/", p.name)]
    wanted = [p.name.removeprefix("docs/") for p in topics if plain.address(p.path)]
    assert sorted(links) == sorted(f"https://a.org/b/{name}" for name in wanted)


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, timeout=60)


def commit(folder, date: str, text: str) -> None:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "a b.md").write_text(text, "utf8")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "a", "--date", date)


def test_dates_come_from_the_history_and_only_from_a_whole_one(tmp_path, monkeypatch):
    assert history._dates(tmp_path) == {}  # no repository
    whole = tmp_path / "whole"
    whole.mkdir()
    git(whole, "init", "-q")
    for date in ("2020-01-02", "2021-03-04"):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{date}T12:00:00")
        commit(whole, f"{date}T12:00:00", date)
    assert history._dates(whole) == {"docs/a b.md": "2021-03-04"}
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{whole}", "shallow")
    assert history._dates(tmp_path / "shallow") == {}
