"""Labs: solved they pass, stripped they stop at the first task, and checks can fail."""

import importlib
import re
import textwrap

import nbformat
import pytest

from literate.handing_out import labs
from literate.project import PageError

ALL = labs.labs()
ALTERNATIVES = 3  # at least, for each task, beside the lab's own solution


def kept_for(path):
    """The module of tests/labs with the right and wrong solutions of a lab."""
    return importlib.import_module(f"tests.labs.{path.stem.replace('-', '_')}")


def wrong_solutions(path) -> dict[int, list[str]]:
    """The wrong solutions kept for a lab, by the number of the task."""
    return kept_for(path).WRONG


def right_solutions(path) -> dict[int, list[str]]:
    """Right solutions that are written otherwise than the lab's own."""
    return kept_for(path).RIGHT


def with_solutions(path, codes: dict[int, str]):
    """A lab with other solutions for some of its tasks, by their numbers."""

    def replace(task, inside):
        code = codes.get(number_of(task))
        if code is None:
            return inside
        first = next(line for line in inside if line.strip())
        indent = first[: len(first) - len(first.lstrip())]
        return textwrap.indent(textwrap.dedent(code).strip("\n"), indent).split("\n")

    return labs.read(path, replace)


def run(notebook) -> tuple[Exception | None, list[str]]:
    """Run a notebook's code until it raises; the error, and the tags of its cell."""
    namespace = {"__name__": "__main__"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                exec(compile(cell.source, "lab", "exec"), namespace)
            except Exception as error:
                return error, cell.metadata.get("tags", [])
    return None, []


def tasks(path) -> list[int]:
    """The numbers of a lab's tasks."""
    numbers = []
    labs.read(path, lambda task, inside: numbers.append(number_of(task)) or inside)
    return numbers


def broken_tasks(path) -> list[int]:
    """The numbers of the tasks that come with broken code."""
    numbers = []
    labs.read(path, lambda *_: [], broken=lambda task: numbers.append(number_of(task)))
    return numbers


def number_of(task: str) -> int:
    return int(re.match(r"Task (\d+)", task)[1])


def test_there_are_labs():
    assert ALL


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
class TestLab:
    def test_the_solved_lab_passes(self, path):
        error, _ = run(labs.solved(path))
        assert error is None

    def test_the_stripped_lab_stops_at_its_first_task(self, path):
        error, tags = run(labs.stripped(path))
        if 1 in broken_tasks(path):
            assert isinstance(error, AssertionError) and str(error)
        else:
            assert isinstance(error, NotImplementedError)
            assert str(error).startswith("Task 1: ")
        assert tags == ["check-1"]

    def test_no_marker_shows(self, path):
        for notebook in (labs.solved(path), labs.stripped(path)):
            text = nbformat.writes(notebook)
            assert labs.BEGIN not in text
            assert labs.END not in text
            assert labs.BROKEN not in text

    def test_no_solution_shows_in_the_stripped_lab(self, path):
        text = "\n".join(cell.source for cell in labs.stripped(path).cells)

        def check(task, inside):
            longest = max((line.strip() for line in inside), key=len)
            if number_of(task) in broken_tasks(path):  # much of it is right already
                assert "\n".join(inside) not in text
            else:
                assert longest not in text
            return inside

        labs.read(path, check)

    def test_tasks_are_numbered_and_each_has_a_check_and_wrong_solutions(self, path):
        numbers = tasks(path)
        assert numbers == list(range(1, len(numbers) + 1))
        tags = [t for c in labs.solved(path).cells for t in c.metadata.get("tags", [])]
        assert tags == [f"check-{number}" for number in numbers]
        assert sorted(wrong_solutions(path)) == numbers
        right = right_solutions(path)
        assert sorted(right) == numbers
        assert all(len(set(codes)) >= ALTERNATIVES for codes in right.values())


RIGHT = [
    pytest.param(path, index, id=f"{path.stem}-{index}")
    for path in ALL
    for index in range(max(map(len, right_solutions(path).values())))
]


@pytest.mark.parametrize(("path", "index"), RIGHT)
def test_right_solutions_pass_however_they_are_written(path, index):
    """Each run has another solution of each task."""
    right = right_solutions(path)
    codes = {n: codes[index % len(codes)] for n, codes in right.items()}
    error, tags = run(with_solutions(path, codes))
    assert error is None, f"{tags}: {error!r}"


WRONG = [
    pytest.param(path, number, code, id=f"{path.stem}-{number}-{index}")
    for path in ALL
    for number, codes in wrong_solutions(path).items()
    for index, code in enumerate(codes)
]


@pytest.mark.parametrize(("path", "number", "code"), WRONG)
def test_a_wrong_solution_fails_the_check_of_its_task(path, number, code):
    error, tags = run(with_solutions(path, {number: code}))
    assert isinstance(error, AssertionError), f"it passed, or raised {error!r}"
    assert tags == [f"check-{number}"]


BROKEN = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in ALL
    for number in broken_tasks(path)
]


