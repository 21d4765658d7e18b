"""The tiny autograd: gradients that add up, deep graphs, errors."""

import math

import pytest

from snippets.tiny_autograd import Value, in_order


def test_a_number_used_twice_gets_both_gradients():
    a = Value(3)
    (a * a + a).backward()
    assert a.grad == 2 * 3 + 1


def test_a_diamond_is_walked_once():
    a = Value(2)
    b = a * 3
    c = b * b + b  # b has two users
    order = in_order(c)
    assert len(order) == len({id(value) for value in order})
    c.backward()
    assert a.grad == 3 * (2 * 6 + 1)


def test_gradients_accumulate_over_calls():
    a = Value(5)
    b = a * 2
    b.backward()
    b.backward()
    assert a.grad == 4  # not 6: what flows on is of this call only


def test_a_deep_graph_needs_no_deep_recursion():
    a = x = Value(1.0)
    for _ in range(20_000):
        x = x + 1
    x.backward()
    assert a.grad == 1


@pytest.mark.parametrize("exponent", [-2, -1, 0, 0.5, 1, 2, 3])
def test_powers_by_difference(exponent):
    a = Value(1.7)
    (a**exponent).backward()
    h = 1e-6
    by_difference = ((1.7 + h) ** exponent - (1.7 - h) ** exponent) / (2 * h)
    assert a.grad == pytest.approx(by_difference, abs=1e-8)


def test_numbers_on_the_left():
    for result, grad in (
        (lambda a: 3 + a, 1),
        (lambda a: 3 - a, -1),
        (lambda a: 3 * a, 3),
        (lambda a: 3 / a, -3 / 4),
    ):
        a = Value(2)
        result(a).backward()
        assert a.grad == pytest.approx(grad)


def test_relu_at_zero_has_slope_zero_as_in_pytorch():
    a = Value(0.0)
    a.relu().backward()
    assert a.grad == 0


def test_zero_to_the_zero():
    a = Value(0.0)
    (a**0).backward()
    assert a.grad == 0


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (lambda: Value(-1).log(), ValueError),
        (lambda: Value(1) / Value(0), ZeroDivisionError),
        (lambda: Value(1000).exp(), OverflowError),
        (lambda: Value(1) + "1", TypeError),
        (lambda: Value(2) ** Value(3), TypeError),
    ],
)
def test_what_is_no_number_raises(operation, error):
    with pytest.raises(error):
        operation()


def test_sum_and_repr():
    total = sum([Value(1), Value(2)])
    total.backward()
    assert total.data == 3
    assert repr(total) == "Value(3, grad=1)"
    assert math.isclose((Value(2).log().exp()).data, 2)
