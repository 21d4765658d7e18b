"""Ids on which readers' ticks, answers and cards hang: they stay, or are retired."""

from pathlib import Path

import pytest

from literate.parse import parsed_pages
from literate.plan import tasks

FROZEN = Path(__file__).parents[1] / "frozen"
RETIRED = FROZEN / "retired.txt"
HERE = "tests/literate/test_frozen.py"
BLOCKS = {"question": "questions", "fact": "facts", "exercise": "exercises"}


def listed(path: Path) -> list[str]:
    """The ids in a file, one a line."""
    return path.read_text("utf8").split() if path.exists() else []


def used() -> dict[str, list[str]]:
    """The ids of the book, by the name of the file that lists them."""
    found: dict[str, list[str]] = {"tasks": list(tasks())}
    for block, name in BLOCKS.items():
        boxes = (box for parsed in parsed_pages() for box in parsed.declared)
        found[name] = [box.id for box in boxes if box.name == block and box.id]
    return found


def wrong(book: list[str], frozen: list[str], retired: list[str]) -> list[str]:
    """What has become of ids that should stay, each in a sentence."""
    gone = sorted(set(frozen) - set(book))
    again = sorted(set(book) & set(retired))
    return [
        *(
            f"{one} is gone: keep it, or move its line to {RETIRED.name}"
            for one in gone
        ),
        *(f"{one} is retired: take a new id" for one in again),
    ]


@pytest.mark.parametrize("name", ["tasks", *BLOCKS.values()])
def test_no_id_is_dropped_or_used_again(name, request):
    """With --update-outputs, new ones are added to the list."""
    path, book = FROZEN / f"{name}.txt", used()[name]
    assert wrong(book, listed(path), listed(RETIRED)) == []
    if request.config.getoption("--update-outputs"):
        path.write_text("\n".join(sorted(book)) + "\n", "utf8", newline="\n")
    new = sorted(set(book) - set(listed(path)))
    assert new == [], f"new ids: python -m pytest {HERE} --update-outputs"


def test_an_id_is_in_one_list():
    every = [one for path in FROZEN.glob("*.txt") for one in listed(path)]
    ids = [one for one in every if not one.startswith("/")]
    assert len(set(ids)) == len(ids)


def test_what_becomes_of_an_id_is_told():
    assert wrong(["a", "b"], ["a"], ["c"]) == []
    assert wrong(["b"], ["a"], []) == [
        "a is gone: keep it, or move its line to retired.txt"
    ]
    assert wrong(["a"], [], ["a"]) == ["a is retired: take a new id"]
