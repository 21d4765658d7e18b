"""BERT: the model, its two heads, and the data for its two tasks.

Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding" (2018). Axes: `B` batch, `T` tokens, `C = d_model` channels, `V`
vocabulary. Masks are boolean, and True means: may attend.
"""

# --8<-- [start:imports]
import random
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snippets.attention import MultiHeadAttention, initialize_weights
from snippets.token_ids import check_shape

# --8<-- [end:imports]


# --8<-- [start:vocabulary]
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[MASK]"]
PAD, CLS, SEP, MASK = range(4)
NOT_CHOSEN = -100  # the label that cross-entropy leaves out
BUCKETS = 64  # tokens for all the words that have none of their own


class WordTokenizer:
    """Words and punctuation marks as tokens; the ids 0 to 3 are the special ones.

    A stand-in for WordPiece, which BERT uses. A word that is not in the vocabulary
    becomes one of 64 unknown tokens, always the same one, so that a name can still be
    told from another.
    """

    def __init__(self, words: Sequence[str]) -> None:
        unknown = [f"[UNK{number}]" for number in range(BUCKETS)]
        self.own_words = list(words)
        self.words = [*SPECIAL, *unknown, *words]
        self.ids = {word: number for number, word in enumerate(self.words)}

    @classmethod
    def train(cls, documents: Sequence[str], vocab_size: int) -> "WordTokenizer":
        """The most frequent words of those found in two documents or more.

        Of equals, the first in the alphabet. Raises ValueError if no word has room.
        """
        counts: Counter[str] = Counter()
        found_in: Counter[str] = Counter()
        for document in documents:
            words = split_words(document)
            counts.update(words)
            found_in.update(set(words))
        room = vocab_size - len(SPECIAL) - BUCKETS
        if room < 1:
            least = len(SPECIAL) + BUCKETS + 1
            raise ValueError(f"vocab_size={vocab_size}: it must be at least {least}")
        common = [word for word in counts if found_in[word] > 1 and word not in SPECIAL]
        return cls(sorted(common, key=lambda word: (-counts[word], word))[:room])

    def encode(self, text: str) -> list[int]:
        """The ids of a text's words; a special token may be written out: [MASK]."""
        return [self.id_of(word) for word in split_words(text)]

    def id_of(self, word: str) -> int:
        """The word's own id, or that of its bucket."""
        bucket = zlib.crc32(word.encode()) % BUCKETS
        return self.ids.get(word, len(SPECIAL) + bucket)

    def decode(self, ids: Sequence[int]) -> str:
        """Words with spaces between them: what split them is lost."""
        return " ".join(self.words[number] for number in ids)


def split_words(text: str) -> list[str]:
    """Words in lower case, punctuation marks, special tokens.

    >>> split_words('"Is it late?" asked [MASK].')
    ['"', 'is', 'it', 'late', '?', '"', 'asked', '[MASK]', '.']
    """
    found = re.findall(r"\[[A-Z]+\]|[A-Za-z]+(?:'[a-z]+)?|[^\sA-Za-z]", text)
    return [word if word in SPECIAL else word.lower() for word in found]


# --8<-- [end:vocabulary]


# --8<-- [start:config]
@dataclass(frozen=True)
class BertConfig:
    """The sizes of a model; as they stand, those of BERT-base.

    `init_std` is the standard deviation of the first weights: narrow models need a
    larger one, or all scores of attention start out equal.
    """

    vocab_size: int = 30_522
    context_length: int = 512
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int = 3072
    dropout: float = 0.1
    init_std: float = 0.02


# --8<-- [end:config]


