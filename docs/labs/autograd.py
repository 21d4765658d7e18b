# %% [markdown] minutes=50 task="pytorch-1-autograd-deeper"
# # Lab: autograd from scratch
#
# You write automatic differentiation in five tasks: what each operation hands back, in
# which order to go, the backward pass itself, a check by differences, and a step of
# training. After each task stands a check against PyTorch. Read [the
# chapter](../../pytorch/day-1/autograd/) first, or keep it open beside you.

# %%
import functools
import math
import random

import torch

# %% [markdown]
# ## What a number remembers
#
# A `Value` holds a number, and in `inputs` pairs: a Value that it was made of, and the
# derivative of this number with respect to that one. For \(a + b\) both derivatives
# are 1. For \(a \cdot b\), the derivative with respect to \(a\) is \(b\), and with
# respect to \(b\) it is \(a\). For \(\tanh a\) it is \(1 - \tanh^2 a\), and for
# \(a^n\) it is \(n a^{n-1}\).


# %%
class Value:
    """A number that remembers what it was made of."""

    def __init__(self, data, inputs=()):
        self.data = float(data)
        self.inputs = list(inputs)
        self.grad = 0.0

    def __add__(self, other):
        return add(self, other if isinstance(other, Value) else Value(other))

    def __mul__(self, other):
        return multiply(self, other if isinstance(other, Value) else Value(other))

    def __pow__(self, n):
        return power(self, n)

    def __sub__(self, other):
        return self + (-1.0 * other if not isinstance(other, Value) else other * -1.0)

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        """The hyperbolic tangent."""
        return hyperbolic_tangent(self)


def add(a: Value, b: Value) -> Value:
    """The sum; both inputs have derivative 1."""
    return Value(a.data + b.data, [(a, 1.0), (b, 1.0)])


# %%
def slopes_of(operation: str, a: float, b: float = 0.0) -> list[float]:
    """Derivatives: of `a × b` for a and for b, of `a ^ b` and of `tanh a` for a."""
    # Task 1: return a list of two for "×", and of one for "^" and for "tanh".
    ### BEGIN SOLUTION
    if operation == "×":
        return [b, a]
    if operation == "^":
        return [b * a ** (b - 1)]
    return [1 - math.tanh(a) ** 2]
    ### END SOLUTION


def multiply(a: Value, b: Value) -> Value:
    """The product."""
    inputs = zip((a, b), slopes_of("×", a.data, b.data), strict=True)
    return Value(a.data * b.data, inputs)


def power(a: Value, n: float) -> Value:
    """A power; the exponent is a plain number."""
    return Value(a.data**n, zip([a], slopes_of("^", a.data, n), strict=True))


def hyperbolic_tangent(a: Value) -> Value:
    """The hyperbolic tangent."""
    return Value(math.tanh(a.data), zip([a], slopes_of("tanh", a.data), strict=True))


# %% tags=["check-1"]
def torch_slopes(operation, *numbers: float) -> list[float]:
    """PyTorch's value and derivatives."""
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    result = operation(*leaves)
    result.backward()
    return [result.item(), *(leaf.grad.item() for leaf in leaves)]


def slopes(result: Value) -> list[float]:
    """The value, and the derivatives with respect to its inputs, in order."""
    return [result.data, *(slope for _, slope in result.inputs)]


def near(found: list[float], expected: list[float]) -> bool:
    """Whether two lists of numbers are equal but for rounding."""
    pairs = zip(found, expected, strict=True)
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in pairs)


for x, y in ((2.0, -3.0), (0.5, 0.25), (-1.5, 4.0)):
    found, expected = slopes(Value(x) * Value(y)), torch_slopes(torch.mul, x, y)
    assert near(found, expected), f"{x} · {y}: {found}, PyTorch {expected}"
    found, expected = slopes(Value(x).tanh()), torch_slopes(torch.tanh, x)
    assert near(found, expected), f"tanh({x}): {found}, PyTorch {expected}"
    for n in (2, 3, -1):
        expected = torch_slopes(lambda t, n=n: t**n, x)
        assert near(slopes(Value(x) ** n), expected), f"{x} to the {n}"
print("Task 1 is right.")

# %% [markdown]
# ## In which order?
#
# In the backward pass, a number may hand its gradient on only when it is complete: when
# all that use it have been visited. So go through the numbers in an order in which each
# stands after all that it is made of, backwards. Each number must be there once, also
# if it is used twice. Expressions may be thousands of steps deep: a function that calls
# itself for each step fails there.


# %%
def in_order(last: Value) -> list[Value]:
    """All numbers that `last` is made of, and itself, each after its own inputs."""
    # Task 2: return the list, without recursion.
    ### BEGIN SOLUTION
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
    ### END SOLUTION


# %% tags=["check-2"]
def check_order(last: Value, size: int) -> None:
    """Every number once, and after its inputs."""
    order = in_order(last)
    places = {id(value): place for place, value in enumerate(order)}
    assert len(order) == len(places), "a number is there twice"
    assert len(order) == size, f"{len(order)} numbers, not {size}"
    for value in order:
        for source, _ in value.inputs:
            assert places[id(source)] < places[id(value)], "before its own input"


a, b = Value(2.0), Value(3.0)
check_order(a, 1)
check_order(a * b + b, 4)
c = a * b
check_order((c + a) * c, 5)
deep = a
for _ in range(5000):
    deep = deep + a
check_order(deep, 5001)
print("Task 2 is right.")

