"""The playgrounds of the small GPT, in a real Chromium on the built site."""

import gzip
import json
from urllib.parse import quote

import pytest
import safetensors.torch
import torch
from playwright.sync_api import Page, expect

from snippets.data import read_data
from snippets.gpt import CharTokenizer
from snippets.mini_gpt.load import Trained, save_plain
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from tests.visit import FRAME, NARROW, TWO_VIEWS, WIDE, Visit, problems
from tools import replay

WRITING, ATTENTION = "playground/mini-gpt/", "playground/attention/"
MODEL = "**/model/mini-gpt.safetensors"
HUGE = "document.querySelector('#{}').value = 'To be. '.repeat(1_500_000)"
HALF = "document.querySelector('#{}').value = 'To \\ud83d'"
VIEWS = {f"{WIDE} light": (WIDE, "light"), f"{NARROW} dark": (NARROW, "dark")}


@pytest.fixture
def visit(browser, address):
    made = Visit.start(browser, address, WIDE)
    yield made
    made.page.context.close()


def write(page: Page) -> None:
    """Press the button, and wait for the end."""
    page.get_by_role("button", name="Write").click()
    ended(page)


def ended(page: Page) -> None:
    expect(page.get_by_role("button", name="Go on", exact=True)).to_be_enabled()
    expect(page.locator(".play-status")).to_contain_text("a second")


def text_of(page: Page) -> str:
    """The tokens, without the signs for the ends of lines."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".play-token")].map((token) =>
             [...token.childNodes].filter((n) => n.nodeName !== "I")
               .map((n) => n.textContent).join("")).join("")"""
    )


def trouble(page: Page):
    return page.get_by_role("alert")


def recorded() -> dict:
    return json.loads(replay.TARGET.read_text("utf8"))


def test_it_writes_what_python_writes(visit, address):
    run = recorded()
    settings = f"temperature=0.7&seed={run['seed']}&tokens={len(run['tokens'])}"
    page = visit.open(f"{address}{WRITING}#{settings}&prompt={quote(run['prompt'])}")
    write(page)
    expected = run["prompt"] + "".join(token for token, _ in run["tokens"])
    assert text_of(page) == expected
    assert not visit.messages and not visit.third_party()


@pytest.mark.parametrize("name", ["mini-gpt.safetensors", "mini-gpt.json"])
def test_the_model_of_the_book_is_handed_to_the_site(site, name):
    handed = site / "assets" / "playground" / "model" / name
    assert handed.read_bytes() == read_data(name)


# the model itself, in its thread
THREAD = "gpt-worker gpt open-model safetensors tokens writer"


@pytest.mark.parametrize("path", [WRITING, ATTENTION])
def test_its_scripts_are_light(visit, address, site, path):
    page = visit.open(address + path)
    if path == WRITING:
        write(page)
    else:
        follow(page)
    own = [
        site / url.removeprefix(address)
        for url in set(visit.requests)
        if ("/assets/playground/" in url or url.endswith("-playground.js"))
        and url.endswith((".js", ".css"))
    ]
    names = [f"{name}.js" for name in THREAD.split()]
    thread = [script for script in own if script.name in names]
    rest = [script for script in own if script not in thread]
    assert len(thread) == 6 and len(rest) > 6
    for part in (thread, rest):
        assert sum(len(gzip.compress(path.read_bytes())) for path in part) < 20 * 1024


def test_another_token_can_be_taken(visit, address):
    page = visit.open(f"{address}{WRITING}#tokens=60&seed=5")
    write(page)
    before = text_of(page)
    text = page.get_by_role("listbox")
    text.focus()
    for key in ("Home", *["ArrowRight"] * 20):
        page.keyboard.press(key)
    caption = page.locator(".play-choices caption")
    expect(caption).to_contain_text("Place 21")
    expect(page.locator(".own th")).to_contain_text("✓")
    other = page.locator(".play-choices tbody tr:not(.own)").first
    token = other.locator("th").inner_text()
    other.get_by_role("button").click()
    ended(page)
    after = text_of(page)
    assert after[:20] == before[:20]
    assert after[20] == {"␣": " ", "⏎": "\n"}.get(token, token) != before[20]
    assert len(after) == 21 + 60


