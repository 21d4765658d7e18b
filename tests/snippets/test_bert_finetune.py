"""`snippets/bert_finetune.py`, and what was recorded with it."""

import json

import pytest
import torch

from benchmarks import bert_finetune as recorded
from snippets import bert_finetune
from snippets.bert import CLS, PAD, SEP, Bert, BertConfig, BertForClassification
from snippets.bert_finetune import (
    MaxClassifier,
    accuracy,
    bag_of_words,
    fine_tune,
    spoken_or_told,
    swapped,
)
from snippets.bert_pretrain import load_pretrained, new_model, split_tales
from snippets.corpus import Tale
from snippets.data import read_data

TALE = Tale(
    "sea",
    "Three sentences",
    [
        '"I will not go out tonight," she said. He said it was late.',
        "The boat came back in the evening with all of its nets torn.",
    ],
)


def test_half_of_the_pieces_are_spoken_and_lose_their_marks():
    pieces = spoken_or_told([TALE])
    assert pieces[0] == ("I will not go out tonight", 1)
    assert [label for _, label in pieces] == [1, 0]
    assert len(pieces[1][0].split()) <= 6
    assert pieces == spoken_or_told([TALE])


def test_swapped_sentences_have_the_same_words_in_another_order():
    made = swapped(split_tales()[1])
    for (text, label), (other, swap) in zip(made[::2], made[1::2], strict=True):
        assert (label, swap) == (0, 1)
        assert text != other and sorted(text.split()) == sorted(other.split())
        apart = [a != b for a, b in zip(text.split(), other.split(), strict=True)]
        assert sum(apart) == 2 and apart[apart.index(True) + 1]


def test_rows_have_24_tokens_at_most():
    tokenizer = load_pretrained()[1]
    ids, labels = bert_finetune.as_rows([("the boat " * 30, 1), ("go", 0)], tokenizer)
    assert ids.shape == (2, 24) and labels.tolist() == [1, 0]
    assert ids[:, 0].tolist() == [CLS, CLS] and ids[0, -1] == SEP
    assert (ids[1, 3:] == PAD).all()


def test_the_maximum_leaves_padding_out():
    torch.manual_seed(0)
    model = MaxClassifier(Bert(BertConfig(20, 9, 8, 2, 1, 16)), 3).eval()
    ids = torch.randint(4, 20, (2, 5))
    longer = torch.nn.functional.pad(ids, (0, 4), value=PAD)
    torch.testing.assert_close(model(longer), model(ids))
    assert model(ids).shape == (2, 3)


def test_a_bag_of_words_counts_words_of_one_letter_and_no_order():
    train = [
        (f"{word} saw {other}", int(word == "i")) for word in "ix" for other in "abc"
    ]
    assert bag_of_words(train, train) == 1.0
    order = [("a b", 0), ("b a", 1)] * 3
    assert bag_of_words(order, order) == 0.5


def test_fine_tuning_learns_and_leaves_the_model_as_it_was():
    tokenizer = load_pretrained()[1]
    torch.manual_seed(0)
    model = new_model(len(tokenizer.words))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train = [("the boat came back .", 0), ("where are you going ?", 1)] * 48
    tuned = fine_tune(model, tokenizer, train, epochs=8, seed=0)
    assert type(tuned) is BertForClassification
    assert accuracy(tuned, tokenizer, train) == 1.0
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def runs() -> dict[tuple, torch.Tensor]:
    record = json.loads(read_data("bert_finetune.json"))
    assert {"date", "processor", "torch"} <= set(record["machine"])
    return {
        (run["task"], run["pretrained"], run["reader"]): torch.tensor(run["shares"])
        for run in record["runs"]
        if "shares" in run
    }


def test_what_the_page_says_of_the_recorded_runs():
    found = runs()
    assert all(shares.shape == (6,) for shares in found.values()) and len(found) == 8
    spoken = [found["spoken or told", start, "maximum"] for start in (False, True)]
    assert (spoken[1] > spoken[0]).all() and spoken[1].mean() > spoken[0].mean() + 0.04
    order = {
        reader: found["two words swapped", True, reader] for reader in recorded.READERS
    }
    assert (order["[CLS]"] < 0.53).all() and (order["maximum"] > 0.6).all()


@pytest.mark.parametrize("pretrained", [False, True])
def test_what_was_recorded_can_be_measured_again(pretrained):
    learn, held_out = split_tales()
    train, test = spoken_or_told(learn)[::9], spoken_or_told(held_out)[::9]
    (share,) = recorded.shares(train, test, "maximum", pretrained, 1, range(1))
    assert 0 <= share <= 1
