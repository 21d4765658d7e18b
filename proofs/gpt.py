"""GPT of day 2 against GPT-2 of `transformers`."""

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from proofs import Pairs, proof
from snippets.gpt import GPT, GPTConfig, generate, next_token_loss, shift

PAGE = "llm/day-2/gpt.md"
CONFIG = GPTConfig(vocab_size=60, context_length=24, d_model=32, n_heads=4, n_layers=3)


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
    bound=1e-4,
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
    """Their model shifts by itself; ours gets shifted ids."""
    ours, theirs = models()
    ids = torch.randint(60, (2, 24), generator=torch.Generator().manual_seed(1))
    inputs, targets = shift(ids)
    with torch.no_grad():
        yield next_token_loss(ours(inputs), targets), theirs(ids, labels=ids).loss


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
