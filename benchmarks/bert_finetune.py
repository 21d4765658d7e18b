"""The small BERT fine-tuned on two tasks from the tales, beside a bag of words.

    python -m benchmarks.bert_finetune

Pretrained and fresh, read at [CLS] and at the maximum over positions, for three epochs
from six seeds each: the share of examples from held-out tales that is right. With
`--record`, what was found is kept in `snippets/data/bert_finetune.json`, from which the
page on BERT draws.
"""

from typing import Any

import torch

from benchmarks.record import main
from snippets.bert import BertForClassification
from snippets.bert_finetune import (
    Examples,
    MaxClassifier,
    accuracy,
    bag_of_words,
    fine_tune,
    spoken_or_told,
    swapped,
)
from snippets.bert_pretrain import load_pretrained, new_model, split_tales

TASKS = {"spoken or told": spoken_or_told, "two words swapped": swapped}
READERS = {"[CLS]": BertForClassification, "maximum": MaxClassifier}
EPOCHS, SEEDS = 3, range(6)


def shares(
    train: Examples,
    test: Examples,
    reader: str,
    pretrained: bool,
    epochs: int = EPOCHS,
    seeds: range = SEEDS,
) -> list[float]:
    """What is right after fine-tuning, for each seed."""
    model, tokenizer = load_pretrained()
    found = []
    for seed in seeds:
        torch.manual_seed(seed)
        start = model if pretrained else new_model(model.config.vocab_size)
        tuned = fine_tune(start, tokenizer, train, epochs, seed, READERS[reader])
        found.append(round(accuracy(tuned, tokenizer, test), 4))
    return found


def measure() -> list[dict[str, Any]]:
    """All tasks and ways; prints a line for each."""
    learn, held_out = split_tales()
    runs = []
    for task, examples in TASKS.items():
        train, test = examples(learn), examples(held_out)
        bag = round(bag_of_words(train, test), 4)
        runs.append({"task": task, "bag": bag, "train": len(train), "test": len(test)})
        for reader in READERS:
            for pretrained in (False, True):
                found = shares(train, test, reader, pretrained)
                way = {"reader": reader, "pretrained": pretrained, "shares": found}
                runs.append({"task": task, **way})
        for run in runs:
            if run["task"] == task:
                print(run, flush=True)
    return runs


if __name__ == "__main__":
    main("bert_finetune", __doc__ or "", measure)
