"""What the book's tokenizers ask of texts, names, ids and vocabulary files.

A value of the wrong kind raises TypeError, a wrong value ValueError; both show it.
"""

# --8<-- [start:checks]
import math
import operator
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, SupportsIndex

from snippets.files import write_whole

# --8<-- [start:text]
HALF = re.compile("[\ud800-\udfff]")  # UTF-16 writes a character as two of these


def check_text(text: str) -> str:
    """The text. Half of a surrogate pair raises ValueError: it has no UTF-8."""
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, not {type(text).__name__}: {text!r:.40}")
    if found := HALF.search(text):
        raise ValueError(
            f"U+{ord(found[0]):04X} at {found.start()} is a lone surrogate: half a"
            " character"
        )
    return text


# --8<-- [end:text]


# --8<-- [start:several]
def check_texts(texts: str | Iterable[str]) -> Iterator[str]:
    """One text or several, each checked as it comes."""
    for text in [texts] if isinstance(texts, str) else texts:
        yield check_text(text)


def check_names(names: Iterable[str], kind: str) -> list[str]:
    """Names in the order given, of the kind `special token` or `piece`.

    Raises TypeError for one text in place of a list, ValueError for a name that is
    empty or there twice.
    """
    if isinstance(names, str):
        raise TypeError(f"{names!r} is one text: give a list of {kind}s, [{names!r}]")
    found = [check_text(name) for name in names]
    check_once(found, kind)
    return found


def check_once(entries: Sequence[str] | Sequence[bytes], kind: str) -> None:
    """Raise ValueError for an entry that is empty or there twice."""
    for entry, times in Counter(entries).items():
        if not entry:
            raise ValueError(f"a {kind} is empty: {entry!r}")
        if times > 1:
            raise ValueError(f"the {kind} {entry!r} is there {times} times")


# --8<-- [end:several]


# --8<-- [start:ids]
def whole_number(value: SupportsIndex, what: str) -> int:
    """An int, from Python, NumPy or PyTorch. Raises TypeError for anything else."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} {value!r} is not a whole number") from None


def checked_ids(ids: Iterable[SupportsIndex], known: Collection[int]) -> list[int]:
    """Ids as ints, from a list, or an array or tensor with one axis.

    Raises TypeError for what is no whole number, ValueError for an unknown id.
    """
    listed: Any = ids.tolist() if hasattr(ids, "tolist") else ids
    if isinstance(listed, str | bytes) or not isinstance(listed, Iterable):
        raise TypeError(f"ids {listed!r}: give a list, or an array with one axis")
    numbers = [whole_number(number, "id") for number in listed]
    for number in numbers:
        if number not in known:
            last = max(known)
            raise ValueError(
                f"id {number} is not in the vocabulary: ids run from 0 to {last}"
            )
    return numbers


# --8<-- [end:ids]
def check_size(vocab_size: int, parts: dict[str, int]) -> int:
    """The room that a vocabulary has beside its fixed parts; ValueError if none."""
    room = whole_number(vocab_size, "vocab_size") - sum(parts.values())
    if room < 0:
        named = " and ".join(f"{n} {part}" for part, n in parts.items())
        raise ValueError(
            f"vocab_size={vocab_size}: {named} need at least {sum(parts.values())}"
        )
    return room


def check_scores(scores: Iterable[tuple[str, float]]) -> None:
    """Raise ValueError for a score that is NaN or infinite."""
    for piece, score in scores:
        if not math.isfinite(score):
            raise ValueError(f"the score of {piece!r} is {score}")


def read_utf8(path: str | Path) -> str:
    """The text of a file, without the byte-order mark that some editors put first."""
    return Path(path).read_text(encoding="utf-8-sig")


def write_lines(path: str | Path, lines: Sequence[str]) -> None:
    """Write a file with an entry on each line, all or nothing.

    Raises ValueError for an entry with a line break in it.
    """
    for line in lines:
        if "\n" in line or "\r" in line:
            raise ValueError(f"{line!r} does not fit on one line of a vocabulary file")
    text = "".join(f"{line}\n" for line in lines)
    mark = "utf-8-sig" if text.startswith("\ufeff") else "utf-8"  # one is skipped
    write_whole(path, lambda file: file.write(text.encode(mark)))


# --8<-- [end:checks]
