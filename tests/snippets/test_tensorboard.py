"""The real TensorBoard on the runs of its page, and the pictures that were taken."""

import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from snippets.digits import split_digits
from snippets.event_file import read_events, read_scalars
from snippets.tensorboard_server import ask, tensorboard
from snippets.watched_digits import ALL_SETTINGS, look
from tools.tensorboard_pictures import (
    FOLDER,
    LARGEST,
    PICTURES,
    RECORD,
    contents,
    make_runs,
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The six runs of the page, with their graphs, and their last evaluations."""
    root = tmp_path_factory.mktemp("runs")
    return root, make_runs(root)


def test_the_program_shows_what_was_logged(runs):
    root, results = runs
    with tensorboard(root) as address:
        assert sorted(ask(address, "runs")) == sorted(s.name for s in ALL_SETTINGS)
        tags = ask(address, "plugin/scalars/tags")
        for run, result in results.items():
            read = read_scalars(root / run)
            assert tags[run].keys() == read.keys()
            for tag, points in read.items():
                got = ask(address, "plugin/scalars/scalars", run=run, tag=tag)
                assert got == [[p.time, p.step, p.value] for p in points]
            shown = {tag: points[-1].value for tag, points in read.items()}
            for kind in ("validation", "final"):
                names = ("loss/validation", "accuracy/validation")
                if kind == "final":
                    names = ("final/loss", "final/accuracy")
                assert shown[names[0]] == pytest.approx(result.loss, rel=1e-6)
                assert shown[names[1]] == pytest.approx(result.accuracy, rel=1e-6)
        histograms = ask(address, "plugin/histograms/tags")
        images = ask(address, "plugin/images/tags")
        graphs = ask(address, "plugin/graphs/info")
        for run in results:
            assert "grad/hidden.weight" in histograms[run]
            assert "mistakes" in images[run]
            assert run in graphs


def test_nan_is_shown_as_a_word(tmp_path):
    with SummaryWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("loss", math.nan, 0)
    with tensorboard(tmp_path) as address:
        got = ask(address, "plugin/scalars/scalars", run="run", tag="loss")
    assert got[0][1:] == [0, "NaN"]


def test_a_program_that_does_not_start_says_why(tmp_path):
    with (
        pytest.raises(RuntimeError, match=r"did not start: (?s:.*)--no-such"),
        tensorboard(tmp_path, "--no-such-option"),
    ):
        pass


def test_the_run_that_guesses_is_dead_and_the_good_one_is_not(runs):
    root, results = runs
    widths = {}
    for run in ("lr=3,hidden=64", "lr=0.1,hidden=64"):
        for event in read_events(root / run):
            for value in event.summary.value:
                if value.tag == "grad/hidden.weight":
                    widths[run] = max(abs(value.histo.min), abs(value.histo.max))
    assert widths["lr=3,hidden=64"] == 0
    assert widths["lr=0.1,hidden=64"] > 1e-3
    assert results["lr=3,hidden=64"].accuracy < 0.2
    assert results["lr=0.1,hidden=64"].accuracy > 0.85


def near(one: list, other: list) -> bool:
    """Whether two rows of (step, value) are the same, up to another machine's sums."""
    return [p[0] for p in one] == [p[0] for p in other] and all(
        abs(a[1] - b[1]) <= 0.02 + 0.05 * abs(b[1])
        for a, b in zip(one, other, strict=True)
    )


def test_the_pictures_are_of_the_runs_that_the_page_writes(runs):
    """If this fails, run `python -m tools.tensorboard_pictures`, and look at them."""
    root, _ = runs
    now, then = contents(root), json.loads(RECORD.read_text("utf8"))["runs"]
    assert now.keys() == then.keys()
    for run in now:
        assert now[run]["steps"] == then[run]["steps"]
        assert now[run]["scalars"].keys() == then[run]["scalars"].keys()
        for tag, points in now[run]["scalars"].items():
            assert near(points, then[run]["scalars"][tag]), (run, tag)


def test_another_run_would_be_noticed():
    assert near([[1, 2.0], [2, 1.0]], [[1, 2.0], [2, 1.01]])
    assert not near([[1, 2.0], [2, 1.0]], [[1, 2.0], [2, 1.3]])
    assert not near([[1, 2.0]], [[2, 2.0]])


def test_the_pages_show_all_pictures_and_they_are_light():
    day = FOLDER.parents[1] / "pytorch" / "day-7"
    text = "".join(path.read_text("utf8") for path in day.glob("tensorboard*.md"))
    for name in PICTURES:
        for scheme in ("light", "dark"):
            path = FOLDER / f"{name}-{scheme}.webp"
            assert text.count(f"assets/tensorboard/{path.name}") == 2  # link, image
            assert path.stat().st_size <= LARGEST


def test_misread_images_are_black_on_white_and_framed(tmp_path):
    model, validation = nn.Linear(64, 10), split_digits()[1]
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)  # so it says 0 to every image
    model = nn.Sequential(nn.Flatten(), model)
    model(validation.images).sum().backward()
    with SummaryWriter(str(tmp_path)) as writer:
        result = look(writer, model, validation, 7)
    share = (validation.labels == 0).float().mean().item()
    assert result.accuracy == pytest.approx(share)
    reader = EventAccumulator(str(tmp_path)).Reload()
    (shown,) = reader.Images("mistakes")
    pixels = np.asarray(Image.open(io.BytesIO(shown.encoded_image_string)))
    assert (shown.step, pixels.shape) == (7, (4 * 40, 8 * 40, 3))
    first = validation.images[validation.labels != 0][0, 0]
    inside = torch.tensor(pixels[4:36:4, 4:36:4, 0] / 255)
    assert torch.allclose(inside, 1 - first.double(), atol=1 / 255)
    assert (pixels[:4] == 255).all()
    assert sorted(reader.Tags()["histograms"]) == [
        f"{kind}/1.{name}" for kind in ("grad", "weight") for name in ("bias", "weight")
    ]