@pytest.mark.parametrize(("path", "number"), BROKEN)
def test_a_broken_program_runs_and_fails_the_check_of_its_task(path, number):
    lab = labs.read(
        path, lambda task, inside: inside, broken=lambda task: number_of(task) == number
    )
    error, tags = run(lab)
    assert isinstance(error, AssertionError), f"it passed, or raised {error!r}"
    assert str(error), "the check does not tell the symptom"
    assert tags == [f"check-{number}"]


REPAIR = """\
# %%
def f(x):
    # Task 1: x is lost.
    ### BEGIN BROKEN
    # x = 1
    #
    # if x:
    #     return 0  # here
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION
"""


@pytest.fixture
def repair(tmp_path, monkeypatch):
    """A lab with one task that comes with broken code."""
    monkeypatch.setattr(labs, "relative", lambda path: path.name)
    path = tmp_path / "lab.py"
    path.write_text(REPAIR)
    return path


def test_the_stripped_lab_has_the_broken_code(repair):
    (cell,) = labs.stripped(repair).cells
    head = "def f(x):\n    # Task 1: x is lost.\n"
    assert cell.source == head + "    x = 1\n\n    if x:\n        return 0  # here"


def test_the_solved_lab_shows_how_it_was(repair):
    (cell,) = labs.solved(repair).cells
    told = (
        "    # As it was:\n    # x = 1\n    #\n    # if x:\n    #     return 0  # here"
    )
    assert cell.source.endswith(f"{told}\n    return x")


BAD = {
    "broken in a solution": (
        "# Task 1: a\n### BEGIN SOLUTION\n### BEGIN BROKEN",
        ":3: .*BROKEN inside",
    ),
    "broken twice": (
        "# Task 1: a\n### BEGIN BROKEN\n# x\n### BEGIN BROKEN",
        ":4: .*BROKEN inside",
    ),
    "broken, no solution": (
        "# Task 1: a\n### BEGIN BROKEN\n# x\n### END SOLUTION",
        ":4: .*without a solution",
    ),
    "broken, no task": ("x = 0\n### BEGIN BROKEN\n# x", r":2: .*Task 1"),
    "no task": ("x = 0\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION", r":2: .*Task 1"),
    "not closed": ("# Task 1: a\n### BEGIN SOLUTION\nx = 1", "never closed"),
    "not opened": ("x = 1\n### END SOLUTION", ":2: .*without a solution"),
    "empty": ("# Task 1: a\n### BEGIN SOLUTION\n### END SOLUTION", ":3: .*without"),
    "nested": ("# Task 1: a\n### BEGIN SOLUTION\n### BEGIN SOLUTION", ":3: .*inside"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_markers_that_do_not_match_are_named(text, message, tmp_path, monkeypatch):
    path = tmp_path / "lab.py"
    path.write_text(text)
    monkeypatch.setattr(labs, "relative", lambda path: path.name)
    with pytest.raises(PageError, match=message):
        labs.solved(path)


def test_broken_code_that_is_no_comment_is_named(repair):
    repair.write_text(REPAIR.replace("    # x = 1", "    x = 1"))
    with pytest.raises(PageError, match=r"lab\.py:11: .* each line after #"):
        labs.stripped(repair)


def test_a_task_of_several_lines_is_told_whole(tmp_path):
    path = tmp_path / "lab.py"
    path.write_text(
        "# %%\ndef f():\n    # Task 1: do this\n    # and that.\n"
        "    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labs, "relative", lambda path: path.name)
        (cell,) = labs.stripped(path).cells
    assert "raise NotImplementedError('Task 1: do this and that.')" in cell.source
