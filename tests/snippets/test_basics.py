"""Softmax, SiLU, embedding and clipping: edges, dtypes, devices, bad input."""

import pytest
import torch
import torch.nn.functional as F

from snippets.basics import Embedding, clip_grad_norm_, silu, softmax


def test_softmax_of_numbers_whose_exponentials_overflow():
    x = torch.tensor([1000.0, 1000.0, 0.0])
    assert softmax(x).tolist() == [0.5, 0.5, 0.0]
    assert softmax(-x).tolist() == [0.0, 0.0, 1.0]
    assert softmax(torch.full((2,), float("-inf"))).isnan().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_dtype_and_device_are_those_of_the_input(dtype):
    x = (8 * torch.randn(4, 9)).to(dtype)
    for ours, theirs in ((softmax, lambda x: x.softmax(-1)), (silu, F.silu)):
        assert ours(x).dtype == dtype
        torch.testing.assert_close(ours(x), theirs(x), rtol=0.02, atol=0.01)
        assert ours(x.to("meta")).device.type == "meta"
    table = Embedding(5, 3).to(dtype)
    assert table(torch.tensor([4])).dtype == dtype
    assert table.to("meta")(torch.ones(2, 2, dtype=torch.long, device="meta")).is_meta


def test_an_embedding_is_compiled_in_one_graph():
    table, ids = Embedding(5, 3), torch.tensor([[0, 4]])
    compiled = torch.compile(table, fullgraph=True, backend="eager")
    assert torch.equal(compiled(ids), table.weight[ids])
    assert table.weight.abs().max() <= 3


def with_gradients(*values: float) -> list[torch.Tensor]:
    made = [torch.zeros(1, requires_grad=True) for _ in values]
    for p, value in zip(made, values, strict=True):
        p.grad = torch.tensor([value])
    return made


def test_clipping_keeps_the_direction():
    parameters = [*with_gradients(3.0, 4.0), torch.zeros(2, requires_grad=True)]
    assert clip_grad_norm_(parameters, 1.0) == 5
    gradients = [p.grad.item() for p in parameters[:2]]
    assert gradients == pytest.approx([0.6, 0.8], abs=1e-6)
    assert parameters[2].grad is None
    assert clip_grad_norm_(iter(parameters), 1.0).item() == pytest.approx(1, abs=1e-5)


def test_small_gradients_stay_as_they_are():
    parameters = with_gradients(0.3, 0.4)
    clip_grad_norm_(parameters, 1.0)
    assert [p.grad.item() for p in parameters] == pytest.approx([0.3, 0.4])
    assert clip_grad_norm_([torch.zeros(1)], 1.0) == 0


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_that_makes_no_sense(limit):
    parameters = with_gradients(3.0)
    with pytest.raises(ValueError, match=f"max_norm={limit}: it must be above 0"):
        clip_grad_norm_(parameters, limit)
    assert parameters[0].grad == 3