def test_settings_shape_the_choices_at_once(visit, address):
    page = visit.open(f"{address}{WRITING}#tokens=30")
    write(page)
    drawn = page.locator(".play-choices tbody td:nth-child(3)")
    expect(drawn.first).not_to_have_text("cut off")
    page.get_by_label("Top-k").fill("1")
    expect(drawn.nth(1)).to_have_text("cut off")
    page.get_by_label("Colours show").select_option("look")
    expect(page.locator(".play-choices p")).to_contain_text("Looked at most:")
    shares = "[...document.querySelectorAll('.play-token')].map((t) => "
    shares += "Number(t.style.getPropertyValue('--share')))"
    assert max(page.evaluate(shares)) == 1
    page.get_by_label("Layer", exact=True).select_option("0")
    page.get_by_label("Head", exact=True).select_option("1")
    expect(page.locator(".play-choices p")).to_contain_text("Looked at most:")


def test_settings_are_kept_in_the_address(visit, address):
    page = visit.open(address + WRITING)
    page.get_by_label("Prompt").fill("JULIET:\nO & é#")
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Tab")
    assert "seed=7" in page.url
    page.reload()
    expect(page.get_by_label("Prompt")).to_have_value("JULIET:\nO & é#")
    page = visit.open("about:blank")
    wrong = "seed=x&temperature=9&pace=later&tokens=1e9&stop=%0A"
    page = visit.open(f"{address}{WRITING}#{wrong}")
    expect(page.get_by_label("Seed")).to_have_value("1")
    expect(page.get_by_label("Temperature")).to_have_value("2")  # the nearest there is
    expect(page.get_by_label("Tokens")).to_have_value("300")
    expect(page.get_by_label("Pace", exact=True)).to_have_value("0")


def test_it_stops_when_told_and_at_a_stop_text(visit, address):
    page = visit.open(f"{address}{WRITING}#tokens=2000&pace=3")
    page.get_by_role("button", name="Write").click()
    expect(page.locator(".play-token").nth(8)).to_be_attached()
    page.get_by_role("button", name="Stop").click()
    ended(page)
    assert 9 <= page.locator(".play-token").count() < 1000
    page.get_by_role("button", name="One token").click()
    expect(page.locator(".play-status")).to_contain_text("1 token written")
    page.get_by_label("Pace", exact=True).select_option("0")
    page.get_by_label("Stop before").fill("\\n\\n")
    write(page)
    expect(page.locator(".play-status")).to_contain_text("It ended at “⏎⏎”")
    assert text_of(page).endswith("\n\n")


def check_prompts(page: Page, label: str, name: str, go: str, count: int) -> None:
    """Texts that cannot be read are told, and what is there stays."""
    tokens = page.locator(".play-token")
    button = page.get_by_role("button", name=go)
    for fill, message in (
        ("", "is empty: give at least one character"),
        ("Straße 中", "The model has never seen “ß” “中”: its vocabulary has 65"),
        (HALF, "The model has never seen U+D83D"),
        (HUGE, "has 10,500,000 characters"),
    ):
        if fill in (HALF, HUGE):
            page.evaluate(fill.format(name))
        else:
            page.get_by_label(label, exact=True).fill(fill)
        button.click()
        expect(trouble(page)).to_contain_text(message)
        expect(tokens).to_have_count(count)
    page.get_by_label(label, exact=True).fill("K")
    button.click()
    expect(trouble(page)).to_be_empty()


def test_prompts_that_cannot_be_read_are_told(visit, address):
    page = visit.open(f"{address}{WRITING}#tokens=5")
    write(page)
    check_prompts(page, "Prompt", "gpt-prompt", "Write", 12)
    ended(page)
    assert text_of(page)[0] == "K" and len(text_of(page)) == 6
    page.get_by_label("Tokens").fill("0")
    page.get_by_role("button", name="Write").click()
    expect(trouble(page)).to_contain_text("Tokens: give a whole number from 1 to 2000")
    assert not visit.messages


def own_model(folder, architecture="modern"):
    """A file as the program of day 6 writes it."""
    torch.manual_seed(0)
    sizes = {"context_length": 16, "d_model": 16, "n_heads": 2, "n_layers": 3}
    model = ModernGPT(ModernConfig(vocab_size=11, **sizes)).eval()
    path = folder / "mine.safetensors"
    save_plain(path, Trained(model, CharTokenizer("abcdefghij ")))
    if architecture != "modern":
        tensors = safetensors.torch.load_file(path)
        with safetensors.safe_open(path, "pt") as file:
            notes = file.metadata() | {"architecture": architecture}
        safetensors.torch.save_file(tensors, path, notes)
    return path


