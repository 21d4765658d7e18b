"""The tokenizers of the playground give the ids of the book's Python and of libraries.

The scripts run in Node, with the very files that the site hands to browsers.
"""

import json
import warnings
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
import tiktoken
from tokenizers import Tokenizer

from literate.handing_out import tokenizer_files
from literate.project import DOCS
from snippets.corpus import load_text, tales
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.bpe_training import Ties, learn_merges, rank_tokens
from snippets.tokenizers.bpe_words import GPT2_PATTERN, count_words
from snippets.tokenizers.unigram import UnigramTokenizer
from snippets.tokenizers.wordpiece import WordPieceTokenizer
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


# ---- training --------------------------------------------------------------------

TALES = load_text("tales")
PARAGRAPHS = "\n".join(p for tale in tales() for p in tale.paragraphs)
ODD = "\n".join(texts()[:60])
LEARN = """
const { learnBpe, learnWordPiece } = await at("training.js");
const { learnUnigram } = await at("unigram-training.js");
const { toJson } = await at("hugging-face.js");
const learn = { bpe: learnBpe, wordpiece: learnWordPiece, unigram: learnUnigram };
const steps = learn[given.kind](given.text, given.how);
const told = [];
let step;
while (!(step = steps.next()).done) told.push(step.value);
const tokenizer = step.value;
const ids = given.texts.map((text) => tokenizer.encode(text));
say({ told, json: toJson(tokenizer), ids });
"""


def learned(kind: str, text: str, **how: Any) -> dict[str, Any]:
    """What the page learns, and the ids that it then gives to all texts."""
    given = {"kind": kind, "text": text, "how": how, "texts": texts()}
    return ran(LEARN, given)


def check_saved(found: dict[str, Any], ours: Any, encode: Any) -> None:
    """The saved file is what Python saves; what it loads gives the same ids."""
    saved, again = found["json"], ours.to_hugging_face()
    assert json.loads(saved) == json.loads(again.to_str())
    theirs = Tokenizer.from_str(saved)
    for text, ids in zip(texts(), found["ids"], strict=True):
        assert ids == encode(ours, text) == theirs.encode(text).ids


def first_tokens(found: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    return [
        (step["first"].encode("latin1"), step["second"].encode("latin1"))
        for step in found["told"]
    ]


@pytest.mark.parametrize("text", [TALES, ODD], ids=["tales", "odd"])
@pytest.mark.parametrize("ties", get_args(Ties))
@pytest.mark.parametrize("pattern", [GPT2_PATTERN, r"[\s\S]+"], ids=["words", "whole"])
def test_bpe_learns_the_merges_of_the_book(text, ties, pattern):
    if pattern != GPT2_PATTERN:
        text = text[:3000]
    counts = count_words(text, pattern)
    merges = learn_merges(counts, 400, 2, ties)
    how = {"size": 656, "pattern": pattern, "ties": ties, "minFrequency": 2}
    found = learned("bpe", text, **how)
    assert first_tokens(found) == merges
    ours = BPETokenizer(rank_tokens(merges), pattern)
    check_saved(found, ours, BOOK["bpe"])


def test_how_often_a_pair_is_there_and_with_how_many_it_ties():
    """Counted again from the words, before every merge."""
    text = TALES[:20_000]
    found = learned("bpe", text, size=700, pattern=GPT2_PATTERN)["told"]
    words = [
        ([bytes([b]) for b in word], n)
        for word, n in count_words(text, GPT2_PATTERN).items()
    ]
    assert len(found) == 444
    for step in found:
        counts: Counter[tuple[bytes, bytes]] = Counter()
        for parts, n in words:
            for pair in pairwise(parts):
                counts[pair] += n
        pair = (step["first"].encode("latin1"), step["second"].encode("latin1"))
        most = max(counts.values())
        assert step["count"] == counts[pair] == most
        assert step["tied"] == [*counts.values()].count(most) - 1
        if second := step["next"]:
            other = tuple(part.encode("latin1") for part in second["pair"])
            rest = [n for key, n in counts.items() if key != pair]
            assert second["count"] == counts[other] == max(rest)
        for parts, _ in words:
            i = 0
            while i + 1 < len(parts):
                if (parts[i], parts[i + 1]) == pair:
                    parts[i : i + 2] = [parts[i] + parts[i + 1]]
                i += 1


@pytest.mark.parametrize("text", [TALES, ODD], ids=["tales", "odd"])
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("least", [1, 20])
def test_wordpiece_learns_the_pieces_of_the_book(text, lowercase, least):
    size = 900
    how = {"size": size, "lowercase": lowercase, "minFrequency": least}
    found = learned("wordpiece", text, **how)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the odd text, few pairs are frequent
        ours = WordPieceTokenizer.train(
            text, size, lowercase=lowercase, min_frequency=least
        )
    check_saved(found, ours, BOOK["wordpiece"])
    for step in found["told"]:
        product = step["firstCount"] * step["secondCount"]
        assert step["score"] == step["count"] / product


@pytest.mark.parametrize("text", [PARAGRAPHS, ODD], ids=["tales", "odd"])
@pytest.mark.parametrize("fallback", [True, False])
def test_unigram_learns_the_pieces_and_scores_of_the_book(text, fallback):
    size = 1256
    found = learned("unigram", text, size=size, byteFallback=fallback)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the odd text has fewer pieces
        ours = UnigramTokenizer.train(text, size, byte_fallback=fallback)
    check_saved(found, ours, BOOK["unigram"])
    rounds = [step["nats"] for step in found["told"] if step["step"] == "EM"]
    assert rounds[1] < rounds[0]
