"""The tokenizers of the playground give the ids of the book's Python and of libraries.

The scripts run in Node, with the very files that the site hands to browsers.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from tokenizers import Tokenizer

from literate.handing_out import tokenizer_files
from literate.project import DOCS
from snippets.tokenizers.bpe import BPETokenizer
from tests.node import node
from tests.playground.texts import texts

SCRIPTS = DOCS / "assets" / "playground" / "tokenizers"
KNOWN = {"gpt2": "r50k_base", "cl100k": "cl100k_base", "o200k": "o200k_base"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The files that the site hands out."""
    folder = tmp_path_factory.mktemp("site")
    for name, make in tokenizer_files.files():
        made = make()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.encode() if isinstance(made, str) else made)
    return folder / tokenizer_files.FOLDER


def ran(script: str, given: Any) -> Any:
    """What a script prints as JSON; `given` is what it gets, and `at()` a module."""
    at = (
        f"const at = (name) => import({json.dumps(SCRIPTS.as_uri())} + '/' + name);"
        "const given = JSON.parse(await new Response(process.stdin).text());"
        "const say = (value) => console.log(JSON.stringify(value));"
    )
    text = json.dumps(given)  # with lone surrogates as escapes
    done = node("--input-type=module", "--eval", at + script, text=text)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


ENCODE = """
import { readFile } from "node:fs/promises";
const { open } = await at("known.js");
const fetched = async (name) => new Uint8Array(await readFile(`${given.data}/${name}`));
const tokenizer = await open(given.name, fetched);
say(given.texts.map((text) => [
  tokenizer.encode(text), tokenizer.encode(text, true),
  tokenizer.decode(tokenizer.encode(text)),
]));
"""


@pytest.mark.parametrize("name", KNOWN)
def test_the_ids_are_those_of_tiktoken(data, name):
    theirs = tiktoken.get_encoding("gpt2" if name == "gpt2" else KNOWN[name])
    ours = BPETokenizer.from_tiktoken(theirs)
    given = {"data": str(data), "name": name, "texts": texts()}
    for text, found in zip(texts(), ran(ENCODE, given), strict=True):
        ordinary = theirs.encode_ordinary(text)
        special = theirs.encode(text, allowed_special="all")
        assert found == [ordinary, special, text]
        assert ours.encode_ordinary(text) == ordinary


BOOK = {
    "bpe": lambda made, text: made.encode_ordinary(text),
    "wordpiece": lambda made, text: made.encode(text),
    "unigram": lambda made, text: made.encode(text),
}


@pytest.mark.parametrize("name", BOOK)
def test_the_ids_are_those_of_the_book_and_of_hugging_face(data, name):
    ours = tokenizer_files.LEARNED[name]()
    theirs = Tokenizer.from_file(str(data / f"{name}.json"))
    given = {"data": str(data), "name": name, "texts": texts()}
    for text, found in zip(texts(), ran(ENCODE, given), strict=True):
        ids = BOOK[name](ours, text)
        assert found == [ids, ids, ours.decode(ids)]
        assert theirs.encode(text).ids == ids


READ = """
const { mustBeOfTheBook, parse, toJson } = await at("hugging-face.js");
say(given.map((text) => toJson(mustBeOfTheBook(parse(text)))));
"""


def test_what_is_read_is_written_again():
    texts = [make() for name, make in tokenizer_files.files() if name.endswith("json")]
    assert len(texts) == 3
    for before, after in zip(texts, ran(READ, texts), strict=True):
        assert json.loads(after) == json.loads(before)
