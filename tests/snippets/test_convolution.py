"""The convolution by hand; the proofs compare it with PyTorch in all settings."""

import pytest
import torch
import torch.nn.functional as F

from snippets.convolution import conv2d, output_size


def test_a_window_of_ones_sums_its_pixels():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    sums = conv2d(image, torch.ones(1, 1, 3, 3))
    assert sums.tolist() == [[[[45, 54], [81, 90]]]]


def test_channels_are_summed_and_each_kernel_makes_one():
    images = torch.stack([torch.ones(3, 3), 10 * torch.ones(3, 3)])[None]
    weight = torch.zeros(2, 2, 1, 1)
    weight[0] = 1
    found = conv2d(images, weight, bias=torch.tensor([0.5, 7.0]))
    assert found.shape == (1, 2, 3, 3)
    assert found[0, :, 1, 1].tolist() == [11.5, 7.0]


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ((28, 3), 26),
        ((28, 3, 1, 1), 28),
        ((28, 3, 2, 1), 14),
        ((5, 3, 1, 0, 2), 1),
        ((7, 2, 2), 3),
    ],
)
def test_the_size_after(settings, size):
    assert output_size(*settings) == size


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"reaches over 5 .* into 4 \(size=2, p"):
        output_size(2, 3, padding=1, dilation=2)
    with pytest.raises(ValueError, match="does not fit"):
        conv2d(torch.ones(1, 1, 2, 9), torch.ones(1, 1, 3, 3))


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="images have 3 channels, and the kernel 1"):
        conv2d(torch.ones(1, 3, 5, 5), torch.ones(1, 1, 3, 3))


def test_an_empty_batch_gives_an_empty_batch():
    images, weight = torch.ones(0, 2, 5, 5), torch.ones(3, 2, 3, 3)
    assert conv2d(images, weight).shape == F.conv2d(images, weight).shape
