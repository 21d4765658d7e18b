"""Tests of the tests: each of these mistakes must turn the suite red.

Every mutation is made in a copy of the project, and the part of the suite that guards
against it is run there. The unchanged copy passes the same parts.
"""

import pytest

from tests.helpers import project_copy, python, replace

CHAPTER = "docs/llm/day-3/self-attention.md"
TESTS = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider")
BUILD = ("-m", "mkdocs", "build")


def append(project, text: str) -> None:
    path = project / "docs" / "index.md"
    path.write_text(path.read_text("utf8") + f"\n\n{text}\n", "utf8")


def remove_the_causal_mask(project) -> None:
    replace(
        project / "snippets" / "attention.py", "device=device).tril()", "device=device)"
    )


def attend_beyond_the_mask(project) -> None:
    old = "    weights = scores.softmax(dim=-1)\n    if mask is not None:"
    new = "    weights = scores.softmax(dim=-1)\n    if mask is None:"
    replace(project / "snippets" / "attention.py", old, new)


def forget_the_root(project) -> None:
    replace(
        project / "snippets" / "attention.py",
        "(q / math.sqrt(q.size(-1))) @ k",
        "q @ k",
    )


def change_a_printed_output(project) -> None:
    replace(
        project / "docs" / "index.md", "torch.manual_seed(0)", "torch.manual_seed(1)"
    )


def change_an_expected_output(project) -> None:
    replace(project / "tests" / "expected" / "index.txt", "0.6086", "0.6106")


def fail_in_an_admonition(project) -> None:
    append(project, "!!! note\n\n    ```python\n    assert 1 == 2\n    ```")


def spell_a_fence_py(project) -> None:
    append(project, "```Py\n1\n```")


def draw_without_alt(project) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1]);"
    append(project, f"```python\n{code}\n```")


def break_a_link(project) -> None:
    append(project, "[gone](llm/day-9/index.md)")


def break_an_anchor(project) -> None:
    append(project, "[gone](llm/day-3/self-attention.md#gone)")


def break_an_image(project) -> None:
    append(project, "![gone](assets/gone.png)")


def break_a_formula(project) -> None:
    append(project, r"A formula, $\frac{1}{2$.")


def name_a_missing_section(project) -> None:
    append(project, '--8<-- "attention.py:gone"')


def use_an_unknown_widget(project) -> None:
    append(project, "<no-widget></no-widget>")


def give_two_tasks_one_id(project) -> None:
    replace(
        project / "docs" / "plan.md", "{#llm-1-illus", "{#llm-1-attention-paper} {#"
    )


def rename_a_task(project) -> None:
    replace(project / "docs" / "plan.md", "{#llm-3-llama}", "{#llm-3-llamas}")


def break_a_link_of_a_lab(project) -> None:
    lab = project / "docs" / "labs" / "self-attention.py"
    replace(lab, "../../llm/day-3/self-attention/", "../../llm/day-3/gone/")


def break_a_lab(project) -> None:
    lab = project / "docs" / "labs" / "self-attention.py"
    replace(lab, "dtype=torch.bool).tril()", "dtype=torch.bool).triu()")


def keep_a_stale_expectation(project) -> None:
    path = project / "tests" / "expected" / "index.txt"
    path.write_text(path.read_text("utf8") + "\n== gone 1\n    text\n", "utf8")


ATTENTION = (*TESTS, "tests/test_attention.py")
HOME = (*TESTS, "docs/index.md")
PAGES = (*TESTS, "tests/test_pages.py")
MUTATIONS = [
    (remove_the_causal_mask, ATTENTION, "test_attention_with_a_causal_mask"),
    (remove_the_causal_mask, HOME, "docs/index.md"),
    (attend_beyond_the_mask, ATTENTION, "test_attention_equals_pytorch"),
    (forget_the_root, ATTENTION, "test_attention_equals_pytorch"),
    (change_a_printed_output, HOME, "this block prints something new"),
    (change_an_expected_output, HOME, "this block prints something new"),
    (fail_in_an_admonition, HOME, "this block failed"),
    (fail_in_an_admonition, BUILD, "this block failed"),
    (spell_a_fence_py, HOME, "not ```Py"),
    (spell_a_fence_py, PAGES, "not ```Py"),
    (spell_a_fence_py, BUILD, "not ```Py"),
    (draw_without_alt, HOME, "say what it shows"),
    (draw_without_alt, BUILD, "say what it shows"),
    (break_a_link, BUILD, "llm/day-9/index.md"),
    (break_an_anchor, BUILD, "#gone"),
    (break_an_image, BUILD, "assets/gone.png"),
    (break_a_formula, BUILD, "does not parse"),
    (name_a_missing_section, BUILD, "'gone'"),
    (use_an_unknown_widget, BUILD, "unknown widget <no-widget>"),
    (give_two_tasks_one_id, BUILD, "docs/plan.md:"),
    (rename_a_task, (*TESTS, "tests/test_plan.py"), "test_no_task_is_renamed"),
    (break_a_link_of_a_lab, (*TESTS, "tests/test_site.py"), "test_every_link"),
    (break_a_lab, BUILD, "differs from is_causal=True"),
    (break_a_lab, (*TESTS, "tests/test_labs.py"), "test_the_solved_lab_passes"),
    (keep_a_stale_expectation, PAGES, "make outputs removes what is stale"),
]
NAMES = [f"{mutate.__name__}-{command[-1]}" for mutate, command, _ in MUTATIONS]


@pytest.mark.parametrize(("mutate", "command", "message"), MUTATIONS, ids=NAMES)
def test_the_suite_turns_red(tmp_path, mutate, command, message):
    project = project_copy(tmp_path)
    mutate(project)
    done = python(project, *command)
    told = done.stdout + done.stderr
    assert done.returncode != 0, told
    assert message in told
    if message.startswith("this block"):
        assert "docs/index.md:" in told


def test_the_unchanged_copy_is_green(tmp_path):
    project = project_copy(tmp_path)
    for command in (ATTENTION, HOME, PAGES, BUILD):
        done = python(project, *command)
        assert done.returncode == 0, done.stdout + done.stderr
