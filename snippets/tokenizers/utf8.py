"""UTF-8 by hand: code points to bytes and back (RFC 3629).

A character of a text is a number, its code point, from 0 to 0x10FFFF. UTF-8 writes it
as one to four bytes. Small numbers, ASCII among them, take one.
"""

# --8<-- [start:imports]
from collections.abc import Iterable
from typing import SupportsIndex

from snippets.tokenizers.checks import check_text, checked_ids

# --8<-- [end:imports]

# --8<-- [start:encode]
HIGHEST = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)  # numbers that UTF-16 uses in pairs; no characters


def encode_code_point(number: int) -> bytes:
    """The bytes of one code point (RFC 3629, section 3).

    Raises ValueError for a surrogate and for numbers out of range.
    """
    if not 0 <= number <= HIGHEST or number in SURROGATES:
        raise ValueError(f"{number:#x} is no character: 0 to 0x10ffff, no surrogates")
    if number < 0x80:
        return bytes([number])  # 0xxxxxxx
    size = 2 if number < 0x800 else 3 if number < 0x10000 else 4
    tail = []
    for _ in range(size - 1):
        tail.append(0b10000000 | number & 0b00111111)  # 10xxxxxx: six bits
        number >>= 6
    start = 0xFF << (8 - size) & 0xFF  # 110, 1110 or 11110: as many ones as bytes
    return bytes([start | number, *reversed(tail)])


def encode_text(text: str) -> bytes:
    """All code points, one after the other."""
    return b"".join(encode_code_point(ord(c)) for c in text)


# --8<-- [end:encode]


# --8<-- [start:decode]
def second_byte(first: int) -> range:
    """Which byte may follow: fewer where the number would be too small or none."""
    narrow = {
        0xE0: range(0xA0, 0xC0),  # below: two bytes would have been enough
        0xED: range(0x80, 0xA0),  # above: surrogates
        0xF0: range(0x90, 0xC0),  # below: three bytes would have been enough
        0xF4: range(0x80, 0x90),  # above: beyond 0x10FFFF
    }
    return narrow.get(first, range(0x80, 0xC0))


def size_of(first: int) -> int:
    """How many bytes a character has that starts with this one; 0: none does."""
    for size, bytes_ in ((1, range(0x80)), (2, range(0xC2, 0xE0))):
        if first in bytes_:
            return size
    return 3 if first in range(0xE0, 0xF0) else 4 if first in range(0xF0, 0xF5) else 0


def decode_bytes(data: bytes, errors: str = "strict") -> str:
    """The text of the bytes.

    Bytes that are no UTF-8 raise ValueError, or with `errors="replace"` become U+FFFD:
    one for each longest start of a character, as Unicode recommends (section 3.9).
    """
    text, start = [], 0
    while start < len(data):
        size, end = size_of(data[start]), start + 1
        while end < min(start + size, len(data)):
            allowed = (
                second_byte(data[start]) if end == start + 1 else range(0x80, 0xC0)
            )
            if data[end] not in allowed:
                break
            end += 1
        if size and end == start + size:
            text.append(chr(number_of(data[start:end])))
        elif errors == "replace":
            text.append("\ufffd")
        else:
            raise ValueError(f"no UTF-8 at byte {start}: {data[start:end].hex(' ')}")
        start = end
    return "".join(text)


def number_of(character: bytes) -> int:
    """The code point that the bytes of one character write."""
    number = character[0] & (0xFF >> len(character) + 1 if len(character) > 1 else 0x7F)
    for byte in character[1:]:
        number = number << 6 | byte & 0b00111111
    return number


# --8<-- [end:decode]


# --8<-- [start:tokenizer]
class ByteTokenizer:
    """Every byte of UTF-8 is a token, its value the id: 256 ids write any text."""

    vocab_size = 256

    def encode(self, text: str) -> list[int]:
        """The bytes of a text."""
        return list(encode_text(check_text(text)))

    def decode(self, ids: Iterable[SupportsIndex], errors: str = "replace") -> str:
        """The text of the ids; bytes that are not UTF-8 become U+FFFD."""
        return decode_bytes(bytes(checked_ids(ids, range(256))), errors)


# --8<-- [end:tokenizer]
