"""Every `nn.Module` of `snippets/`: in half precision, on another device, compiled.

A class that is not in the table fails `test_the_table_has_every_module`: give it a line
with how it is made and what it is called with.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import snippets
from snippets.bert import Bert, BertConfig
from snippets.llama import LlamaConfig, rope_angles
from snippets.mini_gpt.model import GPT2, GPT2Config
from snippets.mini_gpt.modern import ModernConfig
from snippets.transformer import TransformerConfig

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script_method")
B, T, C, H, V = 2, 5, 8, 2, 11
IMAGES = torch.rand(B, 1, 8, 8)
STATES = torch.randn(B, T, C)
IDS = torch.randint(1, V, (B, T))
MASK = torch.ones(T, T, dtype=torch.bool).tril()
ANGLES = rope_angles(torch.arange(T), C // H)

BERT = BertConfig(V, T, C, H, 1, 16, dropout=0.0)
LLAMA = LlamaConfig(V, T, C, H, 1, 1, 16)
PAPER = TransformerConfig(V, T, C, H, 1, 16, dropout=0.0)
GPT2_SIZES = GPT2Config(V, T, C, H, 1)
MODERN = ModernConfig(V, T, C, H, 1)


class Case(NamedTuple):
    """How a module is made, and with what it is called."""

    make: Callable[[type], nn.Module]
    inputs: tuple[Any, ...]


def of(*arguments: Any, **options: Any) -> Callable[[type], nn.Module]:
    """Makes a module of a class with these arguments."""
    return lambda kind: kind(*arguments, **options)


def layers() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, C))


MODULES = {
    "attention.MultiHeadAttention": Case(of(C, H), (STATES, MASK)),
    "attention.MultiHeadAttentionByLoop": Case(of(C, H), (STATES, MASK)),
    "attention.SelfAttentionHead": Case(of(C, 4), (STATES, MASK)),
    "basics.Embedding": Case(of(V, C), (IDS,)),
    "bert.Bert": Case(of(BERT), (IDS,)),
    "bert.BertBlock": Case(of(BERT), (STATES, MASK)),
    "bert.BertEmbeddings": Case(of(BERT), (IDS, torch.zeros_like(IDS))),
    "bert.BertForClassification": Case(lambda kind: kind(Bert(BERT), 3), (IDS,)),
    "bert.BertForPreTraining": Case(of(BERT), (IDS,)),
    "bert.MaskedLMHead": Case(of(BERT), (STATES, torch.randn(V, C))),
    "bert_finetune.MaxClassifier": Case(lambda kind: kind(Bert(BERT), 3), (IDS,)),
    "bert_pretrain.FusedAttention": Case(of(C, H), (STATES, MASK)),
    "blocks.DigitStack": Case(of(width=C, depth=2), (IMAGES,)),
    "blocks.ManyHeads": Case(
        lambda kind: kind(layers(), C, {"digit": 10, "parity": 2}), (IMAGES, "digit")
    ),
    "blocks.Residual": Case(lambda kind: kind(nn.Linear(C, C)), (STATES,)),
    "blocks.TinySequential": Case(
        lambda kind: kind(nn.Linear(C, 4), nn.ReLU()), (STATES,)
    ),
    "digit_classifier.DigitMLP": Case(of(), (IMAGES,)),
    "gpt.GPT": Case(of(GPT2_SIZES), (IDS,)),
    "gpt.GPTBlock": Case(of(GPT2_SIZES), (STATES, MASK)),
    "llama.GroupedQueryAttention": Case(of(LLAMA), (STATES, ANGLES)),
    "llama.Llama": Case(of(LLAMA), (IDS,)),
    "llama.LlamaBlock": Case(of(LLAMA), (STATES, ANGLES)),
    "llama.LlamaRMSNorm": Case(of(C), (STATES,)),
    "llama.SwiGLU": Case(of(C, 16), (STATES,)),
    "mini_gpt.model.CausalSelfAttention": Case(of(GPT2_SIZES), (STATES,)),
    "mini_gpt.model.GPT2": Case(of(GPT2_SIZES), (IDS,)),
    "mini_gpt.model.TransformerBlock": Case(of(GPT2_SIZES), (STATES,)),
    "mini_gpt.modern.CausalConvolution": Case(of(C, 3), (STATES,)),
    "mini_gpt.modern.ModernAttention": Case(of(MODERN), (STATES, ANGLES, MASK)),
    "mini_gpt.modern.ModernBlock": Case(of(MODERN), (STATES, ANGLES, MASK)),
    "mini_gpt.modern.ModernGPT": Case(of(MODERN), (IDS,)),
    "mini_gpt.modern.NGramEmbedding": Case(of(replace(MODERN, ngrams=3)), (IDS,)),
    "mini_gpt.modern.RMSNormWithoutWeights": Case(of(), (STATES,)),
    "mini_gpt.optimization.NextTokenLoss": Case(
        lambda kind: kind(GPT2(GPT2_SIZES)), (IDS, IDS)
    ),
    "modules.Linear": Case(of(C, 4), (STATES,)),
    "transformer.CrossAttention": Case(of(C, H), (STATES, STATES, MASK)),
    "transformer.DecoderLayer": Case(of(PAPER), (STATES, STATES, MASK, MASK)),
    "transformer.EncoderLayer": Case(of(PAPER), (STATES, MASK)),
    "transformer.FeedForward": Case(of(C, 16), (STATES,)),
    "transformer.Sublayer": Case(of(PAPER), (STATES, torch.relu)),
    "transformer.Transformer": Case(of(PAPER), (IDS, IDS)),
}


def modules_of_the_book() -> Iterator[tuple[str, type[nn.Module]]]:
    """Each class of a module, by its name below `snippets`."""
    for found in pkgutil.walk_packages(snippets.__path__, "snippets."):
        module = importlib.import_module(found.name)
        for kind in vars(module).values():
            own = isinstance(kind, type) and kind.__module__ == found.name
            if own and issubclass(kind, nn.Module):
                yield f"{found.name.removeprefix('snippets.')}.{kind.__name__}", kind


def made(name: str) -> nn.Module:
    """The module of a line of the table, in evaluation mode."""
    where, _, kind = name.rpartition(".")
    torch.manual_seed(0)
    found = importlib.import_module(f"snippets.{where}")
    return MODULES[name].make(getattr(found, kind)).eval()


def converted(value: Any, *to: Any) -> Any:
    """Nested inputs in another dtype (if they are floats) or on another device."""
    if isinstance(value, tuple):
        return tuple(converted(part, *to) for part in value)
    if isinstance(value, Tensor):
        device_only = isinstance(to[0], str)
        return value.to(*to) if device_only or value.is_floating_point() else value
    return value


def tensors(value: Any) -> list[Tensor]:
    """The tensors that a module returns."""
    return [value] if isinstance(value, Tensor) else list(value)


@pytest.fixture(params=MODULES)
def name(request) -> str:
    return request.param


def test_the_table_has_every_module():
    assert sorted(MODULES) == sorted(dict(modules_of_the_book()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_it_computes_in_half_precision(name, dtype):
    module, inputs = made(name), MODULES[name].inputs
    with torch.no_grad():
        expected = tensors(module(*inputs))
        found = tensors(module.to(dtype)(*converted(inputs, dtype)))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype in (dtype, torch.float32)  # a loss may stay wide
        assert torch.allclose(one.float(), other, rtol=0.1, atol=0.1)


def test_it_computes_on_another_device(name):
    module, inputs = made(name).to("meta"), converted(MODULES[name].inputs, "meta")
    expected = tensors(made(name)(*MODULES[name].inputs))
    for one, other in zip(tensors(module(*inputs)), expected, strict=True):
        assert one.device.type == "meta"
        assert one.shape == other.shape


def test_it_makes_its_tensors_where_its_inputs_are(name):
    module, inputs = made(name), MODULES[name].inputs
    expected = tensors(module(*inputs))
    with torch.device("meta"):
        found = tensors(module(*inputs))
    assert all(map(torch.equal, found, expected))


def test_it_compiles_in_one_piece(name):
    module, inputs = made(name), MODULES[name].inputs
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    found, expected = tensors(compiled(*inputs)), tensors(module(*inputs))
    assert all(map(torch.allclose, found, expected))
