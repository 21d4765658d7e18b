"""Checks of ids: what is named, and what does not wait for a device."""

import pytest
import torch

from snippets.token_ids import check_range, check_shape


@pytest.mark.parametrize(
    ("shape", "seen", "message"),
    [
        ((4,), 0, r"ids are \(4,\): they must be \(B, T\)"),
        ((1, 13), 0, r"13 tokens: there must be 1 … 12 \(context_length\)"),
        ((1, 3), 10, "13 tokens: there must be 1 … 12"),
        ((2, 0), 0, "0 tokens"),
        ((2, 0), 5, "5 tokens"),
    ],
)
def test_shapes_that_cannot_be(shape, seen, message):
    ids = torch.zeros(shape, dtype=torch.long, device="meta")  # no values to look at
    with pytest.raises(ValueError, match=message):
        check_shape(ids, 12, seen)


def test_what_fits_is_accepted():
    check_shape(torch.zeros(2, 12, dtype=torch.long), 12)
    check_shape(torch.zeros(2, 2, dtype=torch.long), 12, seen=10)
    check_range(torch.tensor([[0, 11]]), 12)
    check_range(torch.zeros(1, 0, dtype=torch.long), 12)


@pytest.mark.parametrize("ids", [[0, 12], [-1, 2]])
def test_values_that_cannot_be(ids):
    message = f"ids from {min(ids)} to {max(ids)}: they must lie in 0 … 11"
    with pytest.raises(ValueError, match=message):
        check_range(torch.tensor([ids]), 12)
