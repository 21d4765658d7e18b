"""Ids in a mapped file, tokenizers in a checkpoint, windows, and bad texts."""

import os

import numpy as np
import pytest
import requests
import tiktoken
import torch

from snippets.corpus import load_text
from snippets.mini_gpt import data
from snippets.mini_gpt.data import (
    RandomWindows,
    load_corpus,
    make_tokenizer,
    mapped,
    tokenizer_from,
    tokenizer_state,
    vocab_size_of,
    whole_text,
    windows,
    write_ids,
)

TEXT = "Die Möwe schläft. 🐚 The gull is asleep.\nA crab walks by, sideways.\n" * 8
IDS = np.arange(100, dtype=np.uint16)


@pytest.mark.parametrize("kind", ["char", "bpe", "gpt2"])
def test_the_mapped_ids_are_those_of_the_text(tmp_path, kind):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf8", newline="\n")
    corpus = load_corpus(str(path), kind, tmp_path / "run", vocab_size=300)
    cut = int(0.9 * len(TEXT))
    for split, part in ((corpus.train, TEXT[:cut]), (corpus.validation, TEXT[cut:])):
        assert isinstance(split.ids, np.memmap)
        assert not split.ids.flags.writeable
        assert split.ids.tolist() == corpus.tokenizer.encode(part)
        assert corpus.tokenizer.decode(split.ids.tolist()) == part


def test_the_text_of_the_book_is_read_by_its_name(tmp_path):
    corpus = load_corpus("tales", "char", tmp_path)
    ids = [*corpus.train.ids.tolist(), *corpus.validation.ids.tolist()]
    assert corpus.tokenizer.decode(ids) == load_text("tales")


