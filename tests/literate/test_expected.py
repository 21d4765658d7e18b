"""How outputs are compared, and how they are kept."""

import pytest

from literate import expected
from literate.block import Block, Options
from literate.running.worker import Output

EQUAL = [
    ("", ""),
    ("tensor([1.0000, 2.5000])", "tensor([1.0001, 2.5001])"),
    ("loss 1.500e-05", "loss 1.5001e-05"),
    ("tensor([-0.0000])", "tensor([0.0000])"),
    ("a  0.0", "a -0.0"),
    ("1e-9", "3e-9"),
]
DIFFERENT = [
    ("a", "b"),
    ("1", "2"),
    ("step 100", "step 101"),
    ("1.000", "1.002"),
    ("0.0001", "0.0002"),
    ("1.0", "1"),
    ("1.0 2.0", "1.0"),
    ("a b", "a  b"),
    ("a\nb", "a b"),
    ("True", "False"),
    ("3.11.7 x", "3.11.8 x"),
    ("v1.5", "v1.6"),
    ("nan", "0.0"),
]


@pytest.mark.parametrize(("wanted", "got"), EQUAL)
def test_equal_but_for_rounding(wanted, got):
    assert expected.same(wanted, got) and expected.same(got, wanted)


@pytest.mark.parametrize(("wanted", "got"), DIFFERENT)
def test_a_change_is_seen(wanted, got):
    assert not expected.same(wanted, got)
    assert not expected.same(got, wanted)


def test_a_block_may_ask_for_another_tolerance():
    assert expected.same("1.00", "1.05", tolerance=0.1)
    assert not expected.same("1.0000", "1.0005", tolerance=1e-4)


def block(index: int, **options) -> Block:
    return Block(index, 1, f"a heading {index}", "", (), Options(**options))


def test_what_is_written_is_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(expected, "EXPECTED", tmp_path)
    page = expected.DOCS / "llm" / "page.md"
    blocks = [block(0), block(1, alt="A line"), block(2, nocheck=True), block(3)]
    outputs = [
        Output("== a label?\n\n    indented  \nlast"),
        Output("text", ["<svg/>"]),
        Output("0.123 s"),
        Output(""),
    ]
    parts = expected.all_of(blocks, outputs)
    expected.write(page, parts)
    assert expected.read(page) == parts
    assert parts == {
        "a heading 0": "== a label?\n\n    indented\nlast",
        "a heading 1": "text\n[figure: A line]",
    }
    expected.write(page, {})
    assert not expected.file_of(page).exists()
    assert expected.read(page) == {}


def test_a_file_without_a_page_is_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(expected, "EXPECTED", tmp_path)
    for name in ("index.txt", "gone.txt"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in expected.stale()] == ["gone.txt"]
