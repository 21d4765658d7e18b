"""`literate/publishing/policy.py`: what a page may load and run."""

import base64
import hashlib

import pytest

from literate.project import PageError
from literate.publishing import policy
from literate.publishing.markup import tags

HEAD = '<html><head><meta charset="utf-8"><title>a < b</title></head><body>'


def of(text: str, compiles: bool = False) -> dict[str, list[str]]:
    """The policy of a page, by directive."""
    made = policy.with_policy(HEAD + text, compiles)
    (meta,) = [tag for tag in tags(made) if tag.get("http-equiv")]
    parts = [part.split() for part in meta.get("content").split("; ")]
    return {name: values for name, *values in parts}


def digest(text: str) -> str:
    made = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{made}'"


def test_nothing_is_allowed_but_what_lies_beside_the_page():
    allowed = of("<p>Text</p>")
    assert allowed.pop("default-src") == ["'none'"]
    assert allowed.pop("img-src") == ["'self'", "data:"]
    assert {tuple(values) for values in allowed.values()} == {("'self'",), ("'none'",)}


def test_an_inline_script_is_allowed_by_its_hash_and_data_need_none():
    script, data = "if (1 < 2) go('<p onclick=x>')", '{"a": "<b style=c>"}'
    page = f'<script>{script}</script><script type="application/json">{data}</script>'
    assert of(page)["script-src"] == ["'self'", digest(script)]
    assert of('<script src="a.js"></script>')["script-src"] == ["'self'"]
    assert "unsafe" not in str(of(page))


def test_line_ends_are_hashed_as_a_browser_reads_them():
    assert of("<script>a\r\nb</script>")["script-src"] == ["'self'", digest("a\nb")]


def test_webassembly_is_allowed_where_it_is_needed():
    assert "'wasm-unsafe-eval'" in of("", compiles=True)["script-src"]
    assert "wasm" not in str(of(""))


def test_a_style_becomes_a_class_with_a_rule_that_is_as_strong():
    made = policy.with_policy(
        f'{HEAD}<p style="color: red; " class="a">x</p><td style="color: red">y'
        "<br style=''>"
    )
    found = {tag.name: tag for tag in tags(made)}
    name = found["td"].get("class")
    assert found["p"].get("class") == f"a {name}"
    assert all(tag.get("style") is None for tag in found.values())
    assert found["br"].get("class") is None
    rule = f".{name}:not(#_){{color: red}}"
    assert found["style"].body == rule
    assert digest(rule) in made


def test_what_a_page_shows_stays_as_it_was():
    text = "<p title='a > b'>1 &lt; 2</p><!-- <p style='x'> --><pre>style=\"y\"</pre>"
    assert policy.with_classes(HEAD + text) == HEAD + text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<a onclick="go()">x</a>', "<a onclick=…>: the page's policy refuses inline"),
        ('<a href=" JavaScript:go()">x</a>', "a link to javascript: is refused"),
        ('<p style="a{}">', 'style="a{}" cannot be written as a rule'),
    ],
)
def test_what_no_hash_allows_is_named_with_its_page(tmp_path, text, message):
    path = tmp_path / "day" / "index.html"
    path.parent.mkdir()
    path.write_text(HEAD + text, "utf8")
    with pytest.raises(PageError) as told:
        policy.write(tmp_path)
    assert str(told.value).startswith(f"day/index.html: {message}")
    assert path.read_text("utf8") == HEAD + text


SCRIPTS = {
    "assets/site.js": 'import "./reader/page.js";',
    "assets/reader/page.js": "export const a = 1;",
    "assets/widgets/a-kernel.js": 'new URL("../kernel.js", import.meta.url)',
    "assets/widgets/a-card.js": 'import "../reader/page.js"; import "../site.js";',
    "assets/kernel.js": "await WebAssembly.instantiate(bytes);",
}
SITE_JS = '<script type="module" src="../assets/site.js"></script>'


@pytest.mark.parametrize(
    ("text", "compiles"),
    [
        (SITE_JS, False),
        (f"{SITE_JS}<a-card></a-card>", False),
        (f"{SITE_JS}<a-kernel></a-kernel>", True),
        ('<script src="../assets/kernel.js"></script>', True),
    ],
)
def test_a_page_that_needs_webassembly_is_found_by_its_scripts(
    tmp_path, text, compiles
):
    for name, script in SCRIPTS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, "utf8")
    page = tmp_path / "day" / "index.html"
    page.parent.mkdir()
    page.write_text(HEAD + text, "utf8")
    policy.write(tmp_path)
    assert ("'wasm-unsafe-eval'" in page.read_text("utf8")) == compiles
