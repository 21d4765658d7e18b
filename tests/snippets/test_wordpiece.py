"""WordPiece: the same ids as 🤗 tokenizers, and training worked by hand."""

import functools
import itertools
import sys
import unicodedata
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from snippets.corpus import load_text
from snippets.tokenizers.wordpiece import (
    WordPieceTokenizer,
    bert_words,
    learn_pieces,
    longest_match,
)
from tests.hard_strings import HARD

TALES = load_text("tales")
TEXTS = [TALES[:40_000], *HARD.values()]
# 🤗 tokenizers has the categories of an old Unicode: characters that never changed
LONG_KNOWN = "".join(
    c
    for c in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(c) not in ("Cn", "Cs")
    and unicodedata.category(c) == unicodedata.ucd_3_2_0.category(c)
)
NAMES = ["[UNK]", "[unk]", "[SEP]", "##", "##s", "Σ", "ΟΔΟΣ", "İ", "ẞ"]
hard = pytest.mark.parametrize("text", HARD.values(), ids=HARD)
both = pytest.mark.parametrize("lowercase", [True, False], ids=["lower", "cased"])


@functools.cache
def trained(lowercase: bool = True) -> WordPieceTokenizer:
    """A tokenizer of 900 pieces."""
    return WordPieceTokenizer.train(TEXTS, 900, lowercase=lowercase)


@functools.cache
def theirs_of(lowercase: bool = True):
    """The same in 🤗 tokenizers."""
    return trained(lowercase).to_hugging_face()


def words_of(theirs, text: str) -> list[str]:
    """The words that a tokenizer of 🤗 tokenizers splits a text into."""
    normal = theirs.normalizer.normalize_str(text)
    return [word for word, _ in theirs.pre_tokenizer.pre_tokenize_str(normal)]


class TestEqualToHuggingFace:
    @both
    @hard
    def test_pieces(self, lowercase, text):
        theirs = theirs_of(lowercase)
        assert trained(lowercase).tokens(text) == theirs.encode(text).tokens

    @both
    def test_ids_of_the_tales(self, lowercase):
        ours, theirs = trained(lowercase), theirs_of(lowercase)
        assert ours.encode(TALES) == theirs.encode(TALES).ids
        ids = ours.encode(TALES[:3000])
        assert ours.decode(ids) == theirs.decode(ids)

    @both
    @given(text=st.text(alphabet=LONG_KNOWN))
    @settings(max_examples=300, deadline=None)
    def test_ids_of_any_text(self, lowercase, text):
        ours, theirs = trained(lowercase), theirs_of(lowercase)
        assert ours.encode(text) == theirs.encode(text).ids

    @both
    @given(
        text=st.lists(
            st.sampled_from(
                [*NAMES, *"\x00\x1c\u200b\ufeff\ufffd\u0301猫か", *"the sea.\n\t '"]
            )
        ).map("".join)
    )
    @settings(max_examples=300, deadline=None)
    def test_special_and_control_characters(self, lowercase, text):
        ours, theirs = trained(lowercase), theirs_of(lowercase)
        assert ours.tokens(text) == theirs.encode(text).tokens
        assert bert_words(text, lowercase) == words_of(theirs, text)

    def test_the_last_sigma_of_a_word_is_no_other_letter(self):
        assert bert_words("ΟΔΟΣ Σ") == ["οδοσ", "σ"]
        assert "ΟΔΟΣ".lower() == "οδος"

    def test_only_characters_newer_than_its_tables_differ(self):
        for c in LONG_KNOWN:
            assert bert_words(f"a{c}b") == words_of(theirs_of(), f"a{c}b"), hex(ord(c))

    def test_long_words(self):
        for length in (99, 100, 101):
            word = "a" * length
            assert trained().tokens(word) == theirs_of().encode(word).tokens
        assert trained().tokens("a" * 101) == ["[UNK]"]


