"""The Transformer of day 1 against the layers of `torch.nn`."""

import itertools
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from proofs import Pairs, proof
from snippets.attention import MultiHeadAttention, causal_mask
from snippets.transformer import (
    CrossAttention,
    DecoderLayer,
    EncoderLayer,
    Sublayer,
    Transformer,
    TransformerConfig,
    smoothed_loss,
)

PAGE = "llm/day-1/attention-is-all-you-need.md"
SIZES = {"d_model": 32, "nhead": 4, "dim_feedforward": 48, "batch_first": True}


def config(pre_norm: bool) -> TransformerConfig:
    """Small sizes."""
    return TransformerConfig(20, 16, 32, 4, 2, 48, pre_norm=pre_norm)


def attention_to(ours: MultiHeadAttention, theirs: nn.MultiheadAttention) -> None:
    """Copy weights."""
    theirs.in_proj_weight.copy_(ours.qkv.weight)
    theirs.in_proj_bias.copy_(ours.qkv.bias)
    theirs.out_proj.load_state_dict(ours.out.state_dict())


@torch.no_grad()
def encoder_to(ours: EncoderLayer, theirs: nn.TransformerEncoderLayer) -> None:
    """Copy the weights of a layer of the encoder."""
    attention_to(ours.attention, theirs.self_attn)
    rest_to(ours, theirs, [theirs.norm1, theirs.norm2])


@torch.no_grad()
def decoder_to(ours: DecoderLayer, theirs: nn.TransformerDecoderLayer) -> None:
    """Copy the weights of a layer of the decoder."""
    attention_to(ours.attention, theirs.self_attn)
    attention_to(ours.cross, theirs.multihead_attn)
    rest_to(ours, theirs, [theirs.norm1, theirs.norm2, theirs.norm3])


def rest_to(ours: nn.Module, theirs: nn.Module, norms: list[nn.LayerNorm]) -> None:
    """Copy the feed-forward layer and the norms."""
    theirs.linear1.load_state_dict(ours.feed_forward.up.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.down.state_dict())
    for sublayer, norm in zip(ours.sublayers, norms, strict=True):
        norm.load_state_dict(sublayer.norm.state_dict())


def random_norms(model: nn.Module) -> nn.Module:
    """Scales and shifts that a wrong order of norms would show."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, Sublayer):
                module.norm.weight.normal_(1, 0.2)
                module.norm.bias.normal_(0, 0.2)
    return model.eval()


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A target, a memory, and which of their tokens are real."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 7, 32, generator=generator)
    memory = torch.randn(3, 9, 32, generator=generator)
    real = torch.arange(7) < torch.tensor([7, 4, 2])[:, None]
    memory_real = torch.arange(9) < torch.tensor([5, 9, 1])[:, None]
    return x, memory, real, memory_real


@proof(
    "Encoder layer, post- and pre-norm",
    ours="snippets.transformer.EncoderLayer",
    theirs="torch.nn.TransformerEncoderLayer",
    page=PAGE,
    bound=1e-5,
)
def encoder_layer() -> Pairs:
    """With padding."""
    _, memory, _, real = batch()
    for pre_norm in (False, True):
        torch.manual_seed(0)
        ours = random_norms(EncoderLayer(config(pre_norm)))
        theirs = nn.TransformerEncoderLayer(**SIZES, norm_first=pre_norm)
        encoder_to(ours, theirs)
        # in training mode without dropout: theirs then skips no padded positions
        theirs = no_dropout(theirs)
        found = theirs(memory, src_key_padding_mask=~real)
        yield ours(memory, real[:, None, None, :])[real], found[real]


@proof(
    "Decoder layer, post- and pre-norm",
    ours="snippets.transformer.DecoderLayer",
    theirs="torch.nn.TransformerDecoderLayer",
    page=PAGE,
    bound=1e-5,
)
def decoder_layer() -> Pairs:
    """Causal, with padding in target and memory."""
    x, memory, real, memory_real = batch()
    mask = real[:, None, None, :] & causal_mask(7)
    for pre_norm in (False, True):
        torch.manual_seed(0)
        ours = random_norms(DecoderLayer(config(pre_norm)))
        theirs = nn.TransformerDecoderLayer(**SIZES, norm_first=pre_norm)
        decoder_to(ours, theirs)
        found = no_dropout(theirs)(
            x,
            memory,
            tgt_mask=~causal_mask(7),
            tgt_key_padding_mask=~real,
            memory_key_padding_mask=~memory_real,
        )
        yield ours(x, memory, mask, memory_real[:, None, None, :])[real], found[real]


def no_dropout(model: nn.Module) -> nn.Module:
    """Training mode, in which nothing is dropped."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return model.train()


