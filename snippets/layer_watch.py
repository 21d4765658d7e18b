"""Looking into a model while it computes, by hooks: its layers, and its first NaN."""

# --8<-- [start:imports]
import contextlib
import re
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from snippets.table import Table

# --8<-- [end:imports]


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

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.requires_grad:
                seen.append((name, module, output))

        return hook

    leaves = [(n, m) for n, m in model.named_modules() if not list(m.children())]
    handles = [m.register_forward_hook(note(n)) for n, m in leaves]
    try:
        value = loss()
    finally:
        for handle in handles:
            handle.remove()
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


def layer_table(stats: list[LayerStats]) -> Table:
    """The numbers of all layers, in the order in which they computed."""
    rows = []
    for s in stats:
        numbers = f"{s.mean:.2f}", f"{s.std:.2f}", f"{100 * s.dead:.0f}"
        rows.append((s.name, s.kind, *numbers, f"{s.slope:.1e}"))
    return Table(("layer", "kind", "mean", "std", "dead, %", "slope"), rows)


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


@contextlib.contextmanager
def stop_at_nan(model: nn.Module) -> Iterator[None]:
    """Raise FloatingPointError at the first number that is NaN or infinite.

    Going forward, it names the module that returns it. Going back, it names the module
    at whose output a gradient arrives that is not finite. Costs a pass over every
    output, and on a GPU a wait at each module: for hunting, not for training.
    """

    def watch(path: str) -> Callable[..., None]:
        def forward(module: nn.Module, inputs: Any, output: Any) -> None:
            name = f"{path or 'the model'} ({type(module).__name__})"
            if bad := count_bad(output):
                before = count_bad(inputs)
                told = f"{before} were in its input" if before else "its input is fine"
                message = f"{name} returns {bad} that are not finite; {told}"
                raise FloatingPointError(message)
            for tensor in tensors_in(output):
                if tensor.requires_grad:
                    tensor.register_hook(lambda slope: backward(name, slope))

        return forward

    def backward(name: str, slope: Tensor) -> None:
        if bad := count_bad(slope):
            message = f"{bad} of the slopes that reach {name} are not finite"
            raise FloatingPointError(message)

    handles = [m.register_forward_hook(watch(n)) for n, m in model.named_modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


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


@contextlib.contextmanager
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
