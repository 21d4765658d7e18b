"""What all tokenizers ask of texts, special tokens, ids and files: the same."""

import codecs

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets import files
from snippets.corpus import load_text
from snippets.gpt import CharTokenizer
from snippets.mini_gpt.data import GPT2Tokenizer, vocab_size_of
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.checks import (
    check_names,
    check_texts,
    checked_ids,
    write_lines,
)
from snippets.tokenizers.unigram import UnigramTokenizer
from snippets.tokenizers.utf8 import ByteTokenizer
from snippets.tokenizers.wordpiece import WordPieceTokenizer

TEXT = "the cat sat on the mat and the cat and the rat sat "
TRAINED = {
    "byte": ByteTokenizer(),
    "character": CharTokenizer(TEXT),
    "gpt2": GPT2Tokenizer(),
    "bpe": BPETokenizer.train(TEXT, 270, special_tokens=["<end>"]),
    "wordpiece": WordPieceTokenizer.train(TEXT, 28),
    "unigram": UnigramTokenizer.train(TEXT, 274, byte_fallback=True),
    "unigram without bytes": UnigramTokenizer.train(TEXT, 18),
}
KINDS = {
    "bpe": BPETokenizer,
    "wordpiece": WordPieceTokenizer,
    "unigram": UnigramTokenizer,
}
every = pytest.mark.parametrize("tokenizer", TRAINED.values(), ids=TRAINED)
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


class TestTexts:
    @every
    def test_half_a_pair_is_named_with_its_place(self, tokenizer):
        with pytest.raises(ValueError, match=r"U\+D83D at 4 is a lone surrogate"):
            tokenizer.encode("the \ud83d")

    @kinds
    def test_nothing_is_learned_from_half_a_pair(self, kind):
        for texts in (TEXT + "\udc00", [TEXT, "\ud83d\ud83d"]):
            with pytest.raises(ValueError, match="is a lone surrogate"):
                kind.train(texts, 300)

    def test_a_stream_is_checked_too(self):
        with pytest.raises(ValueError, match=r"U\+DC00 at 1 is a lone surrogate"):
            list(TRAINED["bpe"].encode_stream(["a" * 90, "b\udc00 c"], size=9))

    @every
    @pytest.mark.parametrize("bad", [b"the", None, 7, ["the"]], ids=repr)
    def test_what_is_no_text(self, tokenizer, bad):
        with pytest.raises(TypeError, match=f"is a str, not {type(bad).__name__}"):
            tokenizer.encode(bad)

    @kinds
    def test_one_text_counts_as_a_list_of_one(self, kind):
        size = 270 if kind is BPETokenizer else 18
        one, many = kind.train(TEXT, size), kind.train([TEXT], size)
        assert one.encode("the cat") == many.encode("the cat")

    @kinds
    def test_no_text(self, kind):
        for nothing in ("", [], ["", ""]):
            with pytest.raises(ValueError, match="the texts are empty"):
                kind.train(nothing, 300)


class TestSpecialTokens:
    @pytest.mark.parametrize("kind", [BPETokenizer, WordPieceTokenizer])
    def test_one_name_in_place_of_a_list(self, kind):
        with pytest.raises(TypeError, match=r"'\[UNK\]' is one text: give a list"):
            kind.train(TEXT, 300, special_tokens="[UNK]")

    @pytest.mark.parametrize("kind", [BPETokenizer, WordPieceTokenizer])
    def test_names_that_are_none(self, kind):
        for names, error, message in (
            (["[UNK]", ""], ValueError, "a special token is empty"),
            (["[UNK]", "[UNK]"], ValueError, r"'\[UNK\]' is there 2 times"),
            (["[UNK]", "\ud83d"], ValueError, "is a lone surrogate"),
            (["[UNK]", 7], TypeError, "is a str, not int"),
        ):
            with pytest.raises(error, match=message):
                kind.train(TEXT, 300, special_tokens=names)

    @pytest.mark.parametrize("kind", [WordPieceTokenizer, UnigramTokenizer])
    def test_pieces_that_are_none(self, kind):
        def made(pieces):
            scored = [(piece, -1.0) for piece in pieces]
            return kind(scored if kind is UnigramTokenizer else pieces)

        for bad in ("", "\ud83d", "a"):
            with pytest.raises(ValueError, match=r"empty|surrogate|'a' is there 2"):
                made(["[UNK]", "<unk>", "a", bad])
        with pytest.raises(TypeError, match="is a str, not int"):
            made(["[UNK]", "<unk>", 7])
        with pytest.raises(ValueError, match="not among the 1 pieces"):
            made(["a"])

    def test_one_name_that_is_allowed(self):
        with pytest.raises(TypeError, match="allowed_special='<end>'"):
            TRAINED["bpe"].encode("a<end>", allowed_special="<end>")

    def test_longer_names_are_cut_out_before_shorter_ones(self):
        names = ["ab", "abcd"]
        with pytest.warns(UserWarning, match="no pair is left"):
            tokenizer = BPETokenizer.train("xabcd" * 9, 300, special_tokens=names)
        assert len(tokenizer.ranks) == 256


