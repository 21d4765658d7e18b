"""Where tensors live: pick a device, find what was left behind, count bytes."""

# --8<-- [start:imports]
import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# --8<-- [end:imports]


# --8<-- [start:pick]
def device_names() -> list[str]:
    """The devices of this machine: `cpu`, then each accelerator, as `cuda:0`."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return ["cpu"]
    count = torch.accelerator.device_count()
    return ["cpu", *(f"{accelerator.type}:{index}" for index in range(count))]


def pick_device(wanted: str = "auto") -> torch.device:
    """The device that is wanted; `auto`: the machine's accelerator, or else the CPU.

    Raises ValueError for what is not the name of a device, and for a device that this
    machine does not have.
    """
    if wanted == "auto":
        accelerator = torch.accelerator.current_accelerator(check_available=True)
        return accelerator or torch.device("cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ValueError(
            f"{wanted!r} is not a device: write cpu, cuda, cuda:1, mps or xpu"
        ) from error
    there = device_names()
    full = f"{device.type}:{device.index or 0}"
    if device.type not in ("cpu", "meta") and full not in there:
        raise ValueError(f"no {wanted} here: there is {', '.join(there)}")
    return device


# --8<-- [end:pick]


# --8<-- [start:bfloat16]
def bfloat16_is_fast(device: torch.device) -> bool:
    """Whether the hardware has units for products of bfloat16: a GPU's, or AMX.

    Without such units PyTorch still computes in it, many times slower than in float32.
    Says no to the bfloat16 instructions of AVX-512 too, though these are faster.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(torch.cpu.get_capabilities().get("amx_tile"))
    return False


# --8<-- [end:bfloat16]


# --8<-- [start:one-device]
INDEXING = ("__getitem__", "__setitem__", "index_put", "index_put_")
COPYING = ("copy_", "to", "type_as", "new_tensor")
SHAPED_LIKE = ("view_as", "expand_as", "reshape_as")


class OneDevice(TorchFunctionMode):
    """Within it, a function of PyTorch on tensors of two devices raises RuntimeError.

    As on a GPU, numbers (tensors without axes) on the CPU may take part, a tensor may
    be copied into one of another device, and indices may be on the CPU; what they index
    may not. It watches each function and method of PyTorch that is called in
    Python, on all devices.
    """

    def __torch_function__(
        self,
        function: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name, given = function.__name__, [*args, kwargs or {}]
        if name in INDEXING:  # PyTorch itself moves indices from the CPU
            index = tensors_of(args[1])
            given[1] = [x for x in index if x.device.type != "cpu"]
            if name == "__setitem__" and not index:
                name = "copy_"  # into a part that slices and numbers name
        found = {str(tensor.device) for tensor in tensors_of(given)}
        if len(found) > 1 and name not in COPYING + SHAPED_LIKE:
            raise RuntimeError(f"{name} has tensors on {' and '.join(sorted(found))}")
        return function(*args, **(kwargs or {}))


def tensors_of(found: object) -> list[Tensor]:
    """The tensors in nested arguments, without the numbers on the CPU."""
    if isinstance(found, Tensor):
        return [] if found.dim() == 0 and found.device.type == "cpu" else [found]
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, (list, tuple)):
        return [tensor for part in found for tensor in tensors_of(part)]
    return []


def check_one_device(module: nn.Module, *inputs: Tensor) -> None:
    """Run a copy of a module on `meta`: does all that it uses move with it?

    Nothing is computed, and the module and its inputs stay as they are. Raises
    RuntimeError at the first operation on tensors of two devices. A module that reads
    a number back (`.item()`, a mask as an index) cannot run on `meta` at all.
    """
    with torch.no_grad():
        moved = copy.deepcopy(module).to("meta")
        with OneDevice():
            moved(*(tensor.to("meta") for tensor in inputs))


# --8<-- [end:one-device]


# --8<-- [start:memory]
@dataclass(frozen=True)
class TrainingMemory:
    """Bytes held between two training steps; activations come on top."""

    parameters: int
    buffers: int
    gradients: int
    optimizer: int

    @property
    def total(self) -> int:
        """All of them together."""
        return self.parameters + self.buffers + self.gradients + self.optimizer


def training_memory(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> TrainingMemory:
    """Count what is there now: gradients and optimizer state exist after a step."""
    parameters = list(model.parameters())
    gradients = [p.grad for p in parameters if p.grad is not None]
    states = [value for state in optimizer.state.values() for value in state.values()]
    return TrainingMemory(
        sum(p.nbytes for p in parameters),
        sum(buffer.nbytes for buffer in model.buffers()),
        sum(gradient.nbytes for gradient in gradients),
        sum(value.nbytes for value in states if isinstance(value, Tensor)),
    )


def activation_bytes(forward: Callable[[], Tensor], model: nn.Module) -> int:
    """Bytes that autograd keeps of a forward pass, without the model's own tensors."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    own |= {b.untyped_storage().data_ptr() for b in model.buffers()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = forward()  # alive until all is counted: freed memory is used again
    del result
    return sum(size for place, size in kept.items() if place not in own)


# --8<-- [end:memory]
