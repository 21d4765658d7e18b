"""The tokenizer playground, in a real Chromium on the built site."""

import json
import re
from pathlib import Path

import pytest
import tiktoken
from playwright.sync_api import Page, Route, expect
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from snippets.corpus import load_text
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.wordpiece import WordPieceTokenizer
from tests.hard_strings import HARD
from tests.visit import FRAME, TWO_VIEWS, WIDE, Visit, problems

PAGE = "playground/tokenizer/"
HALF = "\ud83d"  # of an emoji
IDS = "section[aria-label='{}'] .piece-id"
GIVE = """([text]) => {
  const field = document.querySelector("#tokenizer-text");
  field.value = text;
  field.dispatchEvent(new Event("input"));
}"""
PASTE = """([text]) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const field = document.querySelector("#tokenizer-text");
  field.focus();
  field.select();
  const options = { clipboardData: data, cancelable: true, bubbles: true };
  field.dispatchEvent(new ClipboardEvent("paste", options));
}"""
BIG = """([characters]) => {
  const field = document.querySelector("#tokenizer-text");
  const data = new DataTransfer();
  data.setData("text/plain", "word ".repeat(characters / 5));
  const options = { clipboardData: data, cancelable: true, bubbles: true };
  field.dispatchEvent(new ClipboardEvent("paste", options));
}"""


@pytest.fixture
def visit(browser, address):
    """A reader who may save files."""
    made = Visit.start(browser, address, WIDE, accept_downloads=True)
    yield made
    made.page.context.close()


@pytest.fixture
def page(visit, address) -> Page:
    """The playground, when the first text is tokenized."""
    found = visit.open(address + PAGE)
    counts(found, 3)
    return found


def counts(page: Page, number: int) -> list[str]:
    """The numbers of tokens, when so many columns have one."""
    found = page.locator(".column strong")
    expect(found).to_have_count(number)
    return found.all_inner_texts()


def give(page: Page, text: str) -> None:
    """Write a text into the field, as one key."""
    page.evaluate(GIVE, [text])


def alert(page: Page, part: str = ".tokenizer-text"):
    return page.locator(part).get_by_role("alert")


def choose_file(page: Page, button: str, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button, exact=True).click()
    chooser.value.set_files(path)


def only(page: Page, name: str) -> None:
    """One tokenizer, and no other."""
    for box in page.locator(".choice input").all():
        box.set_checked(box.get_attribute("id") == f"tokenizer-{name}")
    counts(page, 1)


def expect_ids(page: Page, title: str, ids: list[int]) -> None:
    expect(page.locator(IDS.format(title))).to_have_text(
        [str(number) for number in ids]
    )


# ---- tokens ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "title", "encoding"),
    [
        ("gpt2", "GPT-2", "gpt2"),
        ("cl100k", "cl100k (GPT-4)", "cl100k_base"),
        ("o200k", "o200k (GPT-4o)", "o200k_base"),
    ],
)
def test_the_page_shows_the_ids_of_tiktoken(page, name, title, encoding):
    only(page, name)
    theirs = tiktoken.get_encoding(encoding)
    for text in (HARD["emoji"], HARD["special"], HARD["odd spaces"], HARD["code"]):
        give(page, text)
        expect_ids(page, title, theirs.encode_ordinary(text))
    give(page, HARD["special"])
    page.get_by_label("special tokens in the text").check()
    expect_ids(page, title, theirs.encode(HARD["special"], allowed_special="all"))


def test_what_does_not_show_is_shown(page):
    only(page, "bpe")
    give(page, "a b\n\tnaïve \u200b")
    column = page.locator(".column")
    expect(column.locator(".unseen")).to_have_text(["␣", "↵", "⇥", "␣"])
    expect(column.locator(".loose-bytes").first).to_have_text("C3")
    page.locator(".tokenizer-show").get_by_label("bytes", exact=True).check()
    expect(column.locator(".piece-bytes").first).to_have_text("61")
    expect(column.locator(".piece-bytes").first).to_be_visible()


