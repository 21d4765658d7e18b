"""Values with a form for notebooks: shown in that form, printed, or refused."""

import base64
import io

import pytest
from PIL import Image

from literate.block import Block
from literate.running import forms
from literate.running.worker import Output
from literate.showing import render
from tests.literate.test_process import block, failure_of, run_all, text_of


def output_of(source: str) -> Output:
    result = run_all(source)
    assert result.failed is None, result.failed.message
    return result.outputs[0]


def shown_by(method: str, value: str, name: str = "X") -> str:
    return (
        f"class {name}:\n    def __repr__(self): return 'plain'\n"
        f"    def {method}(self, **options): return {value}\n{name}()"
    )


def test_a_value_with_a_form_is_not_printed():
    table = shown_by("_repr_html_", "'<table></table>'")
    output = output_of(f"print('above')\n{table}")
    assert (output.text, output.plain) == ("above", "plain")
    assert (output.form, output.kind) == ("<table></table>", "text/html")


@pytest.mark.parametrize("method", [*forms.FORMS.values(), "_repr_mimebundle_"])
def test_a_form_that_is_none_is_printed(method):
    output = output_of(shown_by(method, "None"))
    assert (output.text, output.form, output.figures) == ("plain", "", [])


def test_a_class_is_printed_as_a_class():
    source = shown_by("_repr_html_", "'<b>x</b>'").removesuffix("()")
    assert text_of(source) == "<class '__main__.X'>"


def test_a_value_that_answers_to_any_name_is_printed():
    source = (
        "class Any:\n    def __repr__(self): return 'any'\n"
        "    def __getattr__(self, name): return lambda *a, **k: 'form'\nAny()"
    )
    assert text_of(source) == "any"


def test_markdown_is_shown_as_markdown():
    output = output_of(shown_by("_repr_markdown_", "'*so*'"))
    assert "<p><em>so</em></p>" in render.output(block(0, ""), output)


@pytest.mark.parametrize("tex", ["$x^2$", "$$x^2$$", r"\[x^2\]", "x^2"])
def test_latex_is_shown_as_a_formula(tex):
    made = render.output(block(0, ""), output_of(shown_by("_repr_latex_", f"r'{tex}'")))
    assert "<msup><mi>x</mi>" in made and "$" not in made and "[" not in made


def test_latex_that_does_not_parse_is_a_problem_of_the_block():
    output = output_of(shown_by("_repr_latex_", r"'$\\frac{1$'"))
    assert "does not parse" in render.problems(block(0, "x"), output)


def picture(format: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, format)
    return file.getvalue()


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize(
    ("source", "kind", "data"),
    [
        (shown_by("_repr_svg_", repr(SVG.decode())), "image/svg+xml", SVG),
        (shown_by("_repr_png_", repr(picture("png"))), "image/png", picture("png")),
        (shown_by("_repr_jpeg_", repr(picture("jpeg"))), "image/jpeg", picture("jpeg")),
        (
            shown_by(
                "_repr_mimebundle_",
                repr({"image/png": base64.b64encode(picture("png")).decode()}),
            ),
            "image/png",
            picture("png"),
        ),
    ],
)
def test_a_picture_is_a_figure_with_its_alternative_text(source, kind, data):
    output = output_of(source)
    assert (output.text, output.form, output.plain) == ("", "", "")
    made = render.output(block(0, source, alt='a "dot"'), output)
    held = base64.b64encode(data).decode()
    assert f'<img alt="a &quot;dot&quot;" src="data:{kind};base64,{held}">' in made
    assert 'say what it shows, alt="..."' in render.problems(block(0, source), output)


def test_an_image_of_pillow_is_a_figure():
    output = output_of("from PIL import Image\nImage.new('RGB', (2, 2))")
    assert output.text == ""
    assert output.figures[0].startswith('<img src="data:image/png')


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (shown_by("_ipython_display_", "None"), "only where a notebook runs"),
        (shown_by("_repr_png_", "b'x'"), "gives as image/png is none: b'x'"),
        (
            "from IPython.display import Image\nImage(data=b'x', format='png')",
            "gives as image/png is none: b'x'",
        ),
        (
            shown_by("_repr_mimebundle_", "{'application/x': 1, 'text/plain': 'x'}"),
            "no form for a page, only application/x",
        ),
        (
            shown_by("_repr_html_", "'<script>1</script>'"),
            "the HTML of X has '<script'",
        ),
        (
            shown_by("_repr_html_", "'<img src=\"https://example.org/x\">'"),
            "pages load and run nothing from elsewhere",
        ),
        (
            "import matplotlib.pyplot as plt\n"
            "from matplotlib.animation import FuncAnimation\n"
            "moving = FuncAnimation(plt.figure(), print, frames=2)\n"
            "plt.close()\nmoving",
            "FuncAnimation moves, and a page does not",
        ),
        (
            "from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))",
            "display() shows nothing in a script: let the value be the last line",
        ),
        (
            "import IPython\nIPython.display.display(3)",
            "display() shows nothing in a script",
        ),
    ],
)
def test_what_a_page_cannot_show_is_refused(source, message):
    assert message in failure_of(source)


def test_a_form_of_ipython_as_the_last_value_is_shown():
    assert output_of("from IPython.display import HTML\nHTML('<b>x</b>')").form == (
        "<b>x</b>"
    )


def test_a_picture_has_a_limit_as_figures_have():
    source = (
        "import os\nfrom PIL import Image\n"
        "Image.frombytes('RGB', (400, 400), os.urandom(480_000))"
    )
    assert "and may weigh 300,000: show a smaller one" in failure_of(source)


FIGURE = "from matplotlib.figure import Figure\nfig = Figure()\nfig.subplots();\n"


def test_a_figure_that_is_a_value_is_drawn():
    output = output_of(FIGURE + "fig")
    assert output.text == "" and len(output.figures) == 1
    output = output_of("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nfig")
    assert output.text == "" and len(output.figures) == 1  # not twice
    assert output_of(FIGURE).figures == []


def drawn(alt: str) -> Block:
    return block(0, "x", alt=alt)


def test_a_figure_stands_for_itself_in_words_too():
    (svg,) = output_of(FIGURE + "fig").figures
    made = render.output(drawn("axes"), Output(figures=[svg]))
    assert '<svg role="img" aria-label="axes"' in made
