"""`snippets/devices.py`: the choice of a device, forgotten tensors, times, bytes."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from snippets.devices import (
    OneDevice,
    activation_bytes,
    check_one_device,
    device_names,
    pick_device,
    training_memory,
)


@pytest.fixture
def no_accelerator(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: None)


@pytest.fixture
def two_gpus(monkeypatch):
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: cuda)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)


def test_without_an_accelerator_it_is_the_cpu(no_accelerator):
    assert device_names() == ["cpu"]
    assert pick_device() == torch.device("cpu")
    assert pick_device("meta") == torch.device("meta")


def test_an_accelerator_comes_first(two_gpus):
    assert device_names() == ["cpu", "cuda:0", "cuda:1"]
    assert pick_device() == pick_device("auto") == torch.device("cuda")
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    assert pick_device("cpu") == torch.device("cpu")


def test_a_built_but_absent_accelerator_is_not_taken(monkeypatch):
    def current_accelerator(check_available=False):
        return None if check_available else torch.device("cuda")

    monkeypatch.setattr(torch.accelerator, "current_accelerator", current_accelerator)
    assert pick_device() == torch.device("cpu")
    assert device_names() == ["cpu"]


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "mps", "xpu"])
def test_a_device_that_is_not_there(no_accelerator, wanted):
    with pytest.raises(ValueError, match=f"no {wanted} here: there is cpu$"):
        pick_device(wanted)


@pytest.mark.parametrize("wanted", ["cuda:2", "mps"])
def test_a_device_that_is_not_there_beside_others(two_gpus, wanted):
    with pytest.raises(ValueError, match=f"no {wanted} .* cpu, cuda:0, cuda:1$"):
        pick_device(wanted)


@pytest.mark.parametrize("wanted", ["gpu", "", "cuda:x", "cuda:-1"])
def test_what_is_not_the_name_of_a_device(wanted):
    with pytest.raises(ValueError, match=f"{wanted!r} is not a device"):
        pick_device(wanted)


class Centred(nn.Module):
    """Subtracts a mean, which moves with the module only as a buffer."""

    def __init__(self, buffer: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        if buffer:
            self.register_buffer("mean", torch.ones(3))
        else:
            self.mean = torch.ones(3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x - self.mean) * torch.tensor(2.0)


def test_a_forgotten_tensor_is_found():
    x = torch.ones(4, 3)
    check_one_device(Centred(buffer=True), x)
    module = Centred(buffer=False)
    with pytest.raises(RuntimeError, match="sub has tensors on cpu and meta"):
        check_one_device(module, x)
    assert module.linear.weight.device.type == "cpu"
    assert module(x).shape == (4, 2)


def test_a_product_of_matrices_is_found_which_meta_lets_pass():
    left, right = torch.ones(2, 3), torch.ones(3, 2, device="meta")
    with (
        OneDevice(),
        pytest.raises(RuntimeError, match="matmul has tensors on cpu and"),
    ):
        left @ right
    with OneDevice(), pytest.raises(RuntimeError, match="cat has tensors on cpu and"):
        torch.cat([left, torch.ones(1, 3, device="meta")])


def test_what_pytorch_moves_itself_is_allowed():
    far = torch.ones(3, device="meta")
    with OneDevice():
        assert (far * torch.tensor(2.0)).device.type == "meta"
        assert far[torch.tensor([0, 2])].device.type == "meta"
        assert far.copy_(torch.zeros(3)).device.type == "meta"


class Holder(nn.Module):
    """Holds a table as a buffer, or as a plain tensor, which does not move."""

    def __init__(self, table: torch.Tensor, buffer: bool) -> None:
        super().__init__()
        if buffer:
            self.register_buffer("table", table)
        else:
            self.table = table


class Table(Holder):
    """Looks rows up by index."""

    def __init__(self, buffer: bool) -> None:
        super().__init__(torch.randn(10, 4), buffer)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table[ids]


def test_a_plain_tensor_that_is_indexed_is_found():
    ids = torch.tensor([1, 2])
    check_one_device(Table(buffer=True), ids)
    with pytest.raises(RuntimeError, match="__getitem__ has tensors on cpu and meta"):
        check_one_device(Table(buffer=False), ids)


class Fixed(Table):
    """Its indices stay on the CPU, which PyTorch allows."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.table[torch.tensor([0, 3])] + self.table[:, [1, 2, 3, 0]][ids]


