"""LLaMA of day 3 against PyTorch's parts and the model of `transformers`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaConfig as TheirConfig
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from proofs import Pairs, proof
from snippets.attention import causal_mask
from snippets.llama import (
    GroupedQueryAttention,
    Llama,
    LlamaConfig,
    LlamaRMSNorm,
    generate_with_cache,
    rope_angles,
    rotate_adjacent,
    rotate_halves,
    to_halves,
)

PAGE = "llm/day-3/llama.md"
DEEPER = "llm/day-3/llama-deeper.md"
CONFIG = LlamaConfig(60, 40, 48, n_heads=6, n_kv_heads=2, n_layers=3, d_ff=64)


def models() -> tuple[Llama, LlamaForCausalLM]:
    """Ours with random weights, and theirs with the same, reordered for halves."""
    torch.manual_seed(0)
    ours = Llama(CONFIG)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(mean=float(parameter.dim() == 1), std=0.3)
    theirs = LlamaForCausalLM(
        TheirConfig(
            vocab_size=CONFIG.vocab_size,
            max_position_embeddings=CONFIG.context_length,
            hidden_size=CONFIG.d_model,
            num_attention_heads=CONFIG.n_heads,
            num_key_value_heads=CONFIG.n_kv_heads,
            num_hidden_layers=CONFIG.n_layers,
            intermediate_size=CONFIG.d_ff,
            rms_norm_eps=CONFIG.norm_eps,
            tie_word_embeddings=False,
        )
    ).eval()
    theirs.load_state_dict(renamed(ours), strict=True)
    return ours, theirs


def renamed(ours: Llama) -> dict[str, Tensor]:
    """Our weights under their names; queries and keys change their layout."""
    names = {"attention.out": "self_attn.o_proj"}
    names |= {f"feed_forward.{n}": f"mlp.{n}_proj" for n in ("gate", "up", "down")}
    names |= {"norm1": "input_layernorm", "norm2": "post_attention_layernorm"}
    tops = {"token": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"}
    found = {}
    for name, value in ours.state_dict().items():
        path = name.removesuffix(".weight")
        if path in tops:
            found[f"{tops[path]}.weight"] = value
            continue
        _, layer, part = path.split(".", 2)
        if part == "attention.qkv":
            for role, rows in of_roles(value).items():
                found[f"model.layers.{layer}.self_attn.{role}_proj.weight"] = rows
            continue
        found[f"model.layers.{layer}.{names[part]}.weight"] = value
    return found


def of_roles(qkv: Tensor) -> dict[str, Tensor]:
    """Our one matrix as their three: of queries, keys, and values."""
    H, G, D = CONFIG.n_heads, CONFIG.n_kv_heads, CONFIG.d_model // CONFIG.n_heads
    q, k, v = qkv.split([H * D, G * D, G * D])
    return {"q": to_halves(q, H), "k": to_halves(k, G), "v": v}


@proof(
    "LLaMA: logits, with grouped queries",
    ours="snippets.llama.Llama",
    theirs="transformers.LlamaForCausalLM",
    page=PAGE,
    bound=1e-5,
)
def logits() -> Pairs:
    """Ours rotates adjacent pairs, theirs split halves."""
    ours, theirs = models()
    ids = torch.randint(60, (2, 30), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        scale = theirs(ids).logits.abs().max()
        yield ours(ids) / scale, theirs(ids).logits / scale


@proof(
    "LLaMA: greedy generation",
    ours="snippets.llama.generate_with_cache",
    theirs="transformers.LlamaForCausalLM.generate",
    page=DEEPER,
    bound=0,
)
def greedy() -> Pairs:
    """Twenty tokens, both with a cache."""
    ours, theirs = models()
    prompt = torch.tensor([[5, 9, 2]])
    reference = theirs.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=20,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    yield generate_with_cache(ours, prompt, 20).tolist(), reference.tolist()


@proof(
    "KV cache, token by token",
    ours="snippets.kv_cache.KVCache",
    theirs="transformers.LlamaForCausalLM",
    page=PAGE,
    bound=1e-5,
)
def cached() -> Pairs:
    """Each position, and pieces of several tokens, against their pass without one."""
    ours, theirs = models()
    ids = torch.randint(60, (2, 20), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        full = theirs(ids, use_cache=False).logits
        scale = full.abs().max()
        for sizes in ([1] * 20, [7, 1, 1, 5, 6]):
            caches = ours.new_caches()
            parts = [ours(part, caches) for part in ids.split(sizes, dim=1)]
            yield torch.cat(parts, dim=1) / scale, full / scale


@proof(
    "RMSNorm",
    ours="snippets.llama.LlamaRMSNorm",
    theirs="torch.nn.RMSNorm",
    page=PAGE,
    bound=1e-5,
)
def rms_norm() -> Pairs:
    """With a random scale."""
    torch.manual_seed(0)
    ours, theirs = LlamaRMSNorm(48, 1e-5), nn.RMSNorm(48, 1e-5)
    with torch.no_grad():
        ours.weight.normal_()
        theirs.weight.copy_(ours.weight)
    x = 3 * torch.randn(2, 10, 48)
    yield ours(x), theirs(x)


@proof(
    "Grouped-query attention",
    ours="snippets.llama.GroupedQueryAttention",
    theirs="torch.nn.functional.scaled_dot_product_attention",
    page=PAGE,
    bound=1e-5,
)
def grouped() -> Pairs:
    """From multi-head to multi-query, with `enable_gqa` on their side."""
    for n_kv_heads in (6, 3, 2, 1):
        torch.manual_seed(0)
        config = LlamaConfig(60, 40, 48, 6, n_kv_heads, 1, 64)
        ours = GroupedQueryAttention(config)
        x = torch.randn(2, 10, 48)
        angles = rope_angles(torch.arange(10), 8)
        q, k, v = ours.project(x)
        q, k = rotate_adjacent(q, *angles), rotate_adjacent(k, *angles)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        yield (
            ours(x, angles, causal_mask(10)),
            ours.out(mixed.transpose(1, 2).flatten(2)),
        )


@proof(
    "RoPE, split halves",
    ours="snippets.llama.rotate_halves",
    theirs="transformers.models.llama.modeling_llama.apply_rotary_pos_emb",
    page=PAGE,
    bound=1e-5,
)
def halves() -> Pairs:
    """Queries and keys, with their layout of cosines."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 3, 10, 8)
    cos, sin = rope_angles(torch.arange(10), 8)
    twice = (torch.cat([cos, cos], dim=-1)[None], torch.cat([sin, sin], dim=-1)[None])
    theirs = apply_rotary_pos_emb(q, k, *twice)
    yield rotate_halves(q, cos, sin), theirs[0]
    yield rotate_halves(k, cos, sin), theirs[1]


