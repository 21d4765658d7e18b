"""Training in the page, by its own code in Node, beside the same in PyTorch."""

import json
import shlex

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from literate.project import DOCS, ROOT
from snippets.data import read_data
from snippets.gpt import CharTokenizer, random_windows, shift
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from snippets.mini_gpt.muon import BatchedMuon
from snippets.mini_gpt.optimization import NextTokenLoss, build_optimizers
from snippets.mini_gpt.presets import Recipe, learning_rate_factor
from tests.node import modules, node

TRAIN = DOCS / "assets" / "playground" / "train"
SIZES = {"d_model": 64, "n_heads": 2, "n_layers": 2, "context_length": 64}
SMALL = {"d_model": 48, "n_heads": 2, "n_layers": 1, "context_length": 24}
STEPS, BATCH = 50, 8
TEXT = read_data("tales.txt").decode("utf8")
TOKENIZER = CharTokenizer(TEXT)
IDS = torch.tensor(TOKENIZER.encode(TEXT))
VOCAB_SIZE = len(TOKENIZER.characters)


def settings(optimizer: str) -> dict:
    """What page and lesson call by the same names."""
    return {
        "optimizer": optimizer,
        "lr": 3e-3,
        "matrix_lr": 0.02,
        "beta1": 0.9,
        "beta2": 0.95,
        "weight_decay": 0.1,
        "cooldown": 0.7,
    }


def random_model(seed: int, sizes: dict) -> ModernGPT:
    """All weights random, so that each of them has a gradient."""
    torch.manual_seed(seed)
    model = ModernGPT(ModernConfig(vocab_size=VOCAB_SIZE, **sizes, zero_init=False))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model


def batches(count: int, sizes: dict) -> list[tuple[Tensor, Tensor]]:
    """Random windows of the book's tales."""
    generator = torch.Generator().manual_seed(1)
    T = sizes["context_length"]
    given = (random_windows(IDS, BATCH, T, generator) for _ in range(count))
    return [shift(windows) for windows in given]


def in_the_page(model: nn.Module, given: list, kind: str, optimizer: str) -> dict:
    """What the page's code makes of a model and batches."""
    config = model.config
    sizes = ("vocab_size", "context_length", "d_model", "n_heads", "n_layers")
    task = {
        "kind": kind,
        "sizes": {name: getattr(config, name) for name in sizes},
        "weights": {n: w.flatten().tolist() for n, w in model.state_dict().items()},
        "batches": [
            {"ids": ids.flatten().tolist(), "targets": targets.flatten().tolist()}
            for ids, targets in given
        ],
        "recipe": settings(optimizer),
    }
    done = node("tests/javascript/training.js", text=json.dumps(task))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_pytorch(model: ModernGPT, given: list, optimizer: str) -> list[float]:
    """The losses of the lesson's own training; changes the model."""
    named = settings(optimizer)
    recipe = Recipe(len(given), BATCH, schedule="linear", dtype="float32", **named)
    loss_of = NextTokenLoss(model)
    optimizers = build_optimizers(model, recipe)
    for muon in (o for o in optimizers if isinstance(o, BatchedMuon)):
        muon.dtype = torch.float32
    losses = []
    for step, (ids, targets) in enumerate(given):
        loss = loss_of(ids, targets)
        loss.backward()
        losses.append(loss.item())
        for made in optimizers:
            for group in made.param_groups:
                factor = learning_rate_factor(step, recipe)
                group["lr"] = group["initial_lr"] * factor
            made.step()
            made.zero_grad()
    return losses


@pytest.mark.parametrize("kind", ["wasm", "js"])
@pytest.mark.parametrize("sizes", [SIZES, SMALL], ids=["default", "small"])
def test_every_gradient_is_that_of_pytorch(sizes, kind):
    model = random_model(0, sizes)
    [(ids, targets)] = given = batches(1, sizes)
    found = in_the_page(model, given, kind, "muon")
    logits = model(ids)
    theirs = torch.tensor(found["logits"]).view_as(logits)
    torch.testing.assert_close(theirs, logits, atol=1e-4, rtol=0)
    loss = NextTokenLoss(model)(ids, targets)
    loss.backward()
    assert abs(found["first"] - loss.item()) < 1e-5
    assert found["gradients"].keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        ours = torch.tensor(found["gradients"][name]).view_as(parameter)
        largest = parameter.grad.abs().max()
        assert largest > 1e-4, f"{name} has no gradient to speak of"
        apart = (ours - parameter.grad).abs().max()
        assert apart < 1e-4 * min(1, largest), name


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_fifty_steps_have_the_losses_of_pytorch(optimizer):
    torch.manual_seed(0)
    model = ModernGPT(ModernConfig(vocab_size=VOCAB_SIZE, **SIZES))
    given = batches(STEPS, SIZES)
    ours = np.array(in_the_page(model, given, "wasm", optimizer)["losses"])
    theirs = np.array(in_pytorch(model, given, optimizer))
    assert theirs[-1] < theirs[0] - 1, "it should have learned something"
    np.testing.assert_allclose(ours, theirs, rtol=0.01)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_without_webassembly_the_same_is_computed(optimizer):
    model = random_model(3, SMALL)
    given = batches(10, SMALL)
    one, other = (in_the_page(model, given, k, optimizer) for k in ("wasm", "js"))
    np.testing.assert_allclose(one["losses"], other["losses"], rtol=1e-4)
    for name, values in one["gradients"].items():
        np.testing.assert_allclose(values, other["gradients"][name], atol=1e-6)
    for name, values in one["weights"].items():
        np.testing.assert_allclose(values, other["weights"][name], atol=1e-3)


def test_the_kernel_is_what_its_source_compiles_to(tmp_path):
    script = json.loads((ROOT / "package.json").read_text("utf8"))["scripts"]["kernel"]
    program, *arguments = shlex.split(script)
    assert program == "asc"
    made = tmp_path / "simd.wasm"
    arguments[arguments.index("-o") + 1] = made.as_posix()
    asc = modules() / "assemblyscript" / "bin" / "asc.js"
    done = node(asc, *arguments)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    committed = (TRAIN / "simd.wasm").read_bytes()
    assert made.read_bytes() == committed, "run `npm run kernel`"
