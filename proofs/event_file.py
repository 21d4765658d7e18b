"""The files of day 7 against TensorBoard, which reads them, and its writer."""

import io
import random
import tempfile

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import SummaryWriter

from proofs import Pairs, proof
from snippets.event_file import (
    event_files,
    frame,
    read_frames,
    read_scalars,
    scalar_event,
)

PAGE = "pytorch/day-7/tensorboard-going-deeper.md"


@proof(
    "Frames of event files",
    ours="snippets.event_file.frame",
    theirs="tensorboard.summary.writer.record_writer.RecordWriter",
    page=PAGE,
    bound=0,
)
def framing() -> Pairs:
    """Bytes of all lengths up to 100, with their checksums."""
    drawn = random.Random(0)
    for length in range(101):
        data, file = drawn.randbytes(length), io.BytesIO()
        RecordWriter(file).write(data)
        yield frame(data), file.getvalue()


@proof(
    "Reading event files",
    ours="snippets.event_file.read_scalars",
    theirs="tensorboard.backend.event_processing.event_accumulator.EventAccumulator",
    page=PAGE,
    bound=0,
)
def reading() -> Pairs:
    """In both precisions, with other things between, of a run that was resumed."""
    with tempfile.TemporaryDirectory() as folder:
        for purge in (None, 3):
            with SummaryWriter(folder, purge_step=purge) as writer:
                for step in range(purge or 0, 6):
                    writer.add_scalar("loss/train", 1 / (step + 1), step)
                    writer.add_scalar("large", float("inf"), step)
                    writer.add_scalar("ä fine", 0.1, step, double_precision=True)
                writer.add_histogram("w", torch.arange(10.0), 5)
                writer.add_image("x", torch.zeros(1, 4, 4), 5)
        ours = read_scalars(folder)
        reader = EventAccumulator(folder, size_guidance={"scalars": 0}).Reload()
        yield sorted(ours), sorted(reader.Tags()["scalars"])
        for tag, points in ours.items():
            events = [(e.step, e.value, e.wall_time) for e in reader.Scalars(tag)]
            yield [tuple(point) for point in points], events


@proof(
    "Writing event files",
    ours="snippets.event_file.scalar_event",
    theirs="torch.utils.tensorboard.SummaryWriter",
    page=PAGE,
    bound=0,
)
def writing() -> Pairs:
    """Byte by byte, after the first event, which holds the time."""
    drawn = random.Random(0)
    values = [(drawn.gauss(0, 1), drawn.randrange(10**9)) for _ in range(50)]
    values += [(float("-inf"), 0), (0.0, 1)]
    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for value, step in values:
                writer.add_scalar("loss/train", value, step, walltime=step / 7)
        (path,) = event_files(folder)
        theirs = path.read_bytes()
    first = 16 + len(next(read_frames(theirs)))  # with its length and checksums
    ours = [scalar_event("loss/train", v, step, step / 7) for v, step in values]
    yield b"".join(ours), theirs[first:]
