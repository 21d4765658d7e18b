"""Hooks: look into a model while it runs, without a change of its code.

What its layers return, which gradients reach them, where the first NaN appears, and
what autograd keeps. Everything that this file attaches is removed again, also when an
error is raised.
"""

# --8<-- [start:imports]
import re
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from snippets.table import Table

# --8<-- [start:types]
Hook = Callable[..., Any]
Inputs = tuple[Any, ...]
# --8<-- [end:types]
# --8<-- [end:imports]


# --8<-- [start:by-hand]
class Handle:
    """Removes the hook that it was given for; a second time it does nothing."""

    def __init__(self, hooks: dict[int, Hook], number: int) -> None:
        self.hooks, self.number = hooks, number

    def remove(self) -> None:
        """Take the hook out again."""
        self.hooks.pop(self.number, None)


class Hookable:
    """What a call of `nn.Module` does around `forward`."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.forward = forward
        self.pre_hooks: dict[int, Hook] = {}
        self.hooks: dict[int, Hook] = {}
        self.made = 0  # hooks so far: each gets a number of its own

    def register_forward_pre_hook(self, hook: Hook) -> Handle:
        """`hook(module, inputs)` before; what it returns replaces the inputs."""
        return self.attach(self.pre_hooks, hook)

    def register_forward_hook(self, hook: Hook) -> Handle:
        """`hook(module, inputs, output)` after; what it returns is the output."""
        return self.attach(self.hooks, hook)

    def attach(self, hooks: dict[int, Hook], hook: Hook) -> Handle:
        """Keep a hook, in the order of arrival."""
        self.made += 1
        hooks[self.made] = hook
        return Handle(hooks, self.made)

    def __call__(self, *inputs: Any) -> Any:
        """Hooks, `forward`, hooks; one that returns None changes nothing."""
        for hook in list(self.pre_hooks.values()):
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs)
        for hook in list(self.hooks.values()):
            changed = hook(self, inputs, output)
            if changed is not None:
                output = changed
        return output


# --8<-- [end:by-hand]


# --8<-- [start:helpers]
def shape_of(x: Any) -> str:
    """The shape of a tensor; the type of anything else."""
    return str(tuple(x.shape)) if isinstance(x, Tensor) else type(x).__name__


def second_moment(x: Tensor) -> float:
    """The mean of the squares of all numbers; the variance, if their mean is zero."""
    return x.detach().double().square().mean().item()


# --8<-- [end:helpers]


# --8<-- [start:attached]
@contextmanager
def attached(modules: Iterable[nn.Module], hook: Hook) -> Iterator[None]:
    """A forward hook on each of the modules, for as long as the block runs."""
    with ExitStack() as stack:
        for module in modules:
            stack.callback(module.register_forward_hook(hook).remove)
        yield


# --8<-- [end:attached]


# --8<-- [start:by-name]
def modules_by_name(model: nn.Module, names: Iterable[str]) -> dict[str, nn.Module]:
    """The modules of these names. Raises ValueError for a name that is not there."""
    every = dict(model.named_modules())
    for name in names:
        if name not in every:
            have = ", ".join(filter(None, every)) or "none"
            raise ValueError(f"no module {name!r}: there are {have}")
    return {name: every[name] for name in names}


# --8<-- [end:by-name]


# --8<-- [start:recording]
@dataclass
class Record:
    """What was measured, by the name of the module, one number for each call."""

    outputs: dict[str, list[float]] = field(default_factory=dict)
    gradients: dict[str, list[float]] = field(default_factory=dict)


@contextmanager
def recording(
    model: nn.Module,
    names: Iterable[str],
    measure: Callable[[Tensor], float] = second_moment,
) -> Iterator[Record]:
    """Measure what the named modules return, and the gradients that reach it.

    Keeps numbers, no tensors. Raises ValueError for a name that is not there, and
    TypeError for a module that returns anything but one tensor.
    """
    record = Record()

    def hook_for(name: str) -> Hook:
        outputs = record.outputs.setdefault(name, [])
        gradients = record.gradients.setdefault(name, [])

        def note(module: nn.Module, inputs: Inputs, output: Any) -> None:
            if not isinstance(output, Tensor):
                kind = type(output).__name__
                raise TypeError(f"{name!r} returns a {kind}: expected one tensor")
            outputs.append(measure(output))
            if output.requires_grad:
                output.register_hook(lambda grad: gradients.append(measure(grad)))

        return note

    with ExitStack() as stack:
        for name, module in modules_by_name(model, list(names)).items():
            stack.enter_context(attached([module], hook_for(name)))
        yield record


# --8<-- [end:recording]


# --8<-- [start:naming]
@contextmanager
def naming_layers(model: nn.Module) -> Iterator[None]:
    """Let errors inside of `forward` say which layer raised, and what it was given.

    The error stays what it is; the name of the layer and the shapes become a note of
    it, which Python prints below its message.
    """
    running: list[tuple[nn.Module, str]] = []  # from the outermost call inwards
    with ExitStack() as stack:
        for name, module in model.named_modules():

            def enter(module: nn.Module, inputs: Inputs, name: str = name) -> None:
                what = f"{name or 'the model'}, a {type(module).__name__}"
                shapes = ", ".join(map(shape_of, inputs)) or "nothing"
                running.append((module, f"{what}, got {shapes}"))

            def leave(module: nn.Module, inputs: Inputs, output: Any) -> None:
                while running.pop()[0] is not module:
                    pass  # calls inside whose error was caught

            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        try:
            yield
        except Exception as error:
            if running:
                error.add_note(f"in {running[-1][1]}")
            raise


# --8<-- [end:naming]


# --8<-- [start:left]
HOOK_LISTS = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
)


def hooks_left(model: nn.Module) -> dict[str, int]:
    """How many hooks hang on each module, by its name; modules without are left out.

    PyTorch has no public list of them: this reads the private ones.
    """
    counts = {
        name or "the model": sum(len(getattr(module, kind)) for kind in HOOK_LISTS)
        for name, module in model.named_modules()
    }
    return {name: count for name, count in counts.items() if count}


# --8<-- [end:left]


# --8<-- [start:stats]
class LayerStats(NamedTuple):
    """What came out of one layer, and what the loss thinks of it."""

    name: str
    kind: str
    mean: float
    std: float
    dead: float  # part of its units that are 0 for every example
    slope: float  # root mean square of the loss's gradient by the output


def layer_stats(model: nn.Module, loss: Callable[[], Tensor]) -> list[LayerStats]:
    """Numbers of each module without children, for one computation of `loss()`.

    `loss` must call the model once. Leaves every `.grad` as it was, and no hooks.
    Modules whose output is not a tensor are left out. Raises ValueError if no layer
    was called.
    """
    seen: list[tuple[str, nn.Module, Tensor]] = []

    names = {module: name for name, module in model.named_modules()}

    def note(module: nn.Module, inputs: Inputs, output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            seen.append((names[module], module, output))

    with attached([m for m in names if not list(m.children())], note):
        value = loss()
    if not seen:
        raise ValueError("no layer computed: call model(x), and not model.forward(x)")
    outputs = [output for _, _, output in seen]
    slopes = torch.autograd.grad(value, outputs, allow_unused=True)
    return [stats_of(*s, g) for s, g in zip(seen, slopes, strict=True)]


def stats_of(
    name: str, module: nn.Module, output: Tensor, slope: Tensor | None
) -> LayerStats:
    """The numbers of one layer; a slope that is not there counts as 0."""
    values = output.detach().double()
    dead = (values == 0).all(dim=0).double().mean().item()
    steepness = 0.0 if slope is None else slope.double().square().mean().sqrt().item()
    mean, std = values.mean().item(), values.std(correction=0).item()
    return LayerStats(name, type(module).__name__, mean, std, dead, steepness)


def stats_table(stats: list[LayerStats]) -> Table:
    """The numbers of all layers, in the order in which they computed."""
    rows = []
    for s in stats:
        numbers = f"{s.mean:.2f}", f"{s.std:.2f}", f"{100 * s.dead:.0f}"
        rows.append((s.name, s.kind, *numbers, f"{s.slope:.1e}"))
    return Table(("layer", "kind", "mean", "std", "dead, %", "gradient"), rows)


# --8<-- [end:stats]


# --8<-- [start:nan]
def tensors_in(value: Any) -> Iterator[Tensor]:
    """The floating tensors in what a module takes or returns, nested or not."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def count_bad(value: Any) -> int:
    """How many numbers in it are NaN or infinite."""
    return sum(int((~tensor.isfinite()).sum()) for tensor in tensors_in(value))