class TestIds:
    @every
    def test_lists_arrays_and_tensors_are_one(self, tokenizer):
        ids = tokenizer.encode("the cat")
        text = tokenizer.decode(ids)
        assert "the cat" in text
        for kind in (np.int64, np.uint16, np.int32):
            assert tokenizer.decode(np.array(ids, kind)) == text
            assert tokenizer.decode(list(np.array(ids, kind))) == text
        for kind in (torch.int64, torch.int32):
            assert tokenizer.decode(torch.tensor(ids, dtype=kind)) == text
            assert tokenizer.decode(list(torch.tensor(ids, dtype=kind))) == text
        assert tokenizer.decode(iter(ids)) == text
        assert tokenizer.decode([]) == tokenizer.decode(torch.tensor([])) == ""

    def test_streams_take_tensors_too(self):
        ids = torch.tensor(TRAINED["bpe"].encode("the cat"))
        assert "".join(TRAINED["bpe"].decode_stream(ids)) == "the cat"

    @every
    def test_ids_out_of_range(self, tokenizer):
        if isinstance(tokenizer, CharTokenizer | GPT2Tokenizer):
            size = vocab_size_of(tokenizer)
        else:
            size = getattr(tokenizer, "vocab_size", None) or len(tokenizer.pieces)
        for bad in (-1, size):
            for ids in ([0, bad], torch.tensor([0, bad])):
                message = (
                    f"id {bad} is not in the vocabulary: ids run from 0 to {size - 1}"
                )
                with pytest.raises(ValueError, match=message):
                    tokenizer.decode(ids)

    @every
    def test_what_is_no_id(self, tokenizer):
        for ids, shown in (
            ([0.5], "id 0.5 is not a whole number"),
            (torch.tensor([1.0]), "id 1.0 is not"),
            ([True], "id True is not"),
            (torch.tensor([True]), "id True is not"),
            (["1"], "id '1' is not"),
            ([None], "id None is not"),
            (torch.tensor([[1, 2]]), r"id \[1, 2\] is not"),
            ("12", "ids '12': give a list"),
            (7, "ids 7: give a list"),
            (torch.tensor(7), "ids 7: give a list"),
        ):
            with pytest.raises(TypeError, match=shown):
                tokenizer.decode(ids)


def test_checks_give_back_what_they_checked(tmp_path):
    assert list(check_texts("ab")) == list(check_texts(["ab"])) == ["ab"]
    assert check_names(iter(["b", "a"]), "piece") == ["b", "a"]
    assert checked_ids(np.array([1, 0]), range(2)) == [1, 0]
    write_lines(tmp_path / "lines", ["a", "é"])
    assert (tmp_path / "lines").read_bytes() == "a\né\n".encode()


