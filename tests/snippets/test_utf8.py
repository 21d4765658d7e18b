"""UTF-8 by hand: errors; that it equals Python's is a proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.tokenizers.utf8 import decode_bytes, encode_code_point, encode_text


@given(text=st.text())
def test_text_comes_back(text):
    assert encode_text(text) == text.encode()
    assert decode_bytes(encode_text(text)) == text


@given(data=st.binary())
def test_replaced_as_python_does(data):
    assert decode_bytes(data, "replace") == data.decode(errors="replace")


@pytest.mark.parametrize("number", [-1, 0xD800, 0xDFFF, 0x110000])
def test_what_is_no_character_is_named(number):
    with pytest.raises(ValueError, match=f"{number:#x} is no character"):
        encode_code_point(number)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ab\xff", "no UTF-8 at byte 2: ff"),
        (b"\xc0\xaf", "no UTF-8 at byte 0: c0"),  # overlong
        (b"a\xe7\x8c", "no UTF-8 at byte 1: e7 8c"),  # cut
        (b"\xed\xa0\x80", "no UTF-8 at byte 0: ed"),  # a surrogate
        (b"\xf4\x90\x80\x80", "no UTF-8 at byte 0: f4"),  # too large
    ],
)
def test_bad_bytes_are_shown_with_their_place(data, message):
    with pytest.raises(ValueError, match=message):
        decode_bytes(data)
