"""Day 6: GPT-2, sampling and optimizers against `transformers` and PyTorch."""

import math
import tempfile

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW
from transformers import GPT2LMHeadModel
from transformers.generation import (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from proofs import Pairs, proof
from snippets.attention import causal_mask
from snippets.gpt import CharTokenizer
from snippets.mini_gpt.generate import (
    Sampling,
    generate_rows,
    keep_top_k,
    keep_top_p,
    probabilities,
)
from snippets.mini_gpt.hugging_face import load_hugging_face, save_hugging_face
from snippets.mini_gpt.load import Trained
from snippets.mini_gpt.model import GPT2, GPT2Config
from snippets.mini_gpt.modern import ModernConfig, ModernGPT, written_out_attention
from snippets.mini_gpt.muon import BatchedMuon
from snippets.mini_gpt.optimization import build_optimizers
from snippets.mini_gpt.presets import Recipe

MODEL, SAMPLING = "llm/day-6/model.md", "llm/day-6/sampling.md"
SPEEDRUN = "llm/day-6/speedrun.md"
SIZES = {"context_length": 24, "d_model": 32, "n_heads": 4, "n_layers": 3}
TOKENIZER = CharTokenizer("".join(chr(256 + n) for n in range(60)))
VARIANTS = (  # with biases and tanh as GPT-2 has them; without, as nanoGPT may have it
    GPT2Config(vocab_size=60, **SIZES),
    GPT2Config(vocab_size=60, bias=False, gelu="none", **SIZES),
)


def random_weights(model: nn.Module, std: float = 0.2) -> nn.Module:
    """Large ones, so that every part matters; padding is zero as after loading."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=std)
        if isinstance(model, GPT2):
            model.token.weight[model.config.vocab_size :] = 0
    return model.eval()


def random_ids(rows: int = 2, T: int = 24) -> Tensor:
    """Some text."""
    return torch.randint(60, (rows, T), generator=torch.Generator().manual_seed(1))


def in_their_layout(model: GPT2) -> GPT2LMHeadModel:
    """Through the files of a folder."""
    with tempfile.TemporaryDirectory() as folder:
        save_hugging_face(folder, Trained(model, TOKENIZER))
        return GPT2LMHeadModel.from_pretrained(folder).eval()


def and_back(model: GPT2LMHeadModel) -> GPT2:
    """The same the other way round; their files do not name a tokenizer."""
    model.config.daybook_tokenizer = {"kind": "char", "characters": "ab"}
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_hugging_face(folder).model


@proof(
    "GPT-2 of day 6: logits",
    ours="snippets.mini_gpt.model.GPT2",
    theirs="transformers.GPT2LMHeadModel",
    page=MODEL,
    bound=1e-4,
)
@torch.no_grad()
def logits() -> Pairs:
    """Ours written and loaded by them, then written by them and loaded by us."""
    for config in VARIANTS:
        ours = random_weights(GPT2(config))
        theirs = in_their_layout(ours)
        yield ours(random_ids()), theirs(random_ids()).logits
        if config.bias:
            back = and_back(theirs)
            yield back(random_ids()), theirs(random_ids()).logits
            for name, weight in ours.state_dict().items():
                yield back.state_dict()[name], weight


@proof(
    "GPT-2 of day 6: greedy tokens with a cache",
    ours="snippets.mini_gpt.generate.generate_rows",
    theirs="transformers.GPT2LMHeadModel.generate",
    page=MODEL,
    bound=0,
)
def greedy() -> Pairs:
    """Twenty after prompts of three, in both directions of conversion."""
    ours = random_weights(GPT2(VARIANTS[0]))
    theirs = in_their_layout(ours)
    prompts = random_ids(rows=2, T=3)
    reference = theirs.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=20,
        do_sample=False,
        pad_token_id=0,
    ).tolist()
    for model in (ours, and_back(theirs)):
        yield (
            generate_rows(model, prompts.tolist(), 20, sampling=Sampling(0)),
            reference,
        )


@proof(
    "KV cache of GPT-2 and of today's parts",
    ours="snippets.mini_gpt.model.GPT2.new_caches",
    theirs="snippets.mini_gpt.model.GPT2.forward",
    page=MODEL,
    bound=1e-4,
)
@torch.no_grad()
def cached() -> Pairs:
    """In pieces of 1, 5 and 18 tokens, against the whole text at once."""
    modern = ModernGPT(ModernConfig(vocab_size=60, **SIZES))
    ngrams = ModernGPT(ModernConfig(vocab_size=60, ngrams=4, **SIZES))
    for model in (GPT2(VARIANTS[0]), modern, ngrams):
        random_weights(model)
        ids, caches = random_ids(), model.new_caches()
        pieces = [model(piece, caches) for piece in ids.split((1, 5, 18), dim=1)]
        yield torch.cat(pieces, dim=1), model(ids)


@proof(
    "Today's parts, all switched off",
    ours="snippets.mini_gpt.modern.ModernGPT",
    theirs="snippets.mini_gpt.model.GPT2",
    page=SPEEDRUN,
    bound=1e-4,
)
@torch.no_grad()
def switched_off() -> Pairs:
    """Is the GPT-2 without biases and with the exact GELU: copied weights."""
    config = GPT2Config(
        vocab_size=60, bias=False, gelu="none", vocab_multiple=1, **SIZES
    )
    theirs = random_weights(GPT2(config))
    ours = ModernGPT(all_off()).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    yield ours(random_ids()), theirs(random_ids())


def all_off() -> ModernConfig:
    """GPT-2's choice everywhere."""
    names = ("rope", "rms_norm", "qk_norm", "squared_relu", "zero_init")
    switches = dict.fromkeys(names, False)
    return ModernConfig(vocab_size=60, convolution=1, tied=True, **switches, **SIZES)


@proof(
    "Causal attention, written out",
    ours="snippets.mini_gpt.modern.written_out_attention",
    theirs="torch.nn.functional.scaled_dot_product_attention",
    page=SPEEDRUN,
    bound=1e-5,
)
def attention() -> Pairs:
    """And its gradients; and the last queries of more keys."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, 12, 16, requires_grad=True) for _ in range(3))
    mask = causal_mask(12)
    ours = written_out_attention(q, k, v, mask)
    theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    yield ours, theirs
    yield from zip(
        torch.autograd.grad(ours.square().sum(), (q, k, v)),
        torch.autograd.grad(theirs.square().sum(), (q, k, v)),
        strict=True,
    )
    yield written_out_attention(q[:, :, -5:], k, v, mask[-5:]), theirs[:, :, -5:]


@proof(
    "Muon, matrices of one shape at once",
    ours="snippets.mini_gpt.muon.BatchedMuon",
    theirs="torch.optim.Muon",
    page=SPEEDRUN,
    bound=1e-3,
)
def muon() -> Pairs:
    """Twenty steps of wide, square and tall matrices, with weight decay."""
    torch.manual_seed(0)
    shapes = ((8, 24), (8, 24), (16, 16), (32, 8), (32, 8), (32, 8))
    ours = [torch.randn(shape).mul(0.1).requires_grad_() for shape in shapes]
    theirs = [p.detach().clone().requires_grad_() for p in ours]
    settings = {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1}
    optimizers = (
        BatchedMuon(ours, **settings, dtype=torch.bfloat16),
        torch.optim.Muon(theirs, **settings),
    )
    for _ in range(20):
        for mine, other in zip(ours, theirs, strict=True):
            mine.grad = torch.randn(mine.shape)
            other.grad = mine.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    yield from zip(ours, theirs, strict=True)


@proof(
    "AdamW with weight decay for matrices only",
    ours="snippets.mini_gpt.optimization.build_optimizers",
    theirs="torch.optim.AdamW",
    page=MODEL,
    bound=1e-6,
)
def groups() -> Pairs:
    """One optimizer with groups, against two: for matrices, and for vectors without."""
    ours, theirs = (random_weights(GPT2(VARIANTS[0])) for _ in range(2))
    recipe = Recipe(steps=5, batch_size=1, lr=1e-2, weight_decay=0.5)
    (mine,) = build_optimizers(ours, recipe)
    betas = (recipe.beta1, recipe.beta2)
    matrices = [p for p in theirs.parameters() if p.dim() >= 2]
    vectors = [p for p in theirs.parameters() if p.dim() < 2]
    others = (
        AdamW(matrices, 1e-2, betas, weight_decay=0.5),
        AdamW(vectors, 1e-2, betas, weight_decay=0.0),
    )
    for _ in range(5):
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = torch.randn(one.shape)
            other.grad = one.grad.clone()
        for optimizer in (mine, *others):
            optimizer.step()
    yield from zip(ours.parameters(), theirs.parameters(), strict=True)


@proof(
    "Temperature, top-k and top-p",
    ours="snippets.mini_gpt.generate.probabilities",
    theirs="transformers.generation.TopPLogitsWarper",
    page=SAMPLING,
    bound=1e-6,
)
def filters() -> Pairs:
    """Each alone and all together, on flat and on peaked rows."""
    torch.manual_seed(0)
    scores = torch.randn(12, 90) * torch.linspace(0.1, 8, 12)[:, None]
    for k in (1, 2, 40, 89, 90, 200):
        yield keep_top_k(scores, k), TopKLogitsWarper(k)(None, scores)
    for p in (0.01, 0.3, 0.9, 0.999):
        yield keep_top_p(scores, p), TopPLogitsWarper(p)(None, scores)
    for temperature in (0.2, 1.0, 1.7):
        expected = scores
        for warper in (
            TemperatureLogitsWarper(temperature),
            TopKLogitsWarper(30),
            TopPLogitsWarper(0.8),
        ):
            expected = warper(None, expected)
        ours = probabilities(scores, Sampling(temperature, top_k=30, top_p=0.8))
        yield ours, expected.softmax(dim=-1)


@proof(
    "Loss of an untrained GPT-2",
    ours="snippets.mini_gpt.model.GPT2",
    theirs="math.log",
    page=MODEL,
    bound=0.05,
)
@torch.no_grad()
def start() -> Pairs:
    """Is ln V, with the vocabulary unpadded and padded."""
    for vocab_size in (60, 500):
        torch.manual_seed(0)
        model = GPT2(GPT2Config(vocab_size=vocab_size, **SIZES))
        ids = torch.randint(vocab_size, (20, 25))
        scores = model(ids[:, :-1]).flatten(0, 1)
        loss = F.cross_entropy(scores, ids[:, 1:].flatten())
        yield loss, torch.tensor(math.log(vocab_size))
