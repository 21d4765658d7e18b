"""Strides and broadcasting by hand: bad input, and small cases worked out on paper."""

import pytest

from snippets.broadcasting import (
    broadcast_shape,
    broadcast_strides,
    contiguous_strides,
    even_runs,
    place_of,
    view_strides,
)


def test_contiguous_strides_step_over_what_lies_to_the_right():
    assert contiguous_strides((2, 3, 4)) == (12, 4, 1)
    assert contiguous_strides(()) == ()


def test_place_counts_from_the_offset():
    assert place_of((1, 2), strides=(4, 1), offset=3) == 9
    assert place_of((), strides=(), offset=3) == 3


def test_place_wants_an_index_for_each_axis():
    with pytest.raises(ValueError, match="1 indices for 2 axes"):
        place_of((1,), strides=(4, 1))


@pytest.mark.parametrize(
    ("shape", "strides", "runs"),
    [
        ((3, 4), (4, 1), [(12, 1)]),
        ((4, 3), (1, 4), [(4, 1), (3, 4)]),  # transposed
        ((3, 2), (4, 2), [(6, 2)]),  # every second column of four
        ((3, 3), (4, 1), [(3, 4), (3, 1)]),  # three columns of four
        ((2, 3, 4), (0, 4, 1), [(2, 0), (12, 1)]),  # stretched
        ((1, 5, 1), (7, 1, 9), [(5, 1)]),  # axes of length 1 are never stepped along
    ],
)
def test_runs_join_axes_that_are_read_in_even_steps(shape, strides, runs):
    assert even_runs(shape, strides) == runs


def test_a_view_needs_axes_within_runs():
    assert view_strides((3, 4), (4, 1), (2, 6)) == (6, 1)
    assert view_strides((4, 3), (1, 4), (2, 2, 3)) == (2, 1, 4)
    assert view_strides((4, 3), (1, 4), (12,)) is None
    assert view_strides((4, 3), (1, 4), (3, 4)) is None


@pytest.mark.parametrize("new", [(7,), (3, 5), ()])
def test_a_view_must_hold_as_many_numbers(new):
    with pytest.raises(ValueError, match=r"\(3, 4\) and .* hold different numbers"):
        view_strides((3, 4), (4, 1), new)


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"axis -2 has the sizes \[3, 4\]"):
        broadcast_shape((2, 3, 1), (4, 5))


def test_broadcasting_many_shapes():
    assert broadcast_shape((5, 1), (4,), (2, 1, 1)) == (2, 5, 4)
    assert broadcast_shape() == ()
    assert broadcast_shape((0,), (1,)) == (0,)


def test_only_axes_of_length_one_are_stretched():
    assert broadcast_strides((3, 1), (1, 1), (2, 3, 4)) == (0, 1, 0)
    with pytest.raises(ValueError, match=r"\(3, 2\) cannot be stretched to \(3, 1\)"):
        broadcast_strides((3, 2), (2, 1), (3, 1))