# %% [markdown]
# ## The way back
#
# Now the backward pass. The gradient of the last number is 1. Each number hands its
# gradient on to its inputs, times the derivative; what arrives from several users adds
# up. At the end, the gradient of this call is *added* to `grad`, as in PyTorch.


# %%
def backward(last: Value) -> None:
    """Add to each number's `grad` the derivative of `last` with respect to it."""
    order = in_order(last)
    gradients = {id(value): 0.0 for value in order}
    # Task 3: fill `gradients` from the end to the start, then add them to `grad`.
    ### BEGIN SOLUTION
    gradients[id(last)] = 1.0
    for value in reversed(order):
        for source, slope in value.inputs:
            gradients[id(source)] += slope * gradients[id(value)]
    for value in order:
        value.grad += gradients[id(value)]
    ### END SOLUTION


# %% tags=["check-3"]
a = Value(3.0)
backward(a * a + a)
assert a.grad == 7, f"a² + a at 3: {a.grad}, not 7; do uses add up?"
backward(a * 2)
assert a.grad == 9, f"{a.grad}, not 9: gradients of two calls add up"
b = a * 2
a.grad = 0.0
backward(b)
backward(b)
assert a.grad == 4, f"{a.grad}, not 4: only this call's gradient is handed on"
exact = functools.partial(torch.tensor, dtype=torch.float64, requires_grad=True)
for seed in range(50):
    results = []
    for make in (Value, exact):
        draw = random.Random(seed)
        leaves = [make(draw.uniform(-1, 1)) for _ in range(3)]
        numbers = list(leaves)
        for _ in range(12):
            x, y = draw.choice(numbers), draw.choice(numbers)
            made = (x + y, x * y, x.tanh(), x**2 * 0.5, x - y)[draw.randrange(5)]
            numbers.append(made)
        total = sum(numbers[1:], numbers[0])
        backward(total) if make is Value else total.backward()
        results.append([float(leaf.grad) for leaf in leaves])
    assert near(*results), f"seed {seed}: {results[0]}, PyTorch {results[1]}"
print("Task 3 is right: fifty random expressions agree with PyTorch.")

# %% [markdown]
# ## Check by differences
#
# A gradient can be checked without any autograd: move one input by \(h\) to both sides,
# and divide the change of the result by \(2h\).


# %%
def by_differences(function, numbers: list[float], h: float = 1e-5) -> list[float]:
    """The derivatives of `function(*numbers)`, one for each, by central differences."""
    # Task 4: for each number, (f(… x + h …) - f(… x - h …)) / 2h; change one at a time.
    ### BEGIN SOLUTION
    found = []
    for place, number in enumerate(numbers):
        above, below = list(numbers), list(numbers)
        above[place], below[place] = number + h, number - h
        found.append((function(*above) - function(*below)) / (2 * h))
    return found
    ### END SOLUTION


# %% tags=["check-4"]
numbers = [0.5, -1.5, 2.0]
found = by_differences(lambda x, y, z: x * y + math.tanh(z) * x, numbers)
leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
(leaves[0] * leaves[1] + leaves[2].tanh() * leaves[0]).backward()
expected = [leaf.grad.item() for leaf in leaves]
assert len(found) == 3, "one derivative for each number"
assert all(abs(x - y) < 1e-8 for x, y in zip(found, expected, strict=True)), (
    found,
    expected,
)
assert numbers == [0.5, -1.5, 2.0], "the numbers themselves were changed"
one_sided = by_differences(lambda x: x**3, [2.0], h=0.1)
assert abs(one_sided[0] - 12.01) < 1e-9, "to both sides: x³ at 2 gives 12 + h²"
print("Task 4 is right.")

# %% [markdown]
# ## A step of training
#
# With gradients, weights can go downhill: each minus the rate times its gradient.
# Before the backward pass, the old gradients must go.


# %%
def step(loss, weights: list[Value], rate: float) -> float:
    """One step: `loss()` gives the loss as a Value. Returns its number."""
    # Task 5: reset the gradients, go backward, change the weights' data.
    ### BEGIN SOLUTION
    current = loss()
    for weight in weights:
        weight.grad = 0.0
    backward(current)
    for weight in weights:
        weight.data -= rate * weight.grad
    return current.data
    ### END SOLUTION


# %% tags=["check-5"]
POINTS = [(-1.0, -0.9), (-0.5, -0.4), (0.0, 0.2), (0.5, 0.6), (1.0, 0.9)]


def model_loss(w, b):
    """Mean squared distance of tanh(wx + b) from the points."""
    total = 0.0
    for x, y in POINTS:
        total = total + ((w * x + b).tanh() - y) ** 2
    return total * 0.2


w, b = Value(0.1), Value(-0.3)
tw, tb = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.1, -0.3))
optimizer = torch.optim.SGD([tw, tb], lr=0.5)
for number in range(60):
    rate = optimizer.param_groups[0]["lr"] = 0.5 if number % 2 else 0.3
    mine = step(lambda: model_loss(w, b), [w, b], rate)
    theirs = model_loss(tw, tb)
    optimizer.zero_grad()
    theirs.backward()
    optimizer.step()
    assert near([mine, w.data, b.data], [theirs.item(), tw.item(), tb.item()]), (
        f"step {number}: loss {mine:.6f}, PyTorch {theirs.item():.6f}"
    )
print(f"Task 5 is right: sixty steps as PyTorch's, loss {mine:.4f}.")

# %% [markdown]
# All that PyTorch adds to this are tensors in place of numbers, more operations, and
# speed.