@proof(
    "Encoder and decoder together",
    ours="snippets.transformer.Transformer",
    theirs="torch.nn.Transformer",
    page=PAGE,
    bound=1e-5,
)
def whole() -> Pairs:
    """From embeddings to logits, post- and pre-norm."""
    generator = torch.Generator().manual_seed(1)
    source = torch.randint(1, 20, (2, 9), generator=generator)
    target = torch.randint(1, 20, (2, 7), generator=generator)
    source[1, 5:] = 0
    target[1, 4:] = 0
    for pre_norm in (False, True):
        torch.manual_seed(0)
        ours = random_norms(Transformer(config(pre_norm)))
        theirs = stack(ours, pre_norm)
        found = theirs(
            ours.embed(source),
            ours.embed(target),
            tgt_mask=~causal_mask(7),
            src_key_padding_mask=source == 0,
            tgt_key_padding_mask=target == 0,
            memory_key_padding_mask=source == 0,
        )
        logits = found @ ours.token.weight.T
        yield ours(source, target)[target != 0], logits[target != 0]


def stack(ours: Transformer, pre_norm: bool) -> nn.Transformer:
    """Theirs with our weights; a last norm only where ours has one."""
    with warnings.catch_warnings():  # about a fast path that it will not take
        warnings.simplefilter("ignore", UserWarning)
        theirs = nn.Transformer(
            **SIZES, num_encoder_layers=2, num_decoder_layers=2, norm_first=pre_norm
        )
    layers = zip(
        itertools.chain(ours.encoder, ours.decoder),
        itertools.chain(theirs.encoder.layers, theirs.decoder.layers),
        strict=True,
    )
    for mine, other in layers:
        copy = encoder_to if isinstance(mine, EncoderLayer) else decoder_to
        copy(mine, other)
    theirs.encoder.norm = ours.encoder_norm
    theirs.decoder.norm = ours.decoder_norm
    return no_dropout(theirs)


@proof(
    "Label smoothing",
    ours="snippets.transformer.smoothed_loss",
    theirs="torch.nn.CrossEntropyLoss",
    page=PAGE,
    bound=1e-5,
)
def smoothing() -> Pairs:
    """With padding, for several amounts."""
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 8, 20), torch.randint(0, 20, (3, 8))
    for amount in (0.0, 0.1, 0.5):
        loss = nn.CrossEntropyLoss(label_smoothing=amount, ignore_index=0)
        theirs = loss(logits.flatten(0, 1), targets.flatten())
        yield smoothed_loss(logits, targets, amount), theirs


@proof(
    "Cross-attention",
    ours="snippets.transformer.CrossAttention",
    theirs="torch.nn.functional.multi_head_attention_forward",
    page=PAGE,
    bound=1e-5,
)
def cross() -> Pairs:
    """Queries from one text, keys and values from another."""
    torch.manual_seed(0)
    x, memory, _, real = batch()
    ours, theirs = CrossAttention(32, 4), nn.MultiheadAttention(32, 4)
    with torch.no_grad():
        attention_to(ours, theirs)
    found, _ = F.multi_head_attention_forward(
        *(part.transpose(0, 1) for part in (x, memory, memory)),
        embed_dim_to_check=32,
        num_heads=4,
        in_proj_weight=theirs.in_proj_weight,
        in_proj_bias=theirs.in_proj_bias,
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=theirs.out_proj.weight,
        out_proj_bias=theirs.out_proj.bias,
        key_padding_mask=~real,
    )
    yield ours(x, memory, real[:, None, None, :]), found.transpose(0, 1)
