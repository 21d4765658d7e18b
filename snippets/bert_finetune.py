"""Fine-tune the small BERT on two tasks from the tales, beside a bag of words.

Each task is a list of examples, a text and its class, 0 or 1. Axes: `B` batch, `T`
tokens, `C` channels.
"""

# --8<-- [start:imports]
import copy
import random
import re

import torch
import torch.nn.functional as F
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from snippets.bert import (
    PAD,
    BertForClassification,
    BertForPreTraining,
    Pair,
    WordTokenizer,
    batch_of,
)
from snippets.corpus import Tale
from snippets.modes import evaluating

# --8<-- [end:imports]


# --8<-- [start:tasks]
Examples = list[tuple[str, int]]


def spoken_or_told(some: list[Tale]) -> Examples:
    """What somebody says (1), and as many pieces of other sentences (0).

    All without marks; the told ones are cut to the lengths of the spoken ones, so that
    length does not tell them apart.
    """
    spoken: list[list[str]] = []
    told: list[list[str]] = []
    for sentence in (s for tale in some for s in tale.sentences):
        quoted = re.findall(r'"([^"]+)"', sentence)
        words = (quoted[0] if quoted else sentence).strip(" ,.?!").split()
        if len(words) >= 4:
            (spoken if quoted else told).append(words)
    draw = random.Random(0)
    draw.shuffle(told)
    lengths = [len(words) for words in spoken]
    told = [words[: draw.choice(lengths)] for words in told[: len(spoken)]]
    return [(" ".join(w), label) for label, of in ((1, spoken), (0, told)) for w in of]


def swapped(some: list[Tale]) -> Examples:
    """Sentences of 6 to 16 words, each as it is (0), then with two swapped (1)."""
    draw, made = random.Random(0), []
    for sentence in (s for tale in some for s in tale.sentences):
        words = sentence.split()
        place = draw.randrange(1, max(2, len(words) - 2))
        if 6 <= len(words) <= 16 and words[place] != words[place + 1]:
            other = words.copy()
            other[place], other[place + 1] = words[place + 1], words[place]
            made += [(sentence, 0), (" ".join(other), 1)]
    return made


# --8<-- [end:tasks]


# --8<-- [start:maximum]
class MaxClassifier(BertForClassification):
    """Reads each channel's maximum over the positions in place of the summary.

    `forward` takes what `Bert` takes and returns logits (B, n_classes).
    """

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None
    ) -> Tensor:
        """Score each class."""
        real = ids != PAD if real is None else real
        states, _ = self.bert(ids, segments, real)  # (B, T, C)
        least = torch.finfo(states.dtype).min
        largest = states.masked_fill(~real[..., None], least).amax(dim=1)  # (B, C)
        return self.classes(self.dropout(largest))


# --8<-- [end:maximum]


# --8<-- [start:fine-tune]
def as_rows(some: Examples, tokenizer: WordTokenizer) -> tuple[Tensor, Tensor]:
    """Ids (N, T) of `[CLS] text [SEP]`, 24 tokens at most, and labels (N,)."""
    pairs = [Pair(tokenizer.encode(text)[:22], [], True) for text, _ in some]
    return batch_of(pairs, 25)[0], torch.tensor([label for _, label in some])


def fine_tune(
    model: BertForPreTraining,
    tokenizer: WordTokenizer,
    train: Examples,
    epochs: int,
    seed: int,
    kind: type[BertForClassification] = BertForClassification,
) -> BertForClassification:
    """A copy of the model's encoder with a new layer on it, all of it trained."""
    torch.manual_seed(seed)
    classifier = kind(copy.deepcopy(model.bert), 2).train()
    optimizer = torch.optim.AdamW(classifier.parameters())
    ids, labels = as_rows(train, tokenizer)
    steps = epochs * len(ids) // 32
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 1e-3 * min((step + 1) / 10, 1 - step / steps)
        some = torch.randint(len(ids), (32,))
        loss = F.cross_entropy(classifier(ids[some]), labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return classifier


def accuracy(
    classifier: BertForClassification, tokenizer: WordTokenizer, test: Examples
) -> float:
    """The share of examples that a classifier gets right."""
    ids, labels = as_rows(test, tokenizer)
    with evaluating(classifier), torch.no_grad():
        found = classifier(ids).argmax(dim=-1)
    return (found == labels).float().mean().item()


# --8<-- [end:fine-tune]


# --8<-- [start:bag]
def bag_of_words(train: Examples, test: Examples) -> float:
    """The share that a logistic regression on counts of words gets right.

    All words count, also those of one letter, such as *I*.
    """
    counter = CountVectorizer(min_df=2, token_pattern=r"(?u)\b\w+\b")
    counts = counter.fit_transform(text for text, _ in train)
    regression = LogisticRegression(max_iter=1000)
    regression.fit(counts, [label for _, label in train])
    counts = counter.transform(text for text, _ in test)
    return float(regression.score(counts, [label for _, label in test]))


# --8<-- [end:bag]
