"""The files that TensorBoard reads, written and read by hand.

An event file is a row of frames: the length of the event (8 bytes), a checksum of the
length (4), the event, a checksum of the event (4), all numbers with the little end
first. It is the TFRecord format of TensorFlow. An event is a message of protocol
buffers, whose classes come with TensorBoard.
"""

# --8<-- [start:imports]
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.util.tensor_util import make_ndarray

# --8<-- [end:imports]


# --8<-- [start:checksum]
POLYNOMIAL = 0x82F63B78  # Castagnoli's, its 32 bits in reversed order
MASK_DELTA = 0xA282EAD8


def remainder_of(byte: int) -> int:
    """What eight steps of the division leave of one byte: an entry of the table."""
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


REMAINDERS = [remainder_of(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """The cyclic redundancy check of RFC 3720, appendix B.4: 32 bits."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ REMAINDERS[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """A checksum as the files hold it: turned by 15 bits, plus a constant.

    The checksum of data that hold their own checksum is a constant, so it would say
    nothing of them; masking prevents that.
    """
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


# --8<-- [end:checksum]


# --8<-- [start:frames]
class EventFileError(ValueError):
    """A frame whose checksum does not fit its bytes."""


def frame(data: bytes) -> bytes:
    """The bytes of an event, between length and checksums."""
    length = struct.pack("<Q", len(data))  # an unsigned integer of 64 bits
    checks = [struct.pack("<I", masked(crc32c(part))) for part in (length, data)]
    return length + checks[0] + data + checks[1]


def read_frames(file: bytes) -> Iterator[bytes]:
    """The bytes of each event in a file.

    A last frame that is cut off is left out, without an error: a program may be about
    to write the rest of it. Raises EventFileError where a checksum does not fit.
    """
    place = 0
    while place + 12 <= len(file):
        length, check = struct.unpack_from("<QI", file, place)
        if check != masked(crc32c(file[place : place + 8])):
            raise EventFileError(f"the length at byte {place} is damaged")
        begin, end = place + 12, place + 12 + length
        if end + 4 > len(file):
            return
        (check,) = struct.unpack_from("<I", file, end)
        if check != masked(crc32c(file[begin:end])):
            raise EventFileError(f"the event at byte {begin} is damaged")
        yield file[begin:end]
        place = end + 4


# --8<-- [end:frames]


# --8<-- [start:events]
def event_files(folder: str | Path) -> list[Path]:
    """The event files of a run, the oldest first, as the time in their names sorts."""
    return sorted(Path(folder).glob("*tfevents*"))


def read_events(folder: str | Path) -> Iterator[Event]:
    """All events of a run. Raises FileNotFoundError if its folder has none."""
    files = event_files(folder)
    if not files:
        raise FileNotFoundError(f"{folder} holds no event file: is it a folder above?")
    for path in files:
        for data in read_frames(path.read_bytes()):
            yield Event.FromString(data)


# --8<-- [end:events]


# --8<-- [start:scalars]
class Point(NamedTuple):
    """One value of a scalar."""

    step: int
    value: float
    time: float  # seconds since 1970


def scalar_of(value: Summary.Value) -> float | None:
    """The number in a value, in either of its two forms; None if it is no scalar."""
    if value.HasField("simple_value"):
        return value.simple_value
    if value.metadata.plugin_data.plugin_name == "scalars":
        return make_ndarray(value.tensor).item()
    return None


def read_scalars(folder: str | Path) -> dict[str, list[Point]]:
    """The scalars of a run, by tag, in the order in which they were written.

    Where a run says that it starts again at some step, what the run before it wrote
    from that step on is left out, as TensorBoard does.
    """
    scalars: dict[str, list[Point]] = {}
    for event in read_events(folder):
        if event.session_log.status == SessionLog.START:
            for tag, points in scalars.items():
                scalars[tag] = [p for p in points if p.step < event.step]
        for value in event.summary.value:
            number = scalar_of(value)
            if number is not None:
                point = Point(event.step, number, event.wall_time)
                scalars.setdefault(value.tag, []).append(point)
    return {tag: points for tag, points in scalars.items() if points}


# --8<-- [end:scalars]


# --8<-- [start:write]
def scalar_event(tag: str, value: float, step: int, time: float) -> bytes:
    """The frame of one scalar, as `SummaryWriter.add_scalar` writes it."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    event = Event(wall_time=time, step=step, summary=summary)
    return frame(event.SerializeToString())


# --8<-- [end:write]
