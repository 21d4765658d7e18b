"""TeX to MathML."""

import pytest

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
