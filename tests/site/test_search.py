"""The search finds the page that explains what is asked, names in code among it."""

import json

import pytest
from playwright.sync_api import expect

from literate.showing import search
from tests.site.test_browser import CHAPTER
from tests.visit import WIDE, Visit

FIRST = {  # what a reader asks, and the page that explains it
    "clip_grad_norm_": "pytorch/day-6/clipping/",
    "clip_grad_norm": "pytorch/day-6/clipping/",
    "randperm": "pytorch/day-3/data-loading/",
    "torch.randperm": "pytorch/day-3/data-loading/",
    "torch.nn.functional.cross_entropy": "pytorch/day-2/losses/",
    "F.cross_entropy": "pytorch/day-2/losses/",
    "cross-entropy": "pytorch/day-2/losses/",
    "attn_mask": "llm/day-3/self-attention/",
    "scaled_dot_product_attention": "llm/day-3/self-attention/",
    "causal mask": "llm/day-3/self-attention/",
    "RMSNorm": "llm/day-3/llama/",
    "SwiGLU": "llm/day-3/llama/",
    "kv cache": "llm/day-3/llama/",
    "perplexity": "llm/day-2/gpt/",
    "masked language model": "llm/day-2/bert/",
    "in-context learning": "llm/day-2/in-context-learning/",
    "wordpiece": "llm/day-4/wordpiece/",
    "byte_fallback": "llm/day-4/sentencepiece/",
    "tiktoken": "llm/day-5/tokenizer-libraries/",
    "top_p": "llm/day-6/sampling/",
    "temperature": "llm/day-6/sampling/",
    "chat template": "llm/day-7/assistant/",
    "einsum": "pytorch/day-1/tensors/",
    "broadcasting": "pytorch/day-1/shapes/",
    "contiguous": "pytorch/day-1/shapes/",
    "from_numpy": "pytorch/day-1/numpy/",
    "requires_grad": "pytorch/day-1/autograd/",
    "no_grad": "pytorch/day-1/autograd/",
    "ModuleDict": "pytorch/day-6/building-blocks/",
    "register_buffer": "pytorch/day-2/modules/",
    "binary_cross_entropy_with_logits": "pytorch/day-2/losses/",
    "weight decay": "pytorch/day-3/optimizers/",
    "AdamW": "pytorch/day-3/optimizers/",
    "confusion matrix": "pytorch/day-3/evaluation/",
    "early stopping": "pytorch/day-3/overfitting/",
    "collate_fn": "pytorch/day-3/data-loading/",
    "GradScaler": "pytorch/day-4/mixed-precision/",
    "state_dict": "pytorch/day-4/saving/",
    "ImageFolder": "pytorch/day-5/images/",
    "augmentation": "pytorch/day-5/transforms/",
    "kaiming_normal_": "pytorch/day-6/initialisation/",
    "warmup": "pytorch/day-6/schedules/",
    "Conv2d": "pytorch/day-6/cnn/",
    "SummaryWriter": "pytorch/day-7/tensorboard/",
    "torch.compile": "pytorch/day-7/compile/",
    "onnx": "pytorch/day-7/export/",
}
FIND = """async (queries) => {
  const { Search } = await import("./assets/search/search.js");
  const read = async (name) => (await fetch(`search/${name}`)).json();
  const search = await Search.load(read);
  const found = [];
  for (const query of queries) found.push(await search.find(query));
  return found;
}"""


@pytest.fixture(scope="module")
def finds(browser, address):
    """A function that asks the built site's search, without its box."""
    visit = Visit.start(browser, address, WIDE)
    visit.open(address)
    yield lambda *queries: visit.page.evaluate(FIND, list(queries))
    visit.page.context.close()


@pytest.fixture(scope="module")
def found(finds) -> dict[str, list[str]]:
    """The pages that each query finds, in order."""
    lists = finds(*FIRST)
    return {
        query: [page[0]["location"] for page in pages]
        for query, pages in zip(FIRST, lists, strict=True)
    }


@pytest.mark.parametrize("query", FIRST)
def test_the_page_that_explains_it_comes_first(found, query):
    assert found[query][:1] == [FIRST[query]], found[query][:5]


def test_a_word_that_is_not_there_finds_nothing_and_others_still_do(finds):
    nothing, short, some = finds("xyzzyq", "x", "xyzzyq randperm")
    assert nothing == [] and short == []
    assert some[0][0]["terms"] == {"xyzzyq": False, "randperm": True}


def test_what_is_shown_is_text_and_marks(finds):
    (pages,) = finds("randperm")
    sections = pages[0]
    assert "#" not in sections[0]["location"] and "#" in sections[1]["location"]
    text = "".join(section["text"] for section in sections)
    assert "<pre><code>" in text and "<mark>randperm</mark>" in text
    hostile = finds('<img src=x onerror="alert(1)">', "a.b(c)[d]{e}$^\\")
    assert "<img" not in json.dumps(hostile)


@pytest.fixture
def visit(browser, address):
    made = Visit.start(browser, address, WIDE)
    yield made
    made.page.context.close()


def of_search(visit: Visit) -> list[str]:
    return [url for url in visit.requests if "search" in url]


def test_nothing_of_it_is_fetched_before_the_reader_turns_to_it(visit, address):
    page = visit.open(address)
    page.wait_for_load_state("networkidle")
    assert of_search(visit) == []
    page.get_by_role("textbox", name="Search").press_sequentially("clip_grad_norm_")
    first = page.locator(".md-search-result__link").first
    expect(first).to_contain_text("Gradient clipping")
    fetched = of_search(visit)
    assert any("/search/index.json" in url for url in fetched)
    assert 0 < sum("/search/words/" in url for url in fetched) <= 8
    assert visit.messages == []


def test_the_keyboard_is_enough(visit, address):
    page = visit.open(address + CHAPTER)
    page.locator("body").press("/")
    page.get_by_role("textbox", name="Search").press_sequentially("randperm")
    first = page.locator(".md-search-result__link").first
    expect(first).to_contain_text("Data loading")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pytorch/day-3/data-loading/**")
    expect(page.locator("article mark").first).to_be_attached()


def test_an_index_is_weighed():
    entries = [
        {"location": "a/", "title": "A", "text": "<p>one word</p>"},
        {
            "location": "a/#x",
            "title": "X",
            "text": "<pre><code>def f_x(): one()</code></pre>",
        },
        {"location": "b/", "title": "One", "text": "<p>two &amp; f_x</p>"},
    ]
    words = search.Index(entries, {"b/": search.OPTIONAL}).words()
    assert words["one"][::2] == [0, 1, 2]
    weights = dict(zip(words["one"][::2], words["one"][1::2], strict=True))
    assert weights[2] > weights[0]  # a title counts for more, of an optional page too
    assert set(words["f_x"][::2]) == {1, 2}
    assert words["f_x"][1] > words["f_x"][3]
    assert "amp" not in words and "f" in words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip_grad_norm_", ["clip_grad_norm_", "clip", "grad", "norm"]),
        ("RMSNorm", ["rmsnorm", "rm", "norm"]),
        ("torch.nn", ["torch", "nn"]),
        ("GPT2 scores", ["gpt2", "gpt", "2", "score"]),
        ("loss, bias", ["loss", "bia"]),
    ],
)
def test_names_and_their_parts_are_words(text, expected):
    found = [word for word, _ in search.words(text)]
    assert found[0] == expected[0] and len(found) == len(expected)