# --8<-- [start:embeddings]
class BertEmbeddings(nn.Module):
    """Token, position and segment, each by a table, summed (section 3, figure 2).

    `forward` takes `ids` and `segments` (B, T), segments 0 or 1, and returns (B, T, C).
    Raises ValueError for more tokens than there are positions. Ids must lie in
    0 … V - 1, as a tokenizer's do.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.token = nn.Embedding(config.vocab_size, config.d_model)
        self.position = nn.Embedding(config.context_length, config.d_model)
        self.segment = nn.Embedding(2, config.d_model)
        self.norm = nn.LayerNorm(config.d_model, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        """Look up three vectors for each token."""
        check_shape(ids, self.position.num_embeddings)
        places = torch.arange(ids.size(1), device=ids.device)
        x = self.token(ids) + self.position(places) + self.segment(segments)
        return self.dropout(self.norm(x))  # (B, T, C)


# --8<-- [end:embeddings]


# --8<-- [start:encoder]
class BertBlock(nn.Module):
    """Attention and a feed-forward layer, each followed by LayerNorm (post-LN).

    `forward` takes `x` (B, T, C) and a mask that broadcasts to (B, H, T, T).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        C = config.d_model
        self.attention = MultiHeadAttention(C, config.n_heads)
        self.norm1 = nn.LayerNorm(C, eps=1e-12)
        self.up = nn.Linear(C, config.d_ff)
        self.down = nn.Linear(config.d_ff, C)
        self.norm2 = nn.LayerNorm(C, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """One layer of the encoder."""
        x = self.norm1(x + self.dropout(self.attention(x, mask)))
        hidden = F.gelu(self.up(x))  # (B, T, d_ff)
        return self.norm2(x + self.dropout(self.down(hidden)))


class Bert(nn.Module):
    """The encoder, and a summary of the text from the first token (the pooler).

    `forward` takes `ids`, `segments` and `real` (B, T); `real` is True for tokens and
    False for padding. It returns the states (B, T, C) and the summary (B, C).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(config)
        self.blocks = nn.ModuleList(BertBlock(config) for _ in range(config.n_layers))
        self.pooler = nn.Linear(config.d_model, config.d_model)

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read a batch of texts. Without `segments` all is segment 0."""
        segments = torch.zeros_like(ids) if segments is None else segments
        real = ids != PAD if real is None else real
        x = self.embeddings(ids, segments)
        mask = real[:, None, None, :]  # (B, 1, 1, T): nobody attends to padding
        for block in self.blocks:
            x = block(x, mask)
        return x, torch.tanh(self.pooler(x[:, 0]))


# --8<-- [end:encoder]


# --8<-- [start:word-head]
class MaskedLMHead(nn.Module):
    """Logits over the vocabulary, with the token embeddings as the last matrix.

    `forward` takes states (..., C) and the embeddings' weight (V, C); it returns
    (..., V).
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.d_model, config.d_model)
        self.norm = nn.LayerNorm(config.d_model, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """Score each word of the vocabulary."""
        x = self.norm(F.gelu(self.dense(states)))
        return x @ embeddings.T + self.bias  # (..., V)


# --8<-- [end:word-head]


# --8<-- [start:pretraining]
class BertForPreTraining(nn.Module):
    """BERT with its two heads (section 3.1): masked words, and the next sentence.

    `forward` takes what `Bert` takes and returns the logits of words (B, T, V) and of
    the next sentence (B, 2), where 0 means: it is the next one. With `chosen` (B, T),
    boolean, words are scored at those N positions only: (N, V). In training that saves
    most of the work of this head.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config)
        self.words = MaskedLMHead(config)
        self.next = nn.Linear(config.d_model, 2)
        self.apply(lambda module: initialize_weights(module, config.init_std))

    def forward(
        self,
        ids: Tensor,
        segments: Tensor | None = None,
        real: Tensor | None = None,
        chosen: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Both predictions for a batch of pairs."""
        states, summary = self.bert(ids, segments, real)
        if chosen is not None:
            states = states[chosen]  # (B, T, C) -> (N, C)
        embeddings = self.bert.embeddings.token.weight
        return self.words(states, embeddings), self.next(summary)


# --8<-- [end:pretraining]


# --8<-- [start:classification]
class BertForClassification(nn.Module):
    """BERT with a linear layer on the summary (section 4.1), for fine-tuning.

    `forward` takes what `Bert` takes and returns logits (B, n_classes).
    """

    def __init__(self, bert: Bert, n_classes: int) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(bert.embeddings.dropout.p)
        self.classes = nn.Linear(bert.pooler.out_features, n_classes)
        initialize_weights(self.classes, std=0.02)

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None
    ) -> Tensor:
        """Score each class."""
        _, summary = self.bert(ids, segments, real)
        return self.classes(self.dropout(summary))


# --8<-- [end:classification]


# --8<-- [start:word-loss]
def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the chosen positions only.

    Shapes: `logits` (B, T, V) and `labels` (B, T), `NOT_CHOSEN` where nothing is asked;
    or both of the chosen positions alone, (N, V) and (N,). Raises ValueError if nothing
    is asked at all: the mean would be 0/0.
    """
    if (labels == NOT_CHOSEN).all():
        raise ValueError("no position is chosen: there is nothing to predict")
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten())


# --8<-- [end:word-loss]


# --8<-- [start:both-losses]
def pretraining_loss(
    word_logits: Tensor, next_logits: Tensor, labels: Tensor, is_next: Tensor
) -> Tensor:
    """The sum of both losses (appendix A.2). `is_next` (B,) is boolean."""
    wrong = (~is_next).long()  # class 0: it is the next sentence
    return masked_lm_loss(word_logits, labels) + F.cross_entropy(next_logits, wrong)


# --8<-- [end:both-losses]