def test_the_ids_are_made_once_and_for_each_text_and_tokenizer(tmp_path, monkeypatch):
    tokenizer = make_tokenizer("char", TEXT)
    first = mapped([TEXT], "text", tokenizer, tmp_path)
    monkeypatch.setattr(tokenizer, "encode", lambda text: pytest.fail("once more"))
    assert mapped([TEXT], "text", tokenizer, tmp_path).tolist() == first.tolist()
    monkeypatch.undo()
    mapped([TEXT[1:]], "other", tokenizer, tmp_path)
    mapped([TEXT], "text", make_tokenizer("char", TEXT + "%"), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_ids_have_two_bytes_or_four(tmp_path):
    few = make_tokenizer("char", "abc")
    many = make_tokenizer("char", "".join(map(chr, range(0xE000, 0xE000 + 66_000))))
    assert mapped(["abc"], "abc", few, tmp_path).dtype == np.uint16
    last = chr(0xE000 + 65_999)
    assert mapped([last], "last", many, tmp_path).tolist() == [65_999]
    assert mapped([], "nothing", few, tmp_path).tolist() == []


SPACES = "  a  b \n\n c's d,\n  e!?  \n\tf   " + "x" * 40 + " y\u3000z 12 345  ."
SPACES += "if x:         y\n\n            z" * 20  # runs that a tokenizer learns


@pytest.mark.parametrize("kind", ["char", "bpe", "gpt2"])
@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_a_text_read_in_pieces_has_the_ids_of_the_whole(
    tmp_path, monkeypatch, kind, size
):
    text = (TEXT + SPACES) * 3
    path = tmp_path / "text.txt"
    path.write_text(text, "utf8", newline="\n")
    monkeypatch.setattr(data, "PIECE", size)
    corpus = load_corpus(str(path), kind, tmp_path / "run", vocab_size=300)
    cut = int(0.9 * len(text))
    encode = corpus.tokenizer.encode
    assert corpus.train.ids.tolist() == encode(text[:cut])
    assert corpus.validation.ids.tolist() == encode(text[cut:])
    pieces = list(data.read_part(str(path), 3, cut))
    assert "".join(pieces) == text[3:cut]
    assert size > 7 or max(map(len, pieces)) < 70  # never all of it in memory


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    facts = data.read_facts(str(path))
    assert facts.characters == "".join(sorted(set(TEXT)))
    assert facts.length == len(TEXT)


def test_another_text_is_noticed_before_anything_is_encoded(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf8")
    digest = load_corpus(str(path), "char", tmp_path / "a").digest
    path.write_text("?" + TEXT, "utf8")
    state = {"kind": "char", "characters": "".join(set(TEXT))}
    with pytest.raises(ValueError, match="the text has changed: "):
        load_corpus(str(path), "char", tmp_path / "b", state=state, digest=digest)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("kind", ["char", "bpe", "gpt2"])
def test_a_tokenizer_comes_back_from_its_state(kind):
    tokenizer = make_tokenizer(kind, TEXT, 300)
    again = tokenizer_from(tokenizer_state(tokenizer))
    assert again.encode(TEXT) == tokenizer.encode(TEXT)
    assert again.decode(again.encode(TEXT)) == TEXT
    assert vocab_size_of(again) == vocab_size_of(tokenizer)
    assert vocab_size_of(tokenizer) == {"bpe": 300, "gpt2": 50_257}.get(
        kind, len(set(TEXT))
    )


def test_bpe_learns_from_the_training_part_only(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("ab " * 300 + "xyz " * 20, "utf8")
    corpus = load_corpus(str(path), "bpe", tmp_path, vocab_size=258)
    assert not any(b"xyz" in token for token in corpus.tokenizer.ranks)


def test_a_run_that_goes_on_keeps_its_tokenizer(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf8", newline="\n")
    state = tokenizer_state(make_tokenizer("char", TEXT + "%$"))
    corpus = load_corpus(str(path), "char", tmp_path, state=state)
    assert tokenizer_state(corpus.tokenizer) == state


def test_a_window_and_its_targets():
    ids, targets = windows(IDS, torch.tensor([3, 40]), 4)
    assert ids.tolist() == [[3, 4, 5, 6], [40, 41, 42, 43]]
    assert targets.tolist() == [[4, 5, 6, 7], [41, 42, 43, 44]]
    assert ids.dtype == torch.int64


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_each_batch(world):
    alone = RandomWindows(IDS, 6, 8, seed=1, rank=0, world=1)
    parts = [
        RandomWindows(IDS, 6, 8, seed=1, rank=r, world=world) for r in range(world)
    ]
    for _ in range(5):
        rows = alone.next()[0].tolist()
        shared = [part.next()[0].tolist() for part in parts]
        assert sorted(rows) == sorted(row for part in shared for row in part)
        assert all(len(part) == 6 // world for part in shared)


def test_every_place_can_be_drawn_and_none_beyond():
    drawn = RandomWindows(IDS[:12], 64, 8, seed=0, rank=0, world=1)
    firsts = {row[0] for _ in range(20) for row in drawn.next()[0].tolist()}
    assert firsts == {0, 1, 2, 3}


@pytest.mark.parametrize("length", [9, 10, 16, 17, 18, 100])
def test_each_id_but_the_first_is_a_target_once(length):
    batches = list(whole_text(IDS[:length], 3, 8))
    targets = [n for _, part in batches for row in part.tolist() for n in row]
    inputs = [n for part, _ in batches for row in part.tolist() for n in row]
    assert targets == list(range(1, length))
    assert inputs == list(range(length - 1))


def test_a_long_text_is_evaluated_at_equal_distances():
    pieces = [part for part, _ in whole_text(IDS, 2, 8, most=25)]
    assert [row[0] for part in pieces for row in part.tolist()] == [0, 32, 64]
    assert [len(part) for part in pieces] == [2, 1]
    targets = [n for _, part in whole_text(IDS, 3, 8, most=99) for n in part.flatten()]
    assert len(targets) == 99
    assert sum(part.numel() for part, _ in whole_text(IDS, 3, 8, most=3)) == 8


def test_a_text_without_a_window_is_told():
    with pytest.raises(
        ValueError, match=r"training text has 8 ids.* takes 9: give more"
    ):
        RandomWindows(IDS[:8], 2, 8, seed=0, rank=0, world=1)
    RandomWindows(IDS[:9], 2, 8, seed=0, rank=0, world=1).next()


def test_a_batch_that_does_not_divide_is_told():
    with pytest.raises(ValueError, match="batch_size=5 does not divide by 2 processes"):
        RandomWindows(IDS, 5, 8, seed=0, rank=0, world=2)


def test_bad_texts_are_told(tmp_path):
    path = tmp_path / "text.txt"
    with pytest.raises(FileNotFoundError, match=r"no text .*text\.txt': use 'tales'"):
        load_corpus(str(path), "char", tmp_path)
    path.write_text("")
    with pytest.raises(ValueError, match=r"text\.txt' is empty: give a file"):
        load_corpus(str(path), "char", tmp_path)
    path.write_bytes(b"caf\xe9")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        load_corpus(str(path), "char", tmp_path)


def test_unknown_and_too_small_tokenizers_are_told():
    with pytest.raises(ValueError, match="no tokenizer 'word': there are char, bpe"):
        make_tokenizer("word", TEXT)
    with pytest.raises(ValueError, match="vocab_size=255: the 256 bytes alone need"):
        make_tokenizer("bpe", TEXT, 255)
    assert vocab_size_of(make_tokenizer("bpe", TEXT, 256)) == 256


def test_a_vocabulary_that_cannot_be_downloaded_is_told(monkeypatch):
    def offline(name: str) -> None:
        raise requests.exceptions.ConnectionError("no route")

    monkeypatch.setattr(tiktoken, "get_encoding", offline)
    with pytest.raises(ConnectionError, match=r"of GPT-2 \(no route\): go on"):
        make_tokenizer("gpt2", TEXT)


def test_ids_that_cannot_be_written_leave_nothing(tmp_path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.bin"
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"could not write .*a\.bin .*No space left"):
        write_ids(path, [IDS])
    assert list(tmp_path.iterdir()) == []
