"""GPT of day 2 against PyTorch, and against GPT-2 of `transformers`."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from proofs import Pairs, proof
from snippets.gpt import (
    GPT,
    GPTConfig,
    generate,
    mask_after_softmax,
    mask_before_softmax,
    next_token_loss,
    shift,
    surprise,
)

PAGE = "llm/day-2/gpt.md"
CONFIG = GPTConfig(vocab_size=60, context_length=24, d_model=32, n_heads=4, n_layers=3)


@proof(
    "Causal mask, before and after softmax",
    ours="snippets.gpt.mask_before_softmax",
    theirs="torch.nn.functional.scaled_dot_product_attention",
    page="llm/day-2/gpt-deeper.md",
    bound=1e-5,
)
def causal() -> Pairs:
    """Both, and their gradients, against the fused function with `is_causal`."""
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, 12, 16, requires_grad=True) for _ in range(3))
    theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    probe = torch.randn_like(theirs)
    for weigh in (mask_before_softmax, mask_after_softmax):
        ours = weigh(q @ k.transpose(-2, -1) / math.sqrt(16)) @ v
        yield ours, theirs
        yield from zip(
            torch.autograd.grad((ours * probe).sum(), (q, k, v)),
            torch.autograd.grad((theirs * probe).sum(), (q, k, v), retain_graph=True),
            strict=True,
        )


@proof(
    "Cross-entropy by hand",
    ours="snippets.gpt.surprise",
    theirs="torch.nn.functional.cross_entropy",
    page=PAGE,
    bound=1e-5,
)
def cross_entropy() -> Pairs:
    """At each position, and the mean with its gradient."""
    torch.manual_seed(0)
    logits = (3 * torch.randn(4, 7, 50)).requires_grad_()
    targets = torch.randint(50, (4, 7))
    ours = surprise(logits, targets)
    theirs = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    yield ours, theirs
    yield ours.mean(), next_token_loss(logits, targets)
    yield (
        torch.autograd.grad(ours.mean(), logits)[0],
        torch.autograd.grad(theirs.mean(), logits)[0],
    )


def models() -> tuple[GPT, GPT2LMHeadModel]:
    """Ours with random weights, and theirs with the same."""
    torch.manual_seed(0)
    ours = GPT(CONFIG).eval()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(std=0.2)
    theirs = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=CONFIG.vocab_size,
            n_positions=CONFIG.context_length,
            n_embd=CONFIG.d_model,
            n_layer=CONFIG.n_layers,
            n_head=CONFIG.n_heads,
            bos_token_id=0,
            eos_token_id=0,
        )
    ).eval()
    theirs.load_state_dict(renamed(ours), strict=True)
    return ours, theirs


def renamed(ours: GPT) -> dict[str, Tensor]:
    """Our weights under their names; their matrices are stored transposed."""
    names = {"attention.qkv": "attn.c_attn", "attention.out": "attn.c_proj"}
    names |= {"up": "mlp.c_fc", "down": "mlp.c_proj", "norm1": "ln_1", "norm2": "ln_2"}
    tops = {"token": "transformer.wte", "position": "transformer.wpe"}
    tops["norm"] = "transformer.ln_f"
    found = {"lm_head.weight": ours.token.weight.detach()}
    for name, value in ours.state_dict().items():
        path, kind = name.rsplit(".", 1)
        if path in tops:
            found[f"{tops[path]}.{kind}"] = value
            continue
        _, layer, part = path.split(".", 2)
        linear = value.dim() == 2
        found[f"transformer.h.{layer}.{names[part]}.{kind}"] = (
            value.T if linear else value
        )
    return found


@proof(
    "GPT: logits",
    ours="snippets.gpt.GPT",
    theirs="transformers.GPT2LMHeadModel",
    page=PAGE,
    bound=1e-5,
)
def logits() -> Pairs:
    """At every position of two texts."""
    ours, theirs = models()
    ids = torch.randint(60, (2, 24), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        yield ours(ids), theirs(ids).logits


@proof(
    "GPT: shifted loss",
    ours="snippets.gpt.next_token_loss",
    theirs="transformers.GPT2LMHeadModel",
    page=PAGE,
    bound=1e-5,
)
def loss() -> Pairs:
    """Their model shifts by itself; ours gets shifted ids. All gradients, too."""
    ours, theirs = models()
    ids = torch.randint(60, (2, 24), generator=torch.Generator().manual_seed(1))
    inputs, targets = shift(ids)
    mine, other = next_token_loss(ours(inputs), targets), theirs(ids, labels=ids).loss
    yield mine, other
    mine.backward()
    other.backward()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(parameter.grad)
    found = renamed(ours)
    for name, parameter in theirs.named_parameters():
        yield found[name], parameter.grad


@proof(
    "GPT: greedy generation",
    ours="snippets.gpt.generate",
    theirs="transformers.GPT2LMHeadModel.generate",
    page=PAGE,
    bound=0,
)
def greedy() -> Pairs:
    """Twenty tokens after a prompt of three."""
    ours, theirs = models()
    prompt = torch.tensor([[5, 9, 2]])
    mask = torch.ones_like(prompt)
    reference = theirs.generate(
        prompt,
        attention_mask=mask,
        max_new_tokens=20,
        do_sample=False,
        eos_token_id=None,
    )
    yield generate(ours, prompt, 20, temperature=0).tolist(), reference.tolist()
