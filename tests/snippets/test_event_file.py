"""`snippets/event_file.py`: what is damaged is told, what is cut off is not."""

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter

from snippets.event_file import (
    EventFileError,
    crc32c,
    event_files,
    frame,
    masked,
    read_frames,
    read_scalars,
    scalar_event,
)

PARTS = [b"", b"a", b"some bytes" * 20]


def test_the_customary_example_of_the_checksum():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert masked(0) == 0xA282EAD8


def test_frames_come_back():
    assert list(read_frames(b"".join(map(frame, PARTS)))) == PARTS


def test_a_last_frame_that_is_cut_off_is_left_out():
    file = b"".join(map(frame, PARTS))
    last = len(frame(PARTS[-1]))
    for cut in range(1, last + 1):
        assert list(read_frames(file[:-cut])) == PARTS[:-1]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (0, "the length at byte 0 is damaged"),
        (9, "the length at byte 0 is damaged"),
        (12, "the event at byte 12 is damaged"),
        (14, "the event at byte 12 is damaged"),
    ],
)
def test_damage_is_found_and_its_place_named(place, message):
    file = bytearray(frame(b"a") + frame(b"b"))
    file[place] ^= 1
    with pytest.raises(EventFileError, match=message):
        list(read_frames(bytes(file)))


def test_both_forms_of_scalars_are_read(tmp_path):
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("old", 0.5, 3)
        writer.add_scalar("new", 0.25, 4, new_style=True)
        writer.add_scalar("double", 0.1, 5, new_style=True, double_precision=True)
        writer.add_text("words", "no scalar", 6)
    found = read_scalars(tmp_path)
    assert {t: [(p.step, p.value) for p in points] for t, points in found.items()} == {
        "old": [(3, 0.5)],
        "new": [(4, 0.25)],
        "double": [(5, 0.1)],
    }


def test_a_run_that_starts_again_drops_what_comes_after(tmp_path):
    for purge, value in ((None, 1.0), (2, 9.0)):
        with SummaryWriter(str(tmp_path), purge_step=purge) as writer:
            for step in range(purge or 0, 4):
                writer.add_scalar("loss", value, step)
    points = [(p.step, p.value) for p in read_scalars(tmp_path)["loss"]]
    assert points == [(0, 1.0), (1, 1.0), (2, 9.0), (3, 9.0)]


def test_a_folder_without_events_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path.name} holds no event file"):
        read_scalars(tmp_path)


def test_our_event_is_read_by_its_class():
    (data,) = read_frames(scalar_event("loss", 0.5, 7, 12.5))
    event = Event.FromString(data)
    assert (event.step, event.wall_time) == (7, 12.5)
    assert event.summary.value[0].tag == "loss"


def test_files_come_in_the_order_of_time(tmp_path):
    for name in ("events.out.tfevents.2.a", "events.out.tfevents.1.b", "other.txt"):
        (tmp_path / name).touch()
    names = [path.name[-3:] for path in event_files(tmp_path)]
    assert names == ["1.b", "2.a"]
