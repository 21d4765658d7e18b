"""Custom elements on pages."""

import pytest

from literate.project import PageError
from literate.showing import widgets
from tests.helpers import convert


@pytest.fixture
def with_widget(tmp_path, monkeypatch):
    (tmp_path / "a-widget.js").write_text("")
    (tmp_path / "helper.js").write_text("")
    monkeypatch.setattr(widgets, "FOLDER", tmp_path)


def test_a_known_widget_is_a_block_of_its_own(with_widget):
    html = convert("text\n\n<a-widget>\nno script\n</a-widget>\n\ntext")
    assert "<p><a-widget>" not in html and "<a-widget>" in html


def test_an_unknown_widget_is_refused_with_the_known_ones(with_widget):
    with pytest.raises(
        PageError, match=r"\(text\):3: unknown widget <b-widget>; .*a-wid"
    ):
        convert("text\n\n<b-widget></b-widget>")


def test_tags_in_code_are_text(with_widget):
    convert("`<b-widget>` and\n\n```html\n<b-widget>\n```")
