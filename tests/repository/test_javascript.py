"""The site's scripts: their types, unit tests of their logic, the schema of data."""

import copy
import json
import random
import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from literate.project import DOCS, ROOT
from tests.node import node, typescript

READER = DOCS / "assets" / "reader"
SCHEMA = json.loads((READER / "schema.json").read_text("utf8"))
VENDORED = DOCS / "assets" / "vendor"
SCRIPTS = sorted(p for p in DOCS.glob("assets/**/*.js") if VENDORED not in p.parents)


def told(done) -> str:
    return done.stdout + done.stderr


@pytest.mark.parametrize("project", [".", "tests/javascript"])
def test_types(project):
    done = node(typescript(), "--project", project)
    assert done.returncode == 0, told(done)


def test_the_type_check_can_fail(tmp_path):
    (tmp_path / "wrong.js").write_text("/** @type {number} */\nexport const a = 'a';\n")
    config = {"extends": str(ROOT / "tsconfig.json"), "include": ["*.js"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    done = node(typescript(), "--project", tmp_path)
    assert done.returncode != 0 and "wrong.js(2,14): error TS2322" in told(done)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_checked_and_fits_a_page(path):
    lines = path.read_text("utf8").split("\n")
    assert lines[0] == "// @ts-check"
    assert max(map(len, lines)) <= 88
    assert not re.search(
        r"@ts-(ignore|expect-error|nocheck)|innerHTML|eval\(", str(lines)
    )


def test_logic():
    done = node("--test", "tests/javascript/*.test.js")
    assert done.returncode == 0, told(done)
    assert int(re.search(r"^\S* ?pass (\d+)$", told(done), re.MULTILINE)[1]) >= 30


MISTAKES = {
    "forgets to look at other tabs": (
        "store",
        "    const before = this.#state;\n    this.#look();\n    const value",
        "    const before = this.#state;\n    const value",
    ),
    "the first writer wins": ("store", "a.at > b.at ? a : b", "a.at < b.at ? a : b"),
    "ignores epochs": ("store", "if (one.epoch !== other.epoch)", "if (false)"),
    "keeps a half import": ("store", "this.#restore(PREVIOUS, older);", ""),
    "writes over a newer version": ("store", '&& this.status.problem !== "newer"', ""),
    "tells nobody": ("store", "listener({ sections, elsewhere })", "void listener"),
    "sticks at the last moment": ("store", "last >= LATEST;", "false;"),
    "lets the clock go back": ("cards", "Math.min(old.last, now)", "old.last"),
    "waits for a day to come": ("cards", "cards[id].last >= midnight ||", ""),
    "counts over its limit": ("cards", "Math.min(card.reps, MOST_REPS)", "card.reps"),
    "believes the clock": (
        "answers",
        "dayOf(last.at) !== dayOf(mistake.at)",
        "dayOf(last.at) > dayOf(mistake.at)",
    ),
    "takes any state": ("schema", "state: (v) => isCount(v, 3)", "state: isCount"),
}


@pytest.mark.parametrize(("script", "old", "new"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_script_turns_its_tests_red(tmp_path, script, old, new):
    vendored = VENDORED / "ts-fsrs.js"
    tests = [*(ROOT / "tests" / "javascript").glob("*.js")]
    for path in [*READER.glob("*.js"), vendored, *tests]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf8")
        if path == READER / f"{script}.js":
            assert old in text
            text = text.replace(old, new)
        target.write_text(text, "utf8")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    tested = "cards" if script == "schema" else script
    done = node("--test", tmp_path / "tests" / "javascript" / f"{tested}.test.js")
    assert done.returncode != 0, told(done)
    assert "Error" in told(done), told(done)


EXAMPLE = {
    "format": "daybook-reader",
    "version": 1,
    "saved": "2026-11-25T12:00:00.000Z",
    "epoch": 0,
    "tasks": {"llm-1-a": {"done": True, "at": 1}, "llm-1-b": {"gone": True, "at": 2}},
    "notes": {"/llm/day-3/": {"text": "Why?", "at": 3}, "/": {"text": "", "at": 3}},
    "start": {"llm": {"date": "2026-11-25", "at": 4}},
    "answers": {
        "llm-1-q": {
            "choices": [0, 2],
            "right": False,
            "history": [{"right": True, "at": 5}],
            "at": 6,
        }
    },
    "cards": {
        "llm-1-f": {
            "due": 9,
            "last": 8,
            "reps": 2,
            "lapses": 1,
            "at": 8,
            "first": 7,
            "interval": 1,
            "state": 2,
            "step": 0,
            "stability": 3.2,
            "ease": 2.5,
            "difficulty": 5,
        }
    },
}
VALUES = [
    *(None, True, False, 0, 1, -1, 1.5, 4, 10.5, 99, 100, 36_501, 1_000_001, "", "x"),
    *(253402300799999, 253402300800000, 8.65e15, [], {}),
    *(
        "2026-02-30",
        "2028-02-29",
        "1969-12-31",
        "3000-01-01",
        "🙂" * 50_000,
        "2026-11-5",
        "x" * 50_001,
        [1],
        [100],
        ["1"],
        [1] * 21,
    ),
    *({"gone": True, "at": 1}, {"gone": False, "at": 1}, {"at": 1}),
    *({"right": True, "at": 1}, [{"right": True}], [{"right": True, "at": 1, "x": 1}]),
]
NAMES = ["at", "done", "x", "llm-2-c", "LLM", "a" * 101, "/plan/", "/a b/", "", "ease"]


def places(value, path=()):
    """The path of every value in a JSON value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from places(value[key], (*path, key))


def mutated(chance: random.Random) -> dict:
    """The example with one to two changes."""
    made = copy.deepcopy(EXAMPLE)
    for _ in range(chance.choice([1, 1, 2])):
        *parents, last = chance.choice(list(places(made)))
        holder = made
        for key in parents:
            holder = holder[key]
        kind = chance.choice(["set", "set", "drop", "add", "rename"])
        if kind == "set" or not isinstance(holder, dict):
            holder[last] = copy.deepcopy(chance.choice(VALUES))
        elif kind == "drop":
            del holder[last]
        elif kind == "add":
            holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(VALUES))
        else:
            holder[chance.choice(NAMES)] = holder.pop(last)
    return made


DUE = "It is damaged: cards, llm-1-f: its due is before its last."
VERDICTS = """
import { readText } from "./docs/assets/reader/transfer.js";
const texts = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(texts.map((text) => readText(text).error)));
"""


def test_the_schema_and_the_script_refuse_the_same_files():
    """`schema.json` tells other programs what `schema.js` accepts."""
    Draft202012Validator.check_schema(SCHEMA)
    schema = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    chance = random.Random(1)
    files = [EXAMPLE, *(mutated(chance) for _ in range(3000))]
    texts = json.dumps([json.dumps(file) for file in files], ensure_ascii=False)
    done = node("--input-type=module", "--eval", VERDICTS, text=texts)
    assert done.returncode == 0, told(done)
    errors = json.loads(done.stdout)
    assert errors[0] == ""
    for file, error in zip(files, errors, strict=True):
        fits = schema.is_valid(file)  # it cannot compare two numbers of a file
        assert fits == (error in ("", DUE)), (error, json.dumps(file)[:2000])
    assert DUE in errors
    accepted = errors.count("")
    assert 300 < accepted < len(files) - 300