class TestTraining:
    def test_first_piece_of_the_hugging_face_course(self):
        words = Counter({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5})
        # f(##g ##s) = 5, f(##g) = 20, f(##s) = 5: 1/20, the highest of all
        assert learn_pieces(words, 8)[7:] == ["##gs"]
        # all others are equal then, 1/36: the course takes hu, we the most frequent
        assert learn_pieces(words, 9)[7:] == ["##gs", "pu"]

    def test_every_step_takes_the_highest_score(self):
        words = Counter(bert_words(TALES[:3000]))
        pieces = learn_pieces(words, 120)
        spelled = {w: [w[0], *("##" + c for c in w[1:])] for w in words}
        alphabet = sorted({p for word in spelled.values() for p in word})
        assert pieces[: len(alphabet)] == alphabet
        for new in pieces[len(alphabet) :]:
            single, pairs = Counter(), Counter()
            for word, parts in spelled.items():
                for part in parts:
                    single[part] += words[word]
                for pair in itertools.pairwise(parts):
                    pairs[pair] += words[word]
            scores = {
                (a, b): Fraction(n, single[a] * single[b])
                for (a, b), n in pairs.items()
            }
            best = {p for p in scores if scores[p] == max(scores.values())}
            chosen = [p for p in best if p[0] + p[1].removeprefix("##") == new]
            assert chosen, (new, best)
            for word, parts in spelled.items():
                spelled[word] = merged(parts, chosen[0], new)

    def test_says_where_it_stopped(self):
        with pytest.warns(UserWarning, match="7 pieces, not vocab_size=50"):
            WordPieceTokenizer.train("abc", 50, special_tokens=["[UNK]", "[PAD]"])

    def test_a_pair_that_occurs_once_wins_unless_there_is_a_floor(self):
        words = Counter(bert_words(TALES)) + Counter(["ξψ"])
        letters = len(learn_pieces(words, 0))
        assert learn_pieces(words, letters + 1)[-1] == "ξψ"
        assert "ξψ" not in learn_pieces(words, letters + 8, min_frequency=2)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="texts are empty"):
            WordPieceTokenizer.train(["", " \n"], 50)
        with pytest.raises(ValueError, match=r"vocab_size=6: .* need at least 8"):
            WordPieceTokenizer.train("abc", 6)


def merged(parts: list[str], pair: tuple[str, str], new: str) -> list[str]:
    out = []
    for part in parts:
        if out and (out[-1], part) == pair:
            out[-1] = new
        else:
            out.append(part)
    return out


def test_greedy_match_takes_the_longest_start():
    vocabulary = {p: n for n, p in enumerate(["un", "una", "##able", "##ble", "##a"])}
    assert longest_match("unable", vocabulary) == ["una", "##ble"]
    assert longest_match("unables", vocabulary) == ["[UNK]"]


class TestFiles:
    def test_saved_and_loaded_gives_equal_ids(self, tmp_path):
        trained().save(tmp_path / "vocab.txt")
        again = WordPieceTokenizer.load(tmp_path / "vocab.txt")
        trained().to_hugging_face().save(str(tmp_path / "tokenizer.json"))
        theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        for text in [*HARD.values(), TALES]:
            assert (
                again.encode(text) == trained().encode(text) == theirs.encode(text).ids
            )

    def test_other_files_are_refused(self, tmp_path):
        path = tmp_path / "vocab.txt"
        for bad in ("", "a\nb\n", "[UNK]\na\na\n", "[UNK]\n\na\n"):
            path.write_text(bad)
            with pytest.raises(ValueError, match=r"vocab\.txt is no WordPiece"):
                WordPieceTokenizer.load(path)
        path.write_bytes(b"[UNK]\n\xff")
        with pytest.raises(ValueError, match=r"vocab\.txt is no WordPiece"):
            WordPieceTokenizer.load(path)


def test_ids_out_of_range():
    for bad in (900, -1):
        with pytest.raises(ValueError, match=f"id {bad} is not in the vocabulary"):
            trained().decode([5, bad])
