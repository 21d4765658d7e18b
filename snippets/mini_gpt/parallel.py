"""One program on one process or many: `torchrun` starts them, this file joins them.

Data-parallel training: each process has the model, or with FSDP a part of it, and takes
its rows of each batch. Gradients are averaged, so all do the same step.
"""

# --8<-- [start:imports]
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from snippets.devices import pick_device

# --8<-- [end:imports]


# --8<-- [start:processes]
@dataclass(frozen=True)
class Processes:
    """Which of how many processes this one is, and its device."""

    rank: int
    world: int
    device: torch.device
    # Groups that were left. DDP keeps its group too; were it the last to let go of it,
    # it would hold Python's lock while the group's threads end, which may need it.
    left: ClassVar[list[Any]] = []

    @property
    def first(self) -> bool:
        """Whether this is the process that prints and writes."""
        return self.rank == 0


class PeerError(Exception):
    """Another process failed, which says why itself."""


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Join the processes that `torchrun` started, or be the only one.

    Raises ValueError for a device that cannot be used, PeerError if another is lost.
    """
    chosen = pick_device(device)
    if "RANK" not in os.environ:
        yield Processes(0, 1, chosen)
        return
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if chosen.type == "cuda":  # a GPU for each process of this machine
        chosen = pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
    elif chosen.type != "cpu":  # no library for processes to talk from it
        if device != "auto":
            raise ValueError(f"{chosen.type} is for one process: take --device cpu")
        chosen = torch.device("cpu")
    on_gpu = chosen.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(chosen)
    dist.init_process_group(
        "nccl" if on_gpu else "gloo", device_id=chosen if on_gpu else None
    )
    try:
        yield Processes(rank, world, chosen)
        dist.barrier()  # without it, one that ends early takes the others down
    except RuntimeError as error:
        if is_lost_connection(error):
            raise PeerError(f"process {rank} lost another one ({error})") from error
        raise
    finally:
        Processes.left.append(dist.group.WORLD)
        dist.destroy_process_group()


def is_lost_connection(error: RuntimeError) -> bool:
    """Whether an error is of talking to other processes."""
    told = str(error).lower()
    return isinstance(error, dist.DistError) or "gloo" in told or "connection" in told


def rank0_first(make: Callable[[], Any], processes: Processes) -> Any:
    """What `make` gives in this process, after the first one has called it.

    If it fails in one process, all raise: that one its error, the others PeerError. So
    nobody waits for a process that is gone. `make` must not talk to other processes.
    """
    found = None
    for turn in (True, False):
        error = None
        if processes.first == turn:
            try:
                found = make()
            except Exception as caught:  # raised below, when all know of it
                error = caught
        failed = any(all_gather(error is not None, processes))
        if error is not None:
            raise error
        if failed:
            raise PeerError(f"process {processes.rank} stops, since another one failed")
    return found


# --8<-- [end:processes]


# --8<-- [start:wrap]
def shard(model: nn.Module, blocks: Iterable[nn.Module]) -> None:
    """FSDP2: each process keeps its part of every block, and gathers it when needed.

    Raises ValueError where no processes were joined.
    """
    if not dist.is_initialized():
        raise ValueError("--fsdp needs processes: start the program with torchrun")
    # logits are a view; nothing changes them in place
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view")
    for block in blocks:
        fully_shard(block)
    fully_shard(model)


def data_parallel(module: nn.Module, processes: Processes, sharded: bool) -> nn.Module:
    """The module to call: one whose backward pass averages gradients."""
    if processes.world == 1 or sharded:
        return module
    on_gpu = processes.device.type == "cuda"
    return DistributedDataParallel(module, [processes.device] if on_gpu else None)


@contextmanager
def gradients_averaged(
    module: nn.Module, model: nn.Module, last: bool
) -> Iterator[None]:
    """Talk to the others only after the `last` micro-batch of a step."""
    if isinstance(module, DistributedDataParallel) and not last:
        with module.no_sync():
            yield
        return
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(last)
    yield


def all_reduce_sum(value: Tensor, processes: Processes) -> Tensor:
    """The sum of a tensor over all processes."""
    if processes.world > 1:
        value = value.to(processes.device, copy=True)
        dist.all_reduce(value)
    return value


def to_local(value: Tensor) -> Tensor:
    """What this process has of a tensor that may be shared out."""
    return value.to_local() if isinstance(value, DTensor) else value


def all_gather(value: Any, processes: Processes) -> list[Any]:
    """What each process has, in order of rank."""
    if processes.world == 1:
        return [value]
    found: list[Any] = [None] * processes.world
    dist.all_gather_object(found, value)
    return found


# --8<-- [end:wrap]


# --8<-- [start:state]
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def whole_state(model: nn.Module, optimizers: list[Optimizer]) -> dict[str, Any]:
    """Weights and optimizer state by name, as if there were one process.

    On the CPU, gathered from all processes; so a checkpoint of one kind of run can be
    loaded into another. All processes must call this.
    """
    return {
        "model": get_model_state_dict(model, options=WHOLE),
        "optimizers": get_optimizer_state_dict(model, optimizers, options=WHOLE),
    }


def load_whole_state(
    model: nn.Module, optimizers: list[Optimizer], state: dict[str, Any]
) -> None:
    """The reverse: every process takes its part."""
    options = StateDictOptions(full_state_dict=True)
    set_model_state_dict(model, state["model"], options=options)
    set_optimizer_state_dict(model, optimizers, state["optimizers"], options=options)


# --8<-- [end:state]