def test_files_that_are_no_model_leave_the_old_one(visit, address, tmp_path):
    page = visit.open(f"{address}{WRITING}#tokens=20")
    write(page)
    text = text_of(page)
    page.get_by_text("Open a model that you trained").click()
    field = page.get_by_label("Model (.safetensors)")
    damaged = own_model(tmp_path).read_bytes()[:-5]
    for name, content, message in (
        ("best.pt", b"PK", "best.pt is a checkpoint of PyTorch"),
        ("photo.jpg", b"\xff\xd8" + b"x" * 99, "photo.jpg: Damaged, or not"),
        ("cut.safetensors", damaged, "the file was cut off"),
        ("empty.safetensors", b"", "it has 0 bytes"),
    ):
        file = {"name": name, "mimeType": "", "buffer": content}
        field.set_input_files(files=[file])
        expect(trouble(page)).to_contain_text(message)
        assert text_of(page) == text
    field.set_input_files(own_model(tmp_path, "mamba"))
    expect(trouble(page)).to_contain_text('The architecture "mamba" is not known here')
    page.get_by_role("button", name="Go on", exact=True).click()
    ended(page)
    assert text_of(page).startswith(text) and len(text_of(page)) == len(text) + 20


def test_a_model_of_the_reader_writes(visit, address, tmp_path):
    page = visit.open(f"{address}{WRITING}#tokens=40&prompt=abc")
    page.get_by_text("Open a model that you trained").click()
    field = page.get_by_label("Model (.safetensors)")
    card = tmp_path / "mine.json"
    card.write_text('{"validation_loss": 1.25}')
    field.set_input_files([own_model(tmp_path), card])
    line = page.locator(".play-model p").first
    expect(line).to_contain_text("mine.safetensors")
    expect(line).to_contain_text("3 layers of 2 heads")
    expect(line).to_contain_text("validation loss 1.25")
    write(page)
    assert len(text_of(page)) == 43 and set(text_of(page)) <= set("abcdefghij ")
    page.get_by_role("button", name="The book's model").click()
    expect(line).to_contain_text("834,432 parameters")
    expect(page.locator(".play-token")).to_have_count(0)


def test_a_lost_connection_is_told_and_tried_again(visit, address):
    page = visit.open(f"{address}{WRITING}#tokens=10")
    page.route(MODEL, lambda route: route.abort())
    page.get_by_role("button", name="Write").click()
    expect(trouble(page)).to_contain_text("The model could not be loaded")
    page.unroute(MODEL)
    page.get_by_role("button", name="Try again").click()
    ended(page)
    expect(trouble(page)).to_be_empty()
    page = visit.open(address + ATTENTION)
    page.route(MODEL, lambda route: route.fulfill(status=404))
    page.get_by_role("button", name="Run it").click()
    expect(trouble(page)).to_contain_text("the server answered 404")
    page.unroute(MODEL)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".play-step")).to_have_count(7)


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_writing_is_accessible(browser, address, view):
    width, scheme = VIEWS[view]
    visit = Visit.start(browser, address, width, color_scheme=scheme)
    page = visit.open(f"{address}{WRITING}#tokens=200")
    expect(page.get_by_role("button", name="Write")).to_be_visible()
    found = problems(visit, FRAME)
    write(page)
    page.get_by_text("Open a model that you trained").click()
    found += problems(visit, FRAME)
    page.get_by_label("Colours show").select_option("look")
    page.get_by_label("Tokens").fill("")
    page.get_by_role("button", name="Write").click()
    expect(trouble(page)).to_contain_text("Tokens: give a whole number")
    found += problems(visit, FRAME)
    page.context.close()
    assert found == []


# attention


def follow(page: Page) -> None:
    page.get_by_role("button", name="Run it").click()
    expect(page.locator(".play-step")).to_have_count(7)