def test_text_and_settings_are_in_the_address(page, visit):
    only(page, "gpt2")
    give(page, "naïve & 100 % #a=b")
    page.get_by_label("Text", exact=True).last.fill(" unhappy")
    expect(page.locator(".step-words")).to_contain_text("1 of")
    page.get_by_role("button", name="Next").last.click()
    page.locator("#train-kind").select_option("wordpiece")
    expect(page).to_have_url(re.compile("learn=wordpiece"))
    copied = page.url
    page.goto("about:blank")
    page.goto(copied)
    counts(page, 1)
    expect(page.locator("#tokenizer-text")).to_have_value("naïve & 100 % #a=b")
    expect(page.locator("#tokenizer-gpt2")).to_be_checked()
    expect(page.locator("#steps-text")).to_have_value(" unhappy")
    expect(page.locator(".step-words")).to_contain_text("2 of")
    expect(page.locator("#train-kind")).to_have_value("wordpiece")


# ---- steps -----------------------------------------------------------------------


def test_the_merges_of_a_word_by_keyboard(page):
    ranks = tiktoken.get_encoding("gpt2")._mergeable_ranks
    only(page, "gpt2")
    page.locator("#steps-text").fill(" newest")
    told = page.locator(".step-words")
    expect(told).to_contain_text("7 bytes")
    first = min(
        ranks[pair] for i in range(6) if (pair := b" newest"[i : i + 2]) in ranks
    )
    expect(told).to_contain_text(f"The lowest rank is {first}:")
    page.locator(".stepper").get_by_role("button", name="Next").focus()
    last = int(page.locator("#steps-at").get_attribute("max"))
    for _ in range(last):
        page.keyboard.press("Enter")
    expect(told).to_contain_text(f"{last + 1} of {last + 1}: One token is left")
    expect(told).to_contain_text(f"{ranks[b' newest']}.")
    expect(page.locator("#steps-at")).to_be_focused()  # Next has nothing to do any more
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text(f"{last} of {last + 1}:")


def test_the_longest_match_and_the_lattice(page):
    page.locator("#steps-tokenizer").select_option("wordpiece")
    page.locator("#steps-text").fill("lighthouses")
    told = page.locator(".step-words")
    expect(told).to_contain_text("“lighthouses” is not in the vocabulary")
    page.locator(".stepper").get_by_role("button", name="Last").click()
    shown = page.locator(".merge-row .token").all_inner_texts()
    assert "".join(piece.removeprefix("##") for piece in shown) == "lighthouses"
    page.locator("#steps-tokenizer").select_option("unigram")
    page.locator(".stepper").get_by_role("button", name="Last").click()
    expect(told).to_contain_text("Back from the end")
    assert (
        "".join(page.locator(".merge-row .token").all_inner_texts()) == "▁lighthouses"
    )
    expect(page.locator(".lattice .chosen")).to_have_count(
        page.locator(".merge-row .token").count()
    )


# ---- training --------------------------------------------------------------------


def train(page: Page, kind: str, size: int) -> None:
    page.locator("#train-kind").select_option(kind)
    page.locator("#train-size").fill(str(size))
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".train-status")).to_contain_text("Learned")


def saved(page: Page) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save tokenizer.json").click()
    assert waiting.value.suggested_filename == "tokenizer.json"
    return Path(waiting.value.path()).read_text("utf8")


def test_what_is_trained_here_is_what_the_book_trains(page):
    text = load_text("tales")
    train(page, "bpe", 500)
    ours = BPETokenizer.train(text, 500, min_frequency=2)
    content = saved(page)
    assert json.loads(content) == json.loads(ours.to_hugging_face().to_str())
    page.get_by_role("button", name="Compare it above").click()
    counts(page, 4)
    ids = Tokenizer.from_str(content).encode(HARD["english"]).ids
    give(page, HARD["english"])
    expect_ids(page, "Yours: byte-level BPE", ids)

    train(page, "wordpiece", 400)
    pieces = WordPieceTokenizer.train(text, 400, min_frequency=2)
    assert json.loads(saved(page)) == json.loads(pieces.to_hugging_face().to_str())


