"""`snippets/run_log.py`: what TensorBoard would draw wrongly is refused, by name."""

import math
import re

import pytest
import torch
from torch import nn

from snippets.event_file import read_events, read_scalars
from snippets.run_log import RunLog, check_image


def test_what_is_logged_is_in_the_file(tmp_path):
    model = nn.Linear(2, 3)
    model(torch.ones(1, 2)).sum().backward()
    with RunLog(tmp_path) as log:
        log.scalar("loss", torch.tensor([0.5], requires_grad=True), 0)
        log.scalar("loss", 0.25, 3)
        log.image("x", torch.zeros(1, 2, 2), 3)
        log.parameters(model, 3)
    points = [(p.step, p.value) for p in read_scalars(tmp_path)["loss"]]
    assert points == [(0, 0.5), (3, 0.25)]
    tags = [v.tag for event in read_events(tmp_path) for v in event.summary.value]
    assert tags[2:] == ["x", "weight/weight", "grad/weight", "weight/bias", "grad/bias"]


def test_a_parameter_without_gradient_has_no_histogram_of_it(tmp_path):
    with RunLog(tmp_path) as log:
        log.parameters(nn.Linear(2, 3), 0)
    tags = [v.tag for event in read_events(tmp_path) for v in event.summary.value]
    assert tags == ["weight/weight", "weight/bias"]


def test_a_second_run_in_a_folder_is_refused(tmp_path):
    RunLog(tmp_path).close()
    with pytest.raises(FileExistsError, match=f"{tmp_path.name} holds a run"):
        RunLog(tmp_path)


@pytest.mark.parametrize("step", [None, 1.5, True, "3"])
def test_a_step_is_a_whole_number(tmp_path, step):
    with RunLog(tmp_path) as log, pytest.raises(TypeError, match=rf"is {step!r}, not"):
        log.scalar("loss", 1.0, step)


def test_a_step_comes_after_the_last(tmp_path):
    with RunLog(tmp_path) as log:
        log.scalar("loss", 1.0, 5)
        log.scalar("other", 1.0, 2)
        for step in (5, 4):
            with pytest.raises(ValueError, match=f"loss: step {step} after 5"):
                log.scalar("loss", 1.0, step)
        with pytest.raises(ValueError, match="step -1 after nothing"):
            log.scalar("new", 1.0, -1)


def test_a_scalar_is_one_number(tmp_path):
    with RunLog(tmp_path) as log, pytest.raises(ValueError, match=r"loss: \(2,\)"):
        log.scalar("loss", torch.ones(2), 0)


def test_the_first_step_that_is_not_finite_is_kept(tmp_path):
    with RunLog(tmp_path) as log:
        for step, value in enumerate([1.0, math.nan, 1.0, math.inf]):
            log.scalar("loss", value, step)
    assert log.not_finite == {"loss": 1}
    assert len(read_scalars(tmp_path)["loss"]) == 4


def test_a_histogram_with_nan_is_refused(tmp_path):
    model = nn.Linear(1, 1)
    nn.init.constant_(model.bias, math.nan)
    with (
        RunLog(tmp_path) as log,
        pytest.raises(ValueError, match=r"weight/bias is not"),
    ):
        log.parameters(model, 0)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(8, 8), "(8, 8), not (C, H, W)"),
        (torch.zeros(2, 8, 8), "(2, 8, 8), not (C, H, W)"),
        (torch.zeros(8, 8, 3), "are the channels last? permute(2, 0, 1)"),
        (torch.zeros(1, 2, 2, dtype=torch.int64), "torch.int64: make it uint8"),
        (torch.full((1, 2, 2), 255.0), "goes from 255 to 255"),
        (torch.tensor([[[-0.5, 0.5]]]), "goes from -0.5 to 0.5"),
        (torch.full((1, 2, 2), math.nan), "goes from nan to nan"),
    ],
)
def test_an_image_that_would_be_changed_is_refused(image, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_image(image)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_as_they_should_be(channels):
    check_image(torch.rand(channels, 4, 5))
    check_image(torch.full((channels, 4, 5), 255, dtype=torch.uint8))