def test_indices_on_the_cpu_are_no_mistake_and_what_they_index_is():
    check_one_device(Fixed(buffer=True), torch.tensor([1, 2]))
    near, far = torch.zeros(3), torch.zeros(3, device="meta")
    where = torch.tensor([0, 2], device="meta")
    with OneDevice():
        far[torch.tensor([0, 2])] = torch.tensor(1.0)
        far[torch.tensor([0, 2])] = far[:2]
        for change in (
            lambda: near[where],
            lambda: near.index_put_((where,), near[:2]),
            lambda: far.index_put_((where,), near[:2]),
            lambda: near.index_select(0, where),
            lambda: near.gather(0, where),
        ):
            with pytest.raises(RuntimeError, match="has tensors on cpu and meta"):
                change()


def test_copies_and_shapes_go_between_devices():
    near, far = torch.ones(2, 3), torch.zeros(2, 3, device="meta")
    with OneDevice():
        far[0] = near[0]
        far[:, 1:] = near[:, 1:]
        assert near.to(far).device.type == "meta"
        assert near.type_as(far).device.type == "meta"
        assert near.view_as(far).device.type == "cpu"
        with pytest.raises(RuntimeError, match="__setitem__ has tensors on cpu and"):
            far[torch.tensor([0, 1])] = near


class Parts(Holder):
    """A plain tensor given to a function of `nn.functional` by its name, in a list."""

    def __init__(self, forward: str, buffer: bool) -> None:
        super().__init__(torch.ones(3, 3), buffer)
        self.kind = forward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        table = self.table
        if self.kind == "scaled_dot_product_attention":
            return F.scaled_dot_product_attention(x, x, value=table)
        if self.kind == "where":
            return torch.where(x > 0, x, table)
        if self.kind == "einsum":
            return torch.einsum("ij,jk->ik", [x, table])
        if self.kind == "add_":
            return x.clone().add_(table)
        if self.kind == "stack":
            return torch.stack([x, table])
        return F.linear(x, weight=table)


@pytest.mark.parametrize(
    "name",
    ["scaled_dot_product_attention", "where", "einsum", "add_", "stack", "linear"],
)
def test_functions_are_named_in_whose_arguments_a_plain_tensor_is(name):
    check_one_device(Parts(name, buffer=True), torch.ones(3, 3))
    with pytest.raises(RuntimeError, match=f"^{name} has tensors on cpu and meta$"):
        check_one_device(Parts(name, buffer=False), torch.ones(3, 3))


def test_a_model_with_norms_dropout_and_recurrence_moves():
    layers = (nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.LSTM(4, 2))
    check_one_device(nn.Sequential(*layers), torch.ones(5, 3))
    layer = nn.TransformerEncoderLayer(8, 2, batch_first=True)
    check_one_device(layer, torch.ones(2, 3, 8))


def test_memory_is_four_floats_a_parameter_with_adam():
    model = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7))
    count = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters())
    before = training_memory(model, optimizer)
    assert (before.gradients, before.optimizer) == (0, 0)
    model(torch.randn(3, 5)).sum().backward()
    optimizer.step()
    after = training_memory(model, optimizer)
    assert after.parameters == after.gradients == 4 * count
    assert after.optimizer == 8 * count + 4 * 4  # and a count of steps for each tensor
    assert after.buffers == 7 * 4 + 7 * 4 + 8
    assert after.total == 16 * count + 16 + 64


def test_tied_weights_count_once():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    assert training_memory(model, torch.optim.SGD(model.parameters())).total == 64


def test_activations_grow_with_the_batch():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    for B in (1, 5, 30):
        x = torch.randn(B, 6)
        # the input, and what ReLU gave: it is also what the second layer keeps
        assert activation_bytes(lambda x=x: model(x), model) == 4 * B * (6 + 8)
        with torch.no_grad():
            assert activation_bytes(lambda x=x: model(x), model) == 0
