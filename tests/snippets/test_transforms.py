"""`snippets/transforms.py`: what proofs/transforms.py leaves: refusals and edges."""

import math

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as VF
from PIL import Image

from snippets.transforms import (
    channel_statistics,
    normalize,
    pil_to_tensor,
    to_unit,
)


def test_rows_and_columns_do_not_change_places():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    tensor = pil_to_tensor(Image.fromarray(pixels))
    assert tensor.shape == (3, 2, 3)
    assert tensor[2, 1, 0] == pixels[1, 0, 2]


@pytest.mark.parametrize("mode", ["P", "RGBA", "1", "I;16", "CMYK"])
def test_a_mode_whose_numbers_mean_something_else_is_refused(mode):
    with pytest.raises(ValueError, match=f"mode {mode}: convert it to L or RGB"):
        pil_to_tensor(Image.new(mode, (2, 2)))


def test_only_bytes_have_a_known_range():
    assert to_unit(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == [
        0.0,
        pytest.approx(0.2),
        1.0,
    ]
    for dtype in (torch.float32, torch.int64, torch.uint16):
        with pytest.raises(TypeError, match=f"an image of {dtype}: only bytes"):
            to_unit(torch.zeros(1, 2, 2, dtype=dtype))


def test_as_many_means_as_channels():
    three = torch.zeros(3), torch.ones(3)
    with pytest.raises(ValueError, match=r"3 means and 3 deviations .* of 1 channels"):
        normalize(torch.zeros(1, 2, 2), *three)
    assert normalize(torch.zeros(3, 2, 2), *three).shape == (3, 2, 2)


@pytest.mark.parametrize("spread", [0.0, -1.0, math.nan])
def test_a_constant_channel_cannot_be_scaled(spread):
    std = torch.tensor([1.0, spread])
    with pytest.raises(ValueError, match=r"std=\[1.0, .*\]: a constant channel"):
        normalize(torch.zeros(2, 2, 2), torch.zeros(2), std)


def test_statistics_count_pixels_and_not_images():
    small, large = torch.zeros(1, 1, 1), torch.ones(1, 3, 1)
    mean, std = channel_statistics([small, large])
    assert mean.item() == 0.75
    assert std.item() == pytest.approx(math.sqrt(0.75 * 0.25))


def test_statistics_of_a_constant_are_no_nan():
    images = (torch.full((1, 50, 50), 0.1) for _ in range(3))
    mean, std = channel_statistics(images)
    assert mean.item() == pytest.approx(0.1)
    assert std.item() == pytest.approx(0, abs=1e-6)


def test_statistics_need_images():
    with pytest.raises(ValueError, match="there are no images"):
        channel_statistics([])


def test_statistics_are_computed_where_the_images_are():
    images = [torch.rand(3, 4, 4) for _ in range(2)]
    with torch.device("meta"):
        mean, std = channel_statistics(images)
    assert mean.device == std.device == images[0].device
    moved = channel_statistics([image.to("meta") for image in images])
    assert [part.device.type for part in moved] == ["meta", "meta"]


def test_to_tensor_of_torchvision_scales_and_ours_has_the_name_of_what_it_is():
    picture = Image.new("L", (2, 2), 255)
    assert pil_to_tensor(picture).max() == VF.pil_to_tensor(picture).max() == 255
    assert VF.to_tensor(picture).max() == 1