def test_the_slider_goes_through_the_vocabularies(page):
    train(page, "bpe", 300)
    slider = page.locator("#train-at")
    expect(slider).to_have_value("44")
    slider.fill("0")
    expect(page.locator(".train-at")).to_contain_text("256 tokens, 0 of 44 merges")
    begins = load_text("tales")[:10]
    shown = page.locator(".trainer .piece-text").all_inner_texts()
    assert "".join(shown[:10]).replace("␣", " ") == begins
    slider.fill("1")
    row = page.locator(".merges [aria-current]")
    expect(row.locator("td").nth(1)).to_have_text("h + e")
    count = load_text("tales").count("he")
    merged = row.locator("td").nth(2).inner_text()
    assert int(merged.replace(",", "")) == count


def test_own_text_is_learned_from(page):
    give(page, "low lower lowest " * 20)
    page.locator("#train-from").select_option("text")
    train(page, "bpe", 400)
    expect(page.locator(".train-status")).to_contain_text("No more: no pair is left")
    expect(page.locator(".merges")).to_contain_text("a tie with")
    page.locator("#train-words").select_option(label="nowhere: merges may cross words")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".merges")).to_contain_text("low␣lower")


# ---- bad input -------------------------------------------------------------------


WRONG_FILES = {
    "not json": ("{", "it is not JSON"),
    "damaged": ('{"model": {"type": "BPE", "vocab": {"a": 0}, "mer', "it is not JSON"),
    "another file": ("[1, 2]", "it has no model"),
    "another model": ('{"model": {"type": "WordLevel", "vocab": {}}}', '"WordLevel"'),
    "no merges": ('{"model": {"type": "BPE", "vocab": {"a": 0}}}', "has no merges"),
    "no unknown": (
        json.dumps(
            {
                "normalizer": {
                    "type": "BertNormalizer",
                    "clean_text": True,
                    "handle_chinese_chars": True,
                    "strip_accents": None,
                    "lowercase": True,
                },
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "model": {
                    "type": "WordPiece",
                    "unk_token": "[UNK]",
                    "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100,
                    "vocab": {"a": 0},
                },
            }
        ),
        "[UNK] is not among the 1 pieces",
    ),
}


@pytest.mark.parametrize(("content", "why"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_file_is_told_and_changes_nothing(page, tmp_path, content, why):
    before = counts(page, 3)
    path = tmp_path / "mine.json"
    path.write_text(content, "utf8")
    choose_file(page, "Open a tokenizer.json", path)
    expect(alert(page)).to_contain_text("mine.json cannot be used")
    expect(alert(page)).to_contain_text(why)
    assert counts(page, 3) == before
    give(page, "and on it goes")
    expect(alert(page)).to_be_hidden()
    expect(page.locator(".column-numbers").first).not_to_contain_text(before[0])


def test_a_file_of_another_kind_is_read_by_the_library(page, tmp_path):
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>"], show_progress=False
    )
    made.train_from_iterator([load_text("tales")], trainer)
    path = tmp_path / "theirs.json"
    made.save(str(path))
    choose_file(page, "Open a tokenizer.json", path)
    counts(page, 4)
    give(page, "The lighthouse, at Night.")
    expect_ids(page, "theirs.json", made.encode("The lighthouse, at Night.").ids)
    page.locator("#steps-tokenizer").select_option("file")
    expect(page.locator(".step-words")).to_contain_text("three kinds")


def test_a_file_that_is_no_text(page, tmp_path):
    path = tmp_path / "picture.txt"
    path.write_bytes(b"\x89PNG\xff\xfe")
    before = page.locator("#tokenizer-text").input_value()
    choose_file(page, "Open a text", path)
    expect(alert(page)).to_contain_text("picture.txt is not UTF-8")
    assert page.locator("#tokenizer-text").input_value() == before


def test_half_a_character(page):
    before = counts(page, 3)
    give(page, f"ab{HALF}c")
    expect(alert(page)).to_contain_text("U+D83D at 2 is a lone surrogate")
    assert counts(page, 3) == before
    page.get_by_role("button", name="put U+FFFD there").click()
    expect(alert(page)).to_be_hidden()
    expect(page.locator("#tokenizer-text")).to_have_value("ab\ufffdc")


def test_no_text_and_one_character(page):
    give(page, "")
    expect(page.locator(".column-numbers").first).to_contain_text("0 tokens · no text")
    assert page.locator(".piece").count() == 0
    page.locator("#train-from").select_option("text")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(alert(page, ".trainer")).to_contain_text("there is nothing to learn from")
    give(page, "x")
    expect(page.locator(".column strong").first).to_have_text("1 token")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".train-status")).to_contain_text("Learned 256 tokens")
    page.locator("#steps-text").fill("")
    expect(page.locator(".step-words")).to_have_text("Write a word.")


