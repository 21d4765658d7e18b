"""Reverse-mode automatic differentiation in a hundred lines.

Each number remembers which numbers it was made of, and its derivative with respect to
each of them. `backward` goes through this graph from the end to the start and
multiplies (Baydin et al. 2018, *Automatic Differentiation in Machine Learning*, section
3.2).
"""

# --8<-- [start:value]
import math
from collections.abc import Iterable

Number = float | int


class Value:
    """A number, where it came from, and after `backward` its gradient.

    `inputs` holds pairs: a Value that this one was made of, and the derivative of this
    one with respect to it. What Python's own arithmetic refuses raises here as well:
    the logarithm of -1, one divided by zero, the exponential of 1000.
    """

    def __init__(
        self,
        data: Number,
        inputs: Iterable[tuple["Value", float]] = (),
        operation: str = "",
    ) -> None:
        self.data = float(data)
        self.inputs = tuple(inputs)
        self.operation = operation
        self.grad = 0.0

    def __repr__(self) -> str:
        return f"Value({self.data:.4g}, grad={self.grad:.4g})"

    def __add__(self, other: "Value | Number") -> "Value":
        other = as_value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)], "+")

    def __mul__(self, other: "Value | Number") -> "Value":
        other = as_value(other)
        inputs = [(self, other.data), (other, self.data)]
        return Value(self.data * other.data, inputs, "×")

    def __pow__(self, exponent: Number) -> "Value":
        if not isinstance(exponent, int | float):
            raise TypeError(f"an exponent is a number here, not {exponent!r}")
        slope = exponent * self.data ** (exponent - 1) if exponent else 0.0
        return Value(self.data**exponent, [(self, slope)], f"^{exponent}")

    def exp(self) -> "Value":
        """The exponential function."""
        result = math.exp(self.data)
        return Value(result, [(self, result)], "exp")

    def log(self) -> "Value":
        """The natural logarithm."""
        return Value(math.log(self.data), [(self, 1 / self.data)], "log")

    def tanh(self) -> "Value":
        """The hyperbolic tangent."""
        result = math.tanh(self.data)
        return Value(result, [(self, 1 - result**2)], "tanh")

    def relu(self) -> "Value":
        """The number itself if it is positive, else 0; at 0 the derivative is 0."""
        return Value(max(self.data, 0.0), [(self, float(self.data > 0))], "relu")

    def __neg__(self) -> "Value":
        return self * -1

    def __sub__(self, other: "Value | Number") -> "Value":
        return self + -as_value(other)

    def __truediv__(self, other: "Value | Number") -> "Value":
        return self * as_value(other) ** -1

    def __radd__(self, other: Number) -> "Value":
        return self + other

    def __rmul__(self, other: Number) -> "Value":
        return self * other

    def __rsub__(self, other: Number) -> "Value":
        return -self + other

    def __rtruediv__(self, other: Number) -> "Value":
        return self**-1 * other

    def backward(self) -> None:
        """Add to each earlier number's `grad` the derivative with respect to it."""
        gradients = {id(self): 1.0}
        for value in reversed(in_order(self)):
            gradient = gradients[id(value)]
            value.grad += gradient
            for source, slope in value.inputs:
                earlier = gradients.get(id(source), 0.0)
                gradients[id(source)] = earlier + slope * gradient


# --8<-- [end:value]


# --8<-- [start:order]
def in_order(last: Value) -> list[Value]:
    """All that `last` is made of, each after what it is made of itself.

    A loop with a list of its own, since Python limits how deep functions may call.
    """
    order, seen, waiting = [], set(), [(last, False)]
    while waiting:
        value, ready = waiting.pop()
        if ready:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            waiting.append((value, True))
            waiting += [(source, False) for source, _ in value.inputs]
    return order


def as_value(number: Value | Number) -> Value:
    """A Value as it is; a plain number as one without inputs."""
    if isinstance(number, Value):
        return number
    if isinstance(number, int | float):
        return Value(number)
    raise TypeError(f"{number!r} is neither a Value nor a number")


# --8<-- [end:order]
