"""The digits: their form, and a split that cuts the file in order."""

import torch

from snippets.digits import digits, split_digits


def test_images_are_ink_from_0_to_1():
    images, labels = digits()
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == torch.float32
    assert images.min() == 0
    assert images.max() == 1
    assert labels.dtype == torch.int64
    assert labels.unique().tolist() == list(range(10))


def test_split_cuts_the_file_in_order_and_loses_nothing():
    parts = split_digits()
    assert [len(part.labels) for part in parts] == [1197, 300, 300]
    images, labels = digits()
    assert torch.equal(torch.cat([part.images for part in parts]), images)
    assert torch.equal(torch.cat([part.labels for part in parts]), labels)