@contextmanager
def stop_at_nan(model: nn.Module) -> Iterator[None]:
    """Raise FloatingPointError at the first number that is NaN or infinite.

    Going forward, it names the module that returns it. Going back, it names the module
    at whose output a gradient arrives that is not finite. Costs a pass over every
    output, and on a GPU a wait at each module: for hunting, not for training.
    """

    names = {module: name for name, module in model.named_modules()}

    def forward(module: nn.Module, inputs: Inputs, output: Any) -> None:
        name = f"{names[module] or 'the model'} ({type(module).__name__})"
        if bad := count_bad(output):
            before = count_bad(inputs)
            told = f"{before} were in its input" if before else "its input is fine"
            message = f"{name} returns {bad} that are not finite; {told}"
            raise FloatingPointError(message)
        for tensor in tensors_in(output):
            if tensor.requires_grad:
                tensor.register_hook(lambda slope: backward(name, slope))

    def backward(name: str, slope: Tensor) -> None:
        if bad := count_bad(slope):
            message = f"{bad} of the gradients that reach {name} are not finite"
            raise FloatingPointError(message)

    with attached(names, forward):
        yield


# --8<-- [end:nan]


# --8<-- [start:backward-error]
def backward_error(run: Callable[[], object]) -> str:
    """Why the backward pass of `run()` fails, and the line that made the operation.

    `run` must do both passes: it is called under anomaly detection, which raises at the
    first NaN of a backward pass too. Returns "" if nothing fails. Slow: for hunting.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            with torch.autograd.detect_anomaly():
                run()
        except RuntimeError as error:
            reason = str(error).split(": ")[0].rstrip(".")
        else:
            return ""
    traces = [str(w.message) for w in told if "Traceback of forward" in str(w.message)]
    lines = re.findall(r'File ".*", line \d+, in (.+)\n    (\S.*)', "\n".join(traces))
    where = "; made in {}: {}".format(*lines[-1]) if lines else ""
    return f"{reason}{where}"


# --8<-- [end:backward-error]


# --8<-- [start:kept]
class Kept:
    """A tensor that autograd keeps for a backward pass."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()  # else it would hold the graph that holds it


@contextmanager
def kept_for_backward() -> Iterator[Callable[[], int]]:
    """Gives a function that tells how many bytes autograd is keeping.

    Counted is what the graphs made inside of `with` need for their backward pass, as
    long as anything holds them: inputs, weights and what was computed on the way, each
    once. Not for gradients of gradients.
    """
    alive: weakref.WeakSet[Kept] = weakref.WeakSet()

    def pack(tensor: Tensor) -> Kept:
        kept = Kept(tensor)
        alive.add(kept)
        return kept

    def size() -> int:
        tensors = [kept.tensor for kept in alive]
        sizes = {t.data_ptr(): t.numel() * t.element_size() for t in tensors}
        return sum(sizes.values())

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
        yield size


# --8<-- [end:kept]