def test_a_token_is_followed_by_keys_and_pointer(visit, address):
    page = visit.open(address + ATTENTION)
    follow(page)
    status = page.locator(".play-status")
    expect(status).to_contain_text("Token 18, b, looks most at")
    page.get_by_role("listbox").focus()
    page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("Token 17, space,")
    page.locator(".play-token").nth(4).click()
    expect(status).to_contain_text("Token 5, e,")
    rows = page.locator(".play-step").nth(3).locator("tbody tr")
    expect(rows).to_have_count(18)
    expect(rows.nth(5)).to_contain_text("hides")
    page.get_by_role("button", name="Layer 2, head 3").click()
    expect(page.locator(".play-step h2").nth(1)).to_contain_text("layer 2")
    assert "layer=2&head=3" in page.url
    page.locator(".play-step summary").nth(2).click()
    expect(page.locator(".play-numbers")).to_have_count(3)
    page.keyboard.press("Escape")
    page.locator(".play-token").nth(6).click()
    expect(page.locator(".play-numbers")).to_have_count(3)  # they stay open
    assert not visit.messages and not visit.third_party()


def test_switches_show_what_they_change(visit, address):
    page = visit.open(address + ATTENTION)
    follow(page)
    weights = page.locator(".play-step").nth(3)
    after = page.locator(".play-step").nth(6)
    page.locator(".play-token").nth(2).click()
    expect(weights).to_contain_text("hides")
    expect(weights).not_to_contain_text("As trained")
    page.get_by_label("Causal mask").uncheck()
    expect(weights).to_contain_text("As trained")
    expect(weights).not_to_contain_text("hides")
    row = weights.locator("tbody tr").nth(9)
    expect(row.locator("td").last).to_have_text("0.0 %")
    page.get_by_label("Temperature of scores").fill("0.1")
    expect(weights).to_contain_text("by the temperature 0.1")
    expect(after).to_contain_text("As trained")
    page.get_by_text("The same as a table").click()
    expect(page.locator(".play-wide tbody tr")).to_have_count(18)


def test_texts_that_cannot_be_followed_are_told(visit, address):
    page = visit.open(address + ATTENTION)
    follow(page)
    page.get_by_label("Text", exact=True).fill("x" * 33)
    expect(trouble(page)).to_contain_text("has 33 tokens; the pictures have room for")
    check_prompts(page, "Text", "attention-text", "Run it", 18)
    expect(page.locator(".play-token")).to_have_count(1)
    expect(page.locator(".play-step")).to_have_count(7)
    page.get_by_label("Head", exact=True).fill("")
    expect(trouble(page)).to_contain_text("Head: give a whole number")
    assert not visit.messages


@pytest.mark.parametrize("view", TWO_VIEWS)
def test_following_is_accessible(browser, address, view):
    width, scheme = VIEWS[view]
    visit = Visit.start(browser, address, width, color_scheme=scheme)
    page = visit.open(address + ATTENTION)
    expect(page.get_by_role("button", name="Run it")).to_be_visible()
    found = problems(visit, FRAME)
    follow(page)
    page.get_by_label("Causal mask").uncheck()
    page.locator(".play-step summary").first.click()
    page.get_by_text("The same as a table").click()
    expect(page.locator(".play-wide tbody tr")).to_have_count(18)
    found += problems(visit, FRAME)
    page.context.close()
    assert found == []


@pytest.mark.parametrize("path", [WRITING, ATTENTION])
def test_without_javascript_a_sentence_stands_there(browser, address, path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + path)
    expect(page.locator("article")).to_contain_text("With JavaScript switched off")
    expect(page.locator("article button")).to_have_count(0)
    context.close()


# the recorded run


def put_replay(page: Page, address: str) -> None:
    """The element, on a page that has none."""
    page.evaluate(
        """(url) => {
          const made = document.createElement("gpt-replay");
          document.querySelector("article h1").after(made);
          return import(url);
        }""",
        f"{address}assets/widgets/gpt-replay.js",
    )


def test_the_recorded_run_plays_and_goes_on_live(visit, address):
    page = visit.open(address + "your-data/")
    put_replay(page, address)
    text = page.locator(".replay-text")
    expect(text).to_contain_text("ROMEO:\nWho sh")
    page.get_by_role("button", name="Pause").click()
    kept = text.inner_text()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Let the model go on").click()
    expect(page.locator(".play-status")).to_contain_text("250 tokens")
    assert text.inner_text().startswith(kept.strip())
    assert problems(visit, FRAME) == []


def test_who_wants_less_motion_gets_the_whole_text(browser, address):
    visit = Visit.start(browser, address, NARROW, reduced_motion="reduce")
    page = visit.open(address + "your-data/")
    put_replay(page, address)
    last = "".join(token for token, _ in recorded()["tokens"]).strip()[-20:]
    expect(page.locator(".replay-text")).to_contain_text(last)
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    page.context.close()
