"""GPT-2's order of the 256 bytes, and its printable character for each."""

# --8<-- [start:bytes]
# GPT-2's order of the 256 bytes: printable characters first, then the others. The id of
# a byte is its place here, in GPT-2's vocabulary and in those of its successors.
PRINTABLE = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
BYTES = [bytes([b]) for b in PRINTABLE + sorted(set(range(256)) - set(PRINTABLE))]

# --8<-- [end:bytes]


# --8<-- [start:printable]
def printable(token: bytes) -> str:
    """GPT-2's way to write bytes: those that do not print, from U+0100 on."""
    return "".join(map(SHOWN.__getitem__, token))


def unprintable(name: str) -> bytes:
    """The bytes that `printable` wrote so; KeyError for a character it never writes."""
    return bytes(map(HIDDEN.__getitem__, name))


SHOWN = {b: chr(b) for b in PRINTABLE}
SHOWN |= {byte[0]: chr(256 + n) for n, byte in enumerate(BYTES[len(PRINTABLE) :])}
HIDDEN = {char: byte for byte, char in SHOWN.items()}
# --8<-- [end:printable]
