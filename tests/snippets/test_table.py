"""Tables in text and in HTML."""

import pytest

from snippets.table import Table

TABLE = Table(("Name", "Size"), [("a & b", 1), ("c", "1,024")])


def test_as_text():
    assert repr(TABLE) == "Name    Size\na & b      1\nc      1,024"


def test_as_html():
    found = TABLE._repr_html_()
    assert '<td style="text-align: left">a &amp; b</td>' in found
    assert '<th style="text-align: right">Size</th>' in found


def test_long_names_may_break():
    found = Table(("Name",), [("torch.nn.some_name 0.5 1e-06",)])._repr_html_()
    assert "torch.<wbr>nn.<wbr>some_<wbr>name 0.5 1e-06</td>" in found


def test_a_row_of_another_length():
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        Table(("Name", "Size"), [("a",)])