# --8<-- [start:masking]
def mask_tokens(
    ids: Tensor,
    vocab_size: int,
    share: float = 0.15,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Choose positions to predict and hide them (section 3.1, task 1).

    In each row, `share` of the tokens that are not special, at least one if there are
    any. Of the chosen ones 80 % become [MASK], 10 % a random word, 10 % stay. Shapes:
    `ids` (B, T); returns the inputs and the labels, both (B, T). A generator must be of
    the device that the ids are on.
    """
    ordinary = ids >= len(SPECIAL)
    noise = torch.rand(ids.shape, device=ids.device, generator=generator)
    noise = noise.masked_fill(~ordinary, 2.0)
    rank = noise.argsort(dim=1).argsort(dim=1)  # 0: the smallest of its row
    count = (share * ordinary.sum(dim=1, keepdim=True)).round().clamp(min=1)
    chosen = (rank < count) & ordinary

    # one draw for each: the cases exclude each other
    fate = torch.rand(ids.shape, device=ids.device, generator=generator)
    words = torch.randint(
        len(SPECIAL), vocab_size, ids.shape, device=ids.device, generator=generator
    )
    inputs = torch.where(chosen & (fate < 0.8), MASK, ids)
    inputs = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, inputs)
    return inputs, torch.where(chosen, ids, NOT_CHOSEN)


# --8<-- [end:masking]


# --8<-- [start:pairs]
Sentence = list[int]


@dataclass(frozen=True)
class Pair:
    """Two pieces of text, and whether the second follows the first."""

    first: list[int]
    second: list[int]
    is_next: bool


def draw_pair(
    documents: Sequence[Sequence[Sentence]], room: int, draw: random.Random
) -> Pair:
    """A pair for next-sentence prediction (section 3.1, task 2).

    In half of the cases the second piece follows the first; in the others it comes from
    another document, as in BERT's own code. Each piece is made of whole sentences,
    about `room // 2` tokens. Raises ValueError unless there are two documents, each of
    two sentences or more.
    """
    if len(documents) < 2:
        raise ValueError(f"{len(documents)} documents: pairs need at least two")
    for number, document in enumerate(documents):
        if len(document) < 2:
            raise ValueError(
                f"document {number} has {len(document)} sentences, not two"
            )
    here, elsewhere = draw.sample(range(len(documents)), 2)
    first, following = split_somewhere(documents[here], room // 2, draw)
    if draw.random() < 0.5:
        return Pair(first, following, True)
    # cut in the same way, so that its length does not give it away
    _, other = split_somewhere(documents[elsewhere], room // 2, draw)
    return Pair(first, other, other == following)  # the same words by chance: true


def split_somewhere(
    document: Sequence[Sentence], room: int, draw: random.Random
) -> tuple[list[int], list[int]]:
    """Two pieces that follow each other, each of `room` tokens or of one sentence."""
    cut = draw.randrange(1, len(document))
    before, after = list(document[cut - 1]), list(document[cut])
    for sentence in reversed(document[: cut - 1]):
        if len(before) + len(sentence) > room:
            break
        before = [*sentence, *before]
    for sentence in document[cut + 1 :]:
        if len(after) + len(sentence) > room:
            break
        after = [*after, *sentence]
    return before, after


# --8<-- [end:pairs]


# --8<-- [start:batch]
def truncate(
    first: list[int], second: list[int], most: int
) -> tuple[list[int], list[int]]:
    """Shorten the longer piece, token by token, until both together fit.

    What goes is the start of the first piece and the end of the second: the tokens that
    are farthest from the other piece. (BERT's own code takes either end at random.)
    """
    first, second = list(first), list(second)
    while len(first) + len(second) > most:
        if len(first) > len(second):
            first.pop(0)
        else:
            second.pop()
    return first, second


def batch_of(
    pairs: Sequence[Pair], context_length: int
) -> tuple[Tensor, Tensor, Tensor]:
    """`[CLS] first [SEP] second [SEP]`, filled up with [PAD] to equal length.

    Returns `ids` (B, T), `segments` (B, T) and `is_next` (B,). A pair whose second
    piece is empty becomes `[CLS] first [SEP]`. Raises ValueError for an empty batch.
    """
    if not pairs:
        raise ValueError("no pairs: a batch needs at least one")
    rows, marks = [], []
    for pair in pairs:
        first, second = truncate(pair.first, pair.second, context_length - 3)
        tail = [*second, SEP] if second else []
        rows.append([CLS, *first, SEP, *tail])
        marks.append([0] * (len(first) + 2) + [1] * len(tail))
    T = max(map(len, rows))
    ids = torch.tensor([row + [PAD] * (T - len(row)) for row in rows])
    segments = torch.tensor([mark + [0] * (T - len(mark)) for mark in marks])
    return ids, segments, torch.tensor([pair.is_next for pair in pairs])


# --8<-- [end:batch]
