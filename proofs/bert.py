"""BERT of day 2 against the one of `transformers`."""

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import BertConfig as TheirConfig
from transformers import BertForPreTraining as TheirModel

from proofs import Pairs, proof
from snippets.bert import (
    NOT_CHOSEN,
    BertConfig,
    BertForPreTraining,
    mask_tokens,
    masked_lm_loss,
    pretraining_loss,
)

PAGE = "llm/day-2/bert.md"
CONFIG = BertConfig(
    vocab_size=60, context_length=20, d_model=32, n_heads=4, n_layers=3, d_ff=64
)


def models() -> tuple[BertForPreTraining, TheirModel]:
    """Ours with random weights, and theirs with the same."""
    torch.manual_seed(0)
    ours = BertForPreTraining(CONFIG).eval()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(std=0.3)
    theirs = TheirModel(
        TheirConfig(
            vocab_size=CONFIG.vocab_size,
            max_position_embeddings=CONFIG.context_length,
            hidden_size=CONFIG.d_model,
            num_attention_heads=CONFIG.n_heads,
            num_hidden_layers=CONFIG.n_layers,
            intermediate_size=CONFIG.d_ff,
        )
    ).eval()
    theirs.load_state_dict(renamed(ours), strict=True)
    return ours, theirs


def renamed(ours: BertForPreTraining) -> dict[str, Tensor]:
    """Our weights under the names of `transformers`."""
    own = ours.state_dict()
    found = {}
    layers = {"attention.out": "attention.output.dense"}
    layers |= {"norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}
    layers |= {"up": "intermediate.dense", "down": "output.dense"}
    tops = {
        "bert.embeddings.token": "bert.embeddings.word_embeddings",
        "bert.embeddings.position": "bert.embeddings.position_embeddings",
        "bert.embeddings.segment": "bert.embeddings.token_type_embeddings",
        "bert.embeddings.norm": "bert.embeddings.LayerNorm",
        "bert.pooler": "bert.pooler.dense",
        "words.dense": "cls.predictions.transform.dense",
        "words.norm": "cls.predictions.transform.LayerNorm",
        "next": "cls.seq_relationship",
    }
    for name in ("weight", "bias"):
        for ours_, theirs in tops.items():
            if f"{ours_}.{name}" in own:
                found[f"{theirs}.{name}"] = own[f"{ours_}.{name}"]
        for layer in range(CONFIG.n_layers):
            mine, base = f"bert.blocks.{layer}", f"bert.encoder.layer.{layer}"
            for ours_, theirs in layers.items():
                found[f"{base}.{theirs}.{name}"] = own[f"{mine}.{ours_}.{name}"]
            parts = own[f"{mine}.attention.qkv.{name}"].chunk(3)
            for part, value in zip(("query", "key", "value"), parts, strict=True):
                found[f"{base}.attention.self.{part}.{name}"] = value
    found["cls.predictions.bias"] = own["words.bias"]
    found["cls.predictions.decoder.bias"] = own["words.bias"]
    found["cls.predictions.decoder.weight"] = own["bert.embeddings.token.weight"]
    return found


def batch() -> dict[str, Tensor]:
    """Random ids with padding at the end of some rows, and two segments."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, CONFIG.vocab_size, (4, 16), generator=generator)
    lengths = torch.tensor([16, 9, 12, 3])
    real = torch.arange(16) < lengths[:, None]
    segments = (torch.arange(16) >= lengths[:, None] // 2) & real
    return {"ids": ids * real, "segments": segments.long(), "real": real}


@proof(
    "BERT: both logits",
    ours="snippets.bert.BertForPreTraining",
    theirs="transformers.BertForPreTraining",
    page=PAGE,
    bound=1e-5,
)
def logits() -> Pairs:
    """Words and next sentence, with padding."""
    ours, theirs = models()
    given = batch()
    with torch.no_grad():
        words, following = ours(**given)
        reference = theirs(given["ids"], given["real"], given["segments"])
    yield words, reference.prediction_logits
    yield following, reference.seq_relationship_logits


@proof(
    "BERT: both losses",
    ours="snippets.bert.pretraining_loss",
    theirs="transformers.BertForPreTraining",
    page=PAGE,
    bound=1e-5,
)
def losses() -> Pairs:
    """The sum of both; and that of masked words, which must not see other labels."""
    ours, theirs = models()
    given = batch()
    torch.manual_seed(2)
    inputs, labels = mask_tokens(given["ids"], CONFIG.vocab_size)
    is_next = torch.tensor([True, False, False, True])
    words, following = ours(inputs, given["segments"], given["real"])
    reference = theirs(
        inputs,
        given["real"],
        given["segments"],
        labels=labels,
        next_sentence_label=(~is_next).long(),
    )
    yield pretraining_loss(words, following, labels, is_next), reference.loss
    chosen = labels != NOT_CHOSEN
    few, following = ours(inputs, given["segments"], given["real"], chosen)
    yield pretraining_loss(few, following, labels[chosen], is_next), reference.loss
    yield few, reference.prediction_logits[chosen]
    from_words = masked_lm_loss(words, labels)
    scored = reference.prediction_logits[labels != NOT_CHOSEN]
    yield from_words, F.cross_entropy(scored, labels[labels != NOT_CHOSEN])