def test_a_text_that_is_too_long(page):
    before = counts(page, 3)
    page.evaluate(BIG, [10_000_000])
    expect(alert(page)).to_contain_text("2,000,000 fit here")
    assert counts(page, 3) == before


def test_a_megabyte_is_tokenized_beside_the_field(page):
    page.evaluate(BIG, [1_000_000])
    expect(page.locator(".text-about")).to_contain_text("characters; the field shows")
    first = page.locator("section[aria-label='The book’s BPE']")
    expect(first).to_contain_text("1 to 100 of")
    assert len(page.locator("#tokenizer-text").input_value()) < 1001
    first.get_by_role("button", name="Next").click()
    expect(first).to_contain_text("101 to 200 of")
    page.get_by_role("button", name="Write another text").click()
    expect(page.locator(".column-numbers").first).to_contain_text("no text")
    expect(page.locator("#tokenizer-text")).to_be_editable()


@pytest.mark.parametrize(
    ("size", "why"), [("", "nothing"), ("12", "12"), ("30000", "30000"), ("3.5", "3.5")]
)
def test_a_size_that_cannot_be(page, size, why):
    page.locator("#train-size").fill(size)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(alert(page, ".trainer")).to_contain_text(f"Vocabulary size {why}: give a")


def test_a_vocabulary_smaller_than_the_characters(page):
    give(page, "".join(map(chr, range(0x4E00, 0x4E80))))
    page.locator("#train-from").select_option("text")
    page.locator("#train-kind").select_option("wordpiece")
    page.locator("#train-size").fill("100")
    page.get_by_role("button", name="Train", exact=True).click()
    told = "5 special tokens and 128 characters need 133"
    expect(alert(page, ".trainer")).to_contain_text(told)


def test_a_lost_connection_and_another_try(visit, page):
    def lose(route: Route) -> None:
        route.abort()

    page.context.route("**/r50k_base.ranks", lose)
    page.locator("#tokenizer-gpt2").check()
    column = page.locator("section[aria-label='GPT-2']")
    expect(column.get_by_role("alert")).to_contain_text("It could not be loaded")
    counts(page, 3)  # the others are as they were
    page.context.unroute("**/r50k_base.ranks", lose)
    column.get_by_role("button", name="Try again").click()
    counts(page, 4)
    expect(column.get_by_role("alert")).to_be_hidden()


def test_a_training_can_be_stopped(page):
    page.evaluate(BIG, [1_000_000])
    page.locator("#train-from").select_option("text")
    page.locator("#train-kind").select_option("unigram")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    expect(alert(page, ".trainer")).to_contain_text("Stopped.")
    page.locator("#train-from").select_option("tales")
    train(page, "bpe", 300)


# ---- for everybody ---------------------------------------------------------------


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_it_is_accessible_when_it_was_used(visits, address, view):
    visit = visits[view]
    page = visit.open(address + PAGE)
    counts(page, 3)
    train(page, "bpe", 300)
    for name in ("bytes", "numbers"):
        page.locator(f"#tokenizer-show-{name}").check()
    page.locator("#steps-tokenizer").select_option("unigram")
    expect(page.locator(".lattice")).to_be_visible()
    page.get_by_role("button", name="Save tokenizer.json").wait_for()
    give(page, f"{HARD['emoji']}{HARD['odd spaces']}{HARD['accents']}")
    expect(page.locator(".column strong").first).not_to_have_text("50 tokens")
    assert problems(visit, without=FRAME) == []
    page.locator("#train-size").fill("1")
    page.get_by_role("button", name="Train", exact=True).click()
    give(page, HALF)
    expect(alert(page)).to_be_visible()
    assert problems(visit, without=FRAME) == []


def test_without_scripts_there_is_a_picture(browser, address):
    visit = Visit.start(browser, address, WIDE, java_script_enabled=False)
    page = visit.open(address + PAGE)
    expect(page.locator("tokenizer-playground svg")).to_be_visible()
    expect(page.get_by_text("With JavaScript switched off")).to_be_visible()
    page.context.close()
