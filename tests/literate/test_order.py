"""Nothing is used before it is shown, on every page that is done."""

import pytest

from literate import nav, not_done, order
from literate.page import Page
from literate.project import DOCS, SNIPPETS

TOPICS = {page.name: page for page in nav.topics()}
MOST_PROMISES = 4  # of each track: what is used before it is shown


@pytest.fixture(scope="module")
def by_page() -> dict[str, set[order.Name]]:
    return order.all_shown()


@pytest.mark.parametrize("name", TOPICS)
def test_a_page_uses_what_has_been_shown(name, by_page):
    wrong = [
        f"{name}:{p.line}: {p.message}" for p in order.problems(TOPICS[name], by_page)
    ]
    if not_done.is_done(name, "order"):
        assert not wrong, "\n".join(wrong)
    else:
        assert wrong, f"{name} is done: take it out of {not_done.LIST.name}"


@pytest.mark.parametrize("track", ["llm", "pytorch"])
def test_a_track_has_few_black_boxes(track):
    promised = [
        block.options.later
        for page in TOPICS.values()
        if page.name.startswith(f"docs/{track}/")
        for block in order.parse(page).blocks
        if block.options.later
    ]
    assert len(promised) <= MOST_PROMISES, promised


CAUSAL = ("attention", "causal_mask")
SHOWS = '```python\n--8<-- "attention.py:causal-mask"\n```\n'
USES = "```python\nfrom snippets.attention import causal_mask\n```\n"


@pytest.fixture
def track(monkeypatch):
    """A track of the pages with these texts, in order; returns the pages' problems."""

    def problems(*texts: str, **meta) -> list[list[str]]:
        made = [
            Page(
                DOCS / "llm" / f"day-{day}" / "page.md",
                text,
                meta=meta.get(f"day_{day}", {}),
            )
            for day, text in enumerate(texts, 1)
        ]
        monkeypatch.setattr(nav, "topics", lambda: made)
        by_page = order.all_shown()
        return [[p.message for p in order.problems(page, by_page)] for page in made]

    return problems


def test_a_page_may_use_what_it_or_an_earlier_one_shows(track):
    assert track(SHOWS + USES, USES) == [[], []]
    assert track(USES + SHOWS, SHOWS) == [[], []]


def test_what_a_later_page_shows_may_not_be_used(track):
    (message,), fine = track(USES, SHOWS)
    assert fine == []
    assert message.startswith(
        "snippets.attention.causal_mask is used before it is shown"
    )
    assert 'later="/llm/day-2/page.md"' in message


def test_what_no_page_shows_may_not_be_used(track):
    ((message,),) = track(USES)
    assert message.startswith("snippets.attention.causal_mask is used, and no page")


def test_a_block_may_promise_to_show_it_later(track):
    promise = USES.replace("python\n", 'python later="/llm/day-2/page.md"\n', 1)
    link = "It hides the future; [day 2](/llm/day-2/page.md) opens it.\n\n"
    assert track(link + promise, SHOWS) == [[], []]
    (message,), _ = track(promise, SHOWS)
    assert message.startswith("say in a sentence what the black box does")
    _, (message,) = track(SHOWS, link + promise)
    assert message.endswith(
        "is not needed here: that page shows nothing that this block uses"
    )
    assert len(track(link + promise.replace("day-2", "day-3"), SHOWS)[0]) == 2


def test_optional_pages_do_not_count_for_required_ones(track):
    assert len(track(SHOWS, USES, day_1={"optional": True})[1]) == 1
    assert (
        track(SHOWS, USES, day_1={"optional": True}, day_2={"optional": True})[1] == []
    )


def test_embedded_lines_need_what_they_use_of_their_module_and_of_others(
    tmp_path, monkeypatch
):
    (tmp_path / "snippets" / "deep").mkdir(parents=True)
    (tmp_path / "snippets" / "deep" / "a.py").write_text("ONE, TWO = 1, 2\n", "utf8")
    code = (
        "from snippets.data import read_data\n"
        "from snippets.deep.a import ONE as first\n\n"
        "LIMIT: int = 3\n\n\n"
        "# --8<-- [start:part]\n"
        "@staticmethod\n"
        "def part(x: int) -> int:\n"
        "    read_data\n"
        "    return x + first + LIMIT\n"
        "# --8<-- [end:part]\n\n\n"
        "def other() -> int:\n"
        "    return part(1)\n"
    )
    path = tmp_path / "snippets" / "b.py"
    path.write_text(code, "utf8")
    monkeypatch.setattr(order, "SNIPPETS", tmp_path / "snippets")
    found = order.module(path)
    assert found.shows(found.sections["part"]) == {("b", "part")}
    assert found.shows(found.sections[""]) == {
        ("b", n) for n in ("LIMIT", "part", "other")
    }
    assert found.needs(found.sections["part"]) == {("b", "LIMIT"), ("deep.a", "ONE")}
    assert found.needs(found.sections[""]) >= {("b", "part")}


def test_pages_of_the_other_track_count_where_the_opening_names_them():
    page = TOPICS["docs/llm/day-1/attention-is-all-you-need.md"]
    opening = "/// opening\nKnow [tensors](/pytorch/day-1/tensors.md).\n///\n\n"
    text = f"# T\n\n{opening}[x](/pytorch/day-1/shapes.md)"
    other = Page(page.path, text)
    names = [before.name for before in order.before(other)]
    assert "docs/pytorch/day-1/tensors.md" in names
    assert "docs/pytorch/day-1/shapes.md" not in names


def test_modules_themselves_need_not_be_shown():
    assert order.is_module(("mini_gpt", "model"))
    assert not order.is_module(CAUSAL)
    assert SNIPPETS.joinpath("mini_gpt", "model.py").is_file()
