"""Training in the page, by its own code in Node, beside the same in PyTorch."""

import gzip
import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from literate.project import DOCS, ROOT
from snippets.data import read_data
from snippets.gpt import CharTokenizer, random_windows, shift
from snippets.mini_gpt.load import load_trained
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from snippets.mini_gpt.muon import BatchedMuon
from snippets.mini_gpt.optimization import NextTokenLoss, build_optimizers
from snippets.mini_gpt.presets import Recipe, learning_rate_factor
from snippets.mini_gpt.sample import main as sample
from snippets.modules import count_parameters
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


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[Path, dict]:
    """A model that was trained and saved by the page's code, and its logits there."""
    path = tmp_path_factory.mktemp("saved") / "my-gpt.safetensors"
    done = node("tests/javascript/saved-model.js", path, text=TEXT + "🙂é" * 3)
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout)


def test_a_saved_model_is_the_same_in_python(saved):
    path, found = saved
    trained = load_trained(path)
    ids = trained.tokenizer.encode(TEXT[:64])
    assert ids == found["ids"]
    logits = trained.model(torch.tensor([ids]))[0].detach()
    assert logits.std() > 0.5, "it should have learned something"
    theirs = torch.tensor(found["logits"]).view_as(logits)
    torch.testing.assert_close(theirs, logits, atol=1e-4, rtol=0)


def test_the_card_says_what_the_model_is(saved):
    path, _ = saved
    card = json.loads(path.with_suffix(".json").read_text("utf8"))
    trained = load_trained(path)
    assert ModernConfig(**card["model"]) == trained.model.config
    assert card["parameters"] == count_parameters(trained.model)
    ids = torch.tensor(trained.tokenizer.encode(TEXT + "🙂é" * 3))
    held_out = ids[-(len(ids) // 10) :]
    windows = (len(held_out) - 1) // 64
    inputs, targets = held_out[: windows * 64], held_out[1 : windows * 64 + 1]
    with torch.no_grad():
        loss = NextTokenLoss(trained.model)(inputs.view(-1, 64), targets.view(-1, 64))
    assert abs(loss.item() - card["validation_loss"]) < 2e-4


def test_the_program_of_day_6_writes_with_a_saved_model(saved, capsys):
    path, _ = saved
    assert sample([str(path), "--prompt", "The", "--tokens", "20"]) == 0
    assert len(capsys.readouterr().out) > 20


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


def test_all_that_the_page_loads_weighs_little():
    """Compressed, the text of Shakespeare included, which is loaded on request."""
    assets = DOCS / "assets"
    scripts = [*TRAIN.glob("*.js"), assets / "playground" / "safetensors.js"]
    scripts += [assets / "widgets" / "train-playground.js", TRAIN / "simd.wasm"]
    scripts += [assets / "playground" / "train-playground.css"]
    texts = [*TRAIN.glob("*.txt")]
    assert len(texts) == 2

    def weight(paths: list[Path]) -> int:
        return sum(len(gzip.compress(path.read_bytes())) for path in paths)

    assert weight([*scripts, *texts]) <= 250_000
    assert weight(texts) <= 150_000


def test_no_validation_text_is_trained_on():
    train, held_out = (
        (TRAIN / f"{name}.txt").read_text("utf8")
        for name in ("shakespeare", "shakespeare-validation")
    )
    pieces = {held_out[n : n + 100] for n in range(0, len(held_out) - 100, 50)}
    assert len(pieces) > 300
    assert not any(piece in train for piece in pieces)
    assert set(held_out) <= set(train)
    licence = (TRAIN / "shakespeare.LICENSE").read_text("utf8")
    for text in (train, held_out):
        assert f"{len(text):,} characters" in licence
        assert hashlib.sha256(text.encode()).hexdigest() in licence