@proof(
    "RoPE, each row with its own positions",
    ours="snippets.llama.rope_angles",
    theirs="transformers.models.llama.modeling_llama.apply_rotary_pos_emb",
    page=PAGE,
    bound=1e-5,
)
def positions_per_row() -> Pairs:
    """As of a batch that is padded on the left."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 2, 3, 10, 8)
    positions = torch.stack([torch.arange(10), torch.arange(10) + 5])  # (B, T)
    cos, sin = rope_angles(positions, 8)
    twice = (torch.cat([cos, cos], dim=-1), torch.cat([sin, sin], dim=-1))
    theirs = apply_rotary_pos_emb(q, k, *twice)
    angles = rope_angles(positions[:, None], 8)
    yield rotate_halves(q, *angles), theirs[0]
    yield rotate_halves(k, *angles), theirs[1]


@proof(
    "RoPE, adjacent pairs",
    ours="snippets.llama.rotate_adjacent",
    theirs="torch.view_as_complex",
    page=PAGE,
    bound=1e-5,
)
def adjacent() -> Pairs:
    """As a product of complex numbers, which is how Meta's code does it."""
    torch.manual_seed(0)
    x = torch.randn(3, 10, 8)
    angles = rope_angles(torch.arange(10), 8)
    turns = torch.complex(*angles)
    product = torch.view_as_complex(x.unflatten(-1, (4, 2))) * turns
    yield rotate_adjacent(x, *angles), torch.view_as_real(product).flatten(-2)