class TestSizes:
    @pytest.mark.parametrize(
        ("train", "needed"),
        [
            (lambda n: BPETokenizer.train(TEXT, n, special_tokens=["<a>"]), 257),
            (lambda n: WordPieceTokenizer.train("abc", n), 8),
            (lambda n: UnigramTokenizer.train("abc", n), 5),
            (lambda n: UnigramTokenizer.train("abc", n, byte_fallback=True), 261),
        ],
        ids=["bpe", "wordpiece", "unigram", "unigram with bytes"],
    )
    @pytest.mark.filterwarnings("ignore:no pair|the texts have no more")
    def test_the_message_has_the_number_that_was_given(self, train, needed):
        for size in (1, needed - 1):
            message = f"vocab_size={size}: .* need at least {needed}"
            with pytest.raises(ValueError, match=message):
                train(size)
        train(needed)
        with pytest.raises(TypeError, match=r"vocab_size 300\.5 is not a whole number"):
            train(300.5)


def saved(kind):
    """A trained tokenizer of the kind that a file can keep."""
    return TRAINED[next(name for name, of in KINDS.items() if of is kind)]


class TestFiles:
    @kinds
    def test_a_byte_order_mark_is_skipped(self, kind, tmp_path):
        path = tmp_path / "vocabulary"
        saved(kind).save(path)
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
        ids = saved(kind).encode("the cat sat")
        assert kind.load(path).encode("the cat sat") == ids

    def test_a_mark_that_is_a_piece_is_kept(self, tmp_path):
        pieces = ["\ufeff", "[UNK]", "a"]
        WordPieceTokenizer(pieces).save(tmp_path / "vocab.txt")
        assert WordPieceTokenizer.load(tmp_path / "vocab.txt").pieces == pieces

    def test_the_first_piece_of_a_file_with_a_mark(self, tmp_path):
        path = tmp_path / "vocab.txt"
        path.write_bytes(codecs.BOM_UTF8 + b"[PAD]\r\n[UNK]\r\na\r\n")
        assert WordPieceTokenizer.load(path).pieces == ["[PAD]", "[UNK]", "a"]

    def test_a_text_with_a_mark(self, tmp_path):
        path = tmp_path / "text.txt"
        path.write_bytes(codecs.BOM_UTF8 + "hé\ufeff".encode())
        assert load_text(str(path)) == "hé\ufeff"

    @pytest.mark.parametrize("score", ["nan", "inf", "-inf", "x"])
    def test_scores_that_are_none(self, score, tmp_path):
        path = tmp_path / "own.vocab"
        path.write_text(f"<unk>\t0\n▁\t{score}\na\t-2\n", "utf8")
        with pytest.raises(ValueError, match=rf"own\.vocab is no unigram .*{score}"):
            UnigramTokenizer.load(path)
        if score != "x":
            with pytest.raises(ValueError, match=f"the score of '<unk>' is {score}"):
                UnigramTokenizer([("<unk>", float(score)), ("a", -1.0)])

    @kinds
    def test_a_save_that_fails_leaves_nothing(self, kind, tmp_path, monkeypatch):
        path = tmp_path / "vocabulary"
        saved(kind).save(path)
        before = path.read_bytes()

        def full(*_):
            raise OSError("no space left")

        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            saved(kind).save(path)
        assert [file.name for file in tmp_path.iterdir()] == ["vocabulary"]
        assert path.read_bytes() == before

    @pytest.mark.parametrize("kind", [WordPieceTokenizer, UnigramTokenizer])
    @pytest.mark.parametrize("end", ["\n", "\r"], ids=repr)
    def test_a_piece_that_fits_on_no_line(self, kind, end, tmp_path):
        pieces = ["[UNK]", "<unk>", f"a{end}b"]
        scored = [(piece, -1.0) for piece in pieces]
        tokenizer = kind(scored if kind is UnigramTokenizer else pieces)
        with pytest.raises(ValueError, match="does not fit on one line"):
            tokenizer.save(tmp_path / "vocabulary")
        assert list(tmp_path.iterdir()) == []


@given(text=st.text())
def test_bytes_are_the_ids(text):
    data = text.encode()
    assert TRAINED["byte"].encode(text) == list(data)
    for end in range(len(data)):
        cut = data[:end]
        assert TRAINED["byte"].decode(list(cut)) == cut.decode(errors="replace")
