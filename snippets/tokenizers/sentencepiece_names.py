"""SentencePiece's visible space, and the names of pieces that no text spells."""

# --8<-- [start:names]
import re

SPACE = "\u2581"  # the visible space of SentencePiece
UNKNOWN_PIECE = "<unk>"
CONTROL = ("<s>", "</s>", "<pad>")  # a program adds them; no text spells them
BYTE = re.compile("<0x([0-9A-F]{2})>")
# --8<-- [end:names]
