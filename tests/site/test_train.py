"""Training in the page, in a real Chromium on the built site."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from snippets.mini_gpt.load import load_trained
from tests.visit import FRAME, NARROW, TWO_VIEWS, VIEWS, WIDE, Visit, problems

TRAIN = "playground/train/"
SMALL = f"{TRAIN}?size=0&seconds=300"  # ended by hand when it has shown enough
RHYME = "the rain in spain stays mainly in the plain,\n" * 60


@pytest.fixture
def visit(browser, address):
    """A fresh reader."""
    made = Visit.start(browser, address, WIDE, accept_downloads=True)
    yield made
    made.page.context.close()


def press(page: Page, name: str) -> None:
    """Press a button of the widget."""
    page.get_by_role("button", name=name, exact=True).click()


def status(page: Page):
    """What the widget says of itself."""
    return page.locator("train-playground").get_by_role("status")


def own_text(page: Page, text: str) -> None:
    """Give a text of the reader's, without a keyboard: it may be no Unicode."""
    page.get_by_label("Text", exact=True).select_option("own")
    field = page.get_by_label("Your text")
    program = "(field, units) => field.value = String.fromCharCode(...units)"
    field.evaluate(program, units(text))


def units(text: str) -> list[int]:
    """A text as JavaScript's 16-bit units."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[n] + 256 * raw[n + 1] for n in range(0, len(raw), 2)]


def start(page: Page, samples: int = 3) -> None:
    """Train until there are some samples."""
    press(page, "Train")
    expect(page.locator(".train-samples > li").nth(samples - 1)).to_be_attached()


def finish(page: Page) -> None:
    press(page, "Finish now")
    expect(status(page)).to_contain_text("Done: validation loss")


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_a_reader_trains_a_model_and_lets_it_write(browser, address, view):
    width, scheme = VIEWS[view]
    visit = Visit.start(browser, address, width, color_scheme=scheme)
    page = visit.open(address + SMALL)
    start(page)
    finish(page)
    picture = page.get_by_role("img", name=re.compile("validation text from 4.14 to"))
    expect(picture.locator(".chart-validation")).to_have_attribute("d", re.compile("L"))
    expect(page.locator(".train-numbers")).to_contain_text("characters a second")
    page.get_by_label("Beginning").fill("ROMEO:")
    press(page, "Write")
    expect(page.locator(".train-written")).to_have_text(
        re.compile("^ROMEO:.{200,}", re.DOTALL)
    )
    page.locator("train-playground summary").click()
    assert problems(visit, FRAME) == []
    assert visit.messages == [] and visit.third_party() == []
    page.context.close()


def test_a_model_that_was_saved_is_loaded_by_python(visit, address, tmp_path):
    page = visit.open(address + SMALL)
    start(page)
    finish(page)
    paths = []
    for part in ("weights", "card"):
        with page.expect_download() as waiting:
            press(page, f"Save the {part}")
        paths.append(tmp_path / waiting.value.suggested_filename)
        waiting.value.save_as(paths[-1])
    assert [path.name for path in paths] == ["my-gpt.safetensors", "my-gpt.json"]
    trained = load_trained(paths[0])
    card = json.loads(paths[1].read_text("utf8"))
    assert card["model"]["vocab_size"] == len(trained.tokenizer.characters) == 63
    assert card["data"].startswith("tiny Shakespeare")
    said = status(page).inner_text()
    assert f"{card['validation_loss']:.3f}" in said


def test_training_waits_goes_on_and_starts_over(visit, address):
    page = visit.open(address + SMALL)
    start(page, 1)
    press(page, "Pause")
    expect(status(page)).to_have_text("Paused. Nothing is lost.")
    press(page, "Go on")
    expect(page.locator(".train-samples > li").nth(2)).to_be_attached()
    finish(page)
    press(page, "Train on for 5 minutes")
    expect(status(page)).to_contain_text("5 minutes more")
    press(page, "Finish now")
    expect(status(page)).to_contain_text("Done")
    press(page, "Start over")
    expect(page.locator(".train-results")).to_be_hidden()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_focused()


def test_training_goes_on_while_another_tab_is_in_front(visit, address):
    page = visit.open(address + SMALL)
    start(page, 1)
    other = page.context.new_page()
    other.goto(address)
    other.bring_to_front()
    expect(page.locator(".train-samples > li").nth(4)).to_be_attached()
    page.bring_to_front()
    finish(page)


BAD_TEXTS = {
    "empty": ("", "The text is empty"),
    "one character": ("x", "has 1 character, which is too short"),
    "one character, often": ("x" * 3000, 'is "x" all over'),
    "half a character": (f"{RHYME}\ud83d!", "a lone surrogate) at place 2,701"),
}


@pytest.mark.parametrize(("text", "said"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_text_that_cannot_be_learned_is_refused(visit, address, text, said):
    page = visit.open(address + SMALL)
    own_text(page, text)
    press(page, "Train")
    expect(status(page)).to_contain_text(said)
    own_text(page, RHYME)  # nothing else was harmed
    start(page, 1)
    assert visit.messages == []


def test_files_of_the_reader(visit, address, tmp_path):
    page = visit.open(address + SMALL)
    page.get_by_label("Text", exact=True).select_option("file")
    press(page, "Train")
    expect(status(page)).to_have_text("Choose a file first.")
    binary, large = tmp_path / "a.bin", tmp_path / "large.txt"
    binary.write_bytes(bytes(range(256)) * 40)
    large.write_bytes(b"To be, or not to be: that is the question.\r\n" * 240_000)
    assert large.stat().st_size > 10_000_000
    page.get_by_label("Your file").set_input_files(binary)
    press(page, "Train")
    expect(status(page)).to_contain_text("The file is no text in UTF-8")
    page.get_by_label("Your file").set_input_files(large)
    start(page, 2)
    finish(page)
    assert visit.messages == []


def test_a_rate_that_is_too_high_stops_the_training(visit, address):
    page = visit.open(f"{address}{TRAIN}?size=0&rate=10")
    press(page, "Train")
    expect(status(page)).to_contain_text("the training has diverged. The learning rate")
    expect(status(page)).to_contain_text("Kept are the last good weights, of step")
    press(page, "Write")
    expect(page.locator(".train-written")).to_have_text(
        re.compile(".{200,}", re.DOTALL)
    )
    assert visit.messages == []


def test_a_lost_connection_can_be_tried_again(visit, address):
    page = visit.open(address + SMALL)
    page.route("**/shakespeare.txt", lambda route: route.abort())
    press(page, "Train")
    expect(status(page)).to_contain_text("Is the connection lost?")
    page.unroute("**/shakespeare.txt")
    press(page, "Try again")
    expect(page.locator(".train-samples > li").first).to_be_attached()


def test_a_lost_connection_to_the_program_can_be_tried_again(visit, address):
    page = visit.open(address + SMALL)
    page.route("**/worker.js", lambda route: route.abort())
    press(page, "Train")
    expect(status(page)).to_contain_text("Is the connection lost?")
    page.unroute("**/worker.js")
    press(page, "Try again")
    expect(page.locator(".train-samples > li").first).to_be_attached()


def test_without_webassembly_it_trains_in_javascript(visit, address):
    page = visit.open(address + SMALL)
    page.route("**/simd.wasm", lambda route: route.fulfill(body=b"\0asm, but not here"))
    start(page, 2)
    expect(status(page)).to_contain_text("plain JavaScript does the same")
    finish(page)


def test_what_is_not_known_to_the_model_is_named(visit, address):
    page = visit.open(address + SMALL)
    own_text(page, RHYME)
    start(page, 1)
    page.get_by_label("Beginning").fill("ROMEO")
    press(page, "Write")
    expect(status(page)).to_contain_text('The model does not know "R", "O", "M", "E"')
    finish(page)


def test_choices_stand_in_the_address(visit, address):
    page = visit.open(address + TRAIN)
    page.get_by_label("Size").press("ArrowRight")
    page.get_by_label("Optimizer").select_option("adamw")
    page.get_by_label("Seed").fill("7")
    expect(page).to_have_url(f"{address}{TRAIN}?size=3&optimizer=adamw&seed=7")
    page.reload()
    expect(page.get_by_label("Size")).to_have_value("3")
    expect(page.get_by_label("Optimizer")).to_have_value("adamw")
    expect(page.get_by_label("Seed")).to_have_value("7")


def test_without_javascript_there_is_a_picture_and_what_to_do(browser, address):
    visit = Visit.start(browser, address, NARROW, java_script_enabled=False)
    page = visit.open(address + TRAIN)
    expect(page.get_by_role("img", name=re.compile("A training step"))).to_be_visible()
    expect(page.locator("train-playground")).to_contain_text("JavaScript switched off")
    page.context.close()
