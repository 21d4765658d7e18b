"""TeX to MathML."""

import pytest

from literate.project import PageError
from literate.showing.mathml import mathml
from tests.helpers import convert


def test_a_formula_becomes_mathml():
    made = mathml(r"\frac{a}{\sqrt{b}}", False)
    assert made.startswith("<math") and made.endswith("</math>")
    assert "<mfrac>" in made and "<msqrt>" in made
    assert 'display="block"' in mathml("x", True)


@pytest.mark.parametrize("text", [r"\(a < b\)", "$a < b$"])
def test_inline_formulas(text):
    html = convert(f"text {text} text")
    assert html.count("<math") == 1
    assert "arithmatex" not in html


def test_display_formulas():
    html = convert("$$\n\\begin{aligned} a &= b \\\\ &= c \\end{aligned}\n$$")
    assert "<mtable" in html


def test_dollars_in_code_are_left_alone():
    assert "<math" not in convert("`$a$`\n\n```text\n$b$\n```")


@pytest.mark.parametrize("tex", [r"\frac{a}{", r"\nosuchcommand", "a_b_c", r"\left("])
def test_a_formula_that_does_not_parse_is_an_error(tex):
    with pytest.raises(ValueError, match="does not parse"):
        mathml(tex, False)


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5-$6 an hour.",
        "US$5–US$6, not $7-$8",
        "$10/$20",
        "from $5 or $6",
        r"\$5-\$6",
    ],
)
def test_money_is_no_formula(text):
    html = convert(text)
    assert "<math" not in html
    assert html == f"<p>{text}</p>".replace("\\", "")


@pytest.mark.parametrize("text", ["$5-x$", "$a$5", "$5$", r"\(5\)6", "$x$, $y$"])
def test_a_formula_beside_a_digit_is_one(text):
    assert "<math" in convert(text)


@pytest.mark.parametrize(
    ("text", "line", "mark"),
    [
        (r"so \[x=1\] holds", 1, r"\["),
        (r"\[x\] holds", 1, r"\["),
        ("\\[\nx\n\\]\n\nso\n\\[\ny\n\\]\nholds", 6, r"\["),
        ("a\n\nb $$x$$ c", 3, "$$"),
        (r"so \(x holds", 1, r"\("),
        (r"so x\) holds", 1, r"\)"),
    ],
)
def test_marks_that_are_not_read_as_a_formula_are_errors(text, line, mark):
    with pytest.raises(PageError) as caught:
        convert(text)
    assert f"(text):{line}: {mark} is not read as a formula" in str(caught.value)


def test_marks_of_formulas_in_code_and_escaped_are_left_alone():
    assert convert(r"`\[x\]` and `$$`") == (
        r"<p><code>\[x\]</code> and <code>$$</code></p>"
    )
    assert "<math" not in convert(r"`a` \\\\(b")


@pytest.mark.parametrize("tex", [r"\eqref{a}", r"\ref{a}", r"x \label{a}"])
def test_formulas_have_no_numbers(tex):
    with pytest.raises(ValueError, match="formulas have no numbers here"):
        mathml(tex, False)
    with pytest.raises(PageError, match=r"\(text\):1: the formula"):
        convert(f"${tex}$")
