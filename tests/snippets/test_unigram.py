"""The unigram tokenizer: equal to SentencePiece, and its mathematics by brute force."""

import io
import itertools
import math
import random
import unicodedata
from collections import Counter

import pytest
import sentencepiece
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from snippets.corpus import tales
from snippets.tokenizers.sentencepiece_names import SPACE
from snippets.tokenizers.unigram import (
    Lattices,
    Scores,
    UnigramTokenizer,
    bits_per_character,
    count_pieces_of,
    digamma,
    forward,
    learn_unigram,
    n_best,
    normalize,
    sample,
    split_at_spaces,
    viterbi,
)
from snippets.tokenizers.unigram_conversion import control_cuts
from tests.hard_strings import HARD

TALES = [p for tale in tales() for p in tale.paragraphs]
LEARN, HELD_OUT = TALES[: len(TALES) * 3 // 4], TALES[len(TALES) * 3 // 4 :]
SIZE = 1000
hard = pytest.mark.parametrize("text", HARD.values(), ids=HARD)


def sentencepiece_model(**options) -> sentencepiece.SentencePieceProcessor:
    """A unigram model trained on the same text, split into words in the same way."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LEARN),
        model_writer=written,
        vocab_size=SIZE,
        model_type="unigram",
        character_coverage=1.0,
        split_by_unicode_script=False,
        split_by_number=False,
        minloglevel=2,
        **{"bos_id": -1, "eos_id": -1, **options},
    )
    return sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())


def pieces_of(model) -> list[tuple[str, float]]:
    return [(model.id_to_piece(i), model.get_score(i)) for i in range(len(model))]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "bytes"])
def pair(request):
    """SentencePiece's own pieces, in our tokenizer and in SentencePiece."""
    model = sentencepiece_model(byte_fallback=request.param)
    return UnigramTokenizer(pieces_of(model)), model


@pytest.fixture(scope="module")
def own():
    return UnigramTokenizer.train(LEARN, SIZE, byte_fallback=False)


class TestEqualToSentencePiece:
    @hard
    def test_ids_of_text_that_it_normalised(self, pair, text):
        ours, theirs = pair
        assert ours.encode_normalized(theirs.normalize(text)) == theirs.encode(text)

    def test_ids_of_the_tales(self, pair):
        ours, theirs = pair
        for text in TALES:
            assert ours.encode(text) == theirs.encode(text)
            assert ours.decode(ours.encode(text)) == theirs.decode(theirs.encode(text))

    @given(text=st.text(alphabet="abcde theand.,", max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_ids_of_any_text(self, pair, text):
        ours, theirs = pair
        assert ours.encode(text) == theirs.encode(text)

    def test_ids_of_long_texts(self, pair):
        ours, theirs = pair
        for start in range(0, len(TALES), 60):
            text = " ".join(TALES[start : start + 60])
            assert ours.encode(text) == theirs.encode(text)

    @given(data=st.data())
    @settings(max_examples=300, deadline=None)
    def test_text_of_any_ids(self, pair, data):
        ours, theirs = pair
        kinds = st.integers(0, 258) | st.integers(0, len(theirs) - 1)
        ids = data.draw(st.lists(kinds, max_size=12))
        assert ours.decode(ids) == theirs.decode(ids)

    def test_bytes_that_are_no_text(self, pair):
        ours, theirs = pair
        if ours.byte_fallback:
            start = ours.ids["<0x00>"]
            for data in (
                b"\xe7\x8c",
                b"\xf4\x90\x80\x80a",
                b"\xed\xa0\xbd\xe7\x8c\xab\xe7",
            ):
                ids = [start + byte for byte in data]
                assert ours.decode(ids) == theirs.decode(ids)
            assert ours.decode([start + 0xE7, start + 0x8C]) == "\ufffd\ufffd"

    def test_control_pieces_are_left_out_and_a_leading_unknown_keeps_its_space(self):
        theirs = sentencepiece_model(bos_id=1, eos_id=2)
        ours = UnigramTokenizer(pieces_of(theirs))
        for ids in ([1, *theirs.encode("the sea"), 2], [0], [1, 0, 2], [0, 0], []):
            assert ours.decode(ids) == theirs.decode(ids)
        assert ours.decode([0]) == " \u2047 "
        for text in ("<s>", "</s> a", "a<unk>b"):
            assert ours.encode(text) == theirs.encode(text)

    def test_best_scores(self, pair):
        ours, theirs = pair
        texts = [text for text in [*HARD.values(), *HELD_OUT] if len(text) < 300]
        written = [theirs.normalize(text) for text in texts]
        for text, form in zip(texts, written, strict=True):
            if form:  # SentencePiece scores no empty text
                found = theirs.nbest_encode_as_proto(text, nbest_size=2).nbests[0]
                score = viterbi(form, ours.scores)[1]
                assert score == pytest.approx(found.score, abs=1e-3)
        assert sum(map(bool, written)) > 40

    def test_n_best_in_the_same_order(self, pair):
        ours, theirs = pair
        text = "the lighthouse keeper"
        found = [ids for ids, _ in ours.encode_n_best(text, 5)]
        assert found == theirs.nbest_encode(text, nbest_size=5)


ODD = [
    "\x00",
    "\x1c",
    "\x1f",
    "\x85",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u0301",
    SPACE,
    "猫",
    "👍",
]
NAMES = ["<unk>", "<s>", "</s>", "<pad>", "<0x41>", "<0xe7>", "<0x", "<", ">"]
lasting = st.characters(max_codepoint=0x33FF).filter(
    lambda c: unicodedata.category(c) == unicodedata.ucd_3_2_0.category(c) != "Cn"
)
odd_text = st.lists(
    st.sampled_from([*ODD, *NAMES, *"the sea. \n\t", "  "]) | lasting
).map("".join)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "bytes"])
def exported(request):
    """Our own pieces with control pieces, here and in 🤗 tokenizers."""
    learned = UnigramTokenizer.train(LEARN[:200], 700, byte_fallback=request.param)
    pieces = [*learned.pieces, ("<s>", 0.0), ("</s>", 0.0), ("<pad>", 0.0)]
    ours = UnigramTokenizer(pieces)
    return ours, ours.to_hugging_face()


class TestEqualToHuggingFace:
    @hard
    def test_ids_of_hard_text(self, exported, text):
        ours, theirs = exported
        assert ours.encode(text) == theirs.encode(text).ids

    @given(text=odd_text)
    @settings(max_examples=400, deadline=None)
    def test_ids_and_text_of_any_text(self, exported, text):
        ours, theirs = exported
        ids = ours.encode(text)
        assert theirs.encode(text).ids == ids
        if ours.ids["<unk>"] not in ids:
            assert theirs.decode(ids, skip_special_tokens=False) == ours.decode(ids)

    def test_names_of_control_pieces_in_a_text_are_text(self, exported):
        ours, theirs = exported
        for name in ("<unk>", "<s>", "</s>", "<pad>", "<0x41>"):
            for text in (name, f"a{name}b", f"{name}{name}", f"the {name} sea"):
                ids = ours.encode(text)
                assert theirs.encode(text).ids == ids
                assert ours.ids.get(name) not in set(ids) - {ours.ids["<unk>"]}

    def test_control_pieces_are_cut_where_no_piece_reaches_across(self):
        assert control_cuts(["<unk>"], ["u"], False) == "(?<=<)(?=unk>)"
        assert control_cuts(["<unk>"], ["u", "<u"], False) == "(?<=<u)(?=nk>)"
        assert control_cuts(["<unk>"], ["k"], False) == "(?<=<un)(?=k>)"

    def test_what_it_cannot_express_is_said(self):
        parts = [("<unk>", 0.0), ("<u", -1.0), ("un", -1.0), ("nk", -1.0), ("k>", -1.0)]
        with pytest.raises(
            ValueError, match="a text with '<unk>' would have other ids"
        ):
            UnigramTokenizer(parts).to_hugging_face()

    def test_trained_scores_add_up_exactly(self, own):
        assert all((1024 * score).is_integer() for _, score in own.pieces)

    def test_ids_of_the_tales(self, own):
        theirs = own.to_hugging_face()
        for text in TALES:
            ids = theirs.encode(text).ids
            assert own.encode(text) == ids
            if own.ids["<unk>"] not in ids:  # shown differently
                assert own.decode(ids) == theirs.decode(ids)

    def test_with_bytes(self, tmp_path):
        tokenizer = UnigramTokenizer.train(LEARN[:200], 700, byte_fallback=True)
        tokenizer.to_hugging_face().save(str(tmp_path / "tokenizer.json"))
        theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        for text in ("naïve 猫", "👍🏽 ok", "a  b\tc"):
            assert tokenizer.encode(text) == theirs.encode(text).ids
            assert tokenizer.decode(tokenizer.encode(text)) == theirs.decode(
                theirs.encode(text).ids, skip_special_tokens=False
            )


TOY = Scores({"a": -2.0, "b": -2.5, "ab": -3.0, "ba": -3.2, "aba": -5.0})


def segmentations(text: str) -> list[tuple[list[str], float]]:
    """All of them, with their scores, by brute force."""
    found = []
    for cuts in itertools.product([0, 1], repeat=len(text) - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [len(text)]
        pieces = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        if all(piece in TOY for piece in pieces):
            found.append((pieces, sum(TOY[piece] for piece in pieces)))
    return sorted(found, key=lambda item: -item[1])


class TestByBruteForce:
    @given(text=st.text(alphabet="ab", min_size=1, max_size=9))
    @settings(max_examples=60, deadline=None)
    def test_best_n_best_and_total(self, text):
        every = segmentations(text)
        assert viterbi(text, TOY)[1] == pytest.approx(every[0][1], abs=1e-5)
        scores = [score for _, score in n_best(text, TOY, 4)]
        assert scores == pytest.approx([score for _, score in every[:4]])
        total = math.log(sum(math.exp(score) for _, score in every))
        assert forward(text, TOY)[-1] == pytest.approx(total)

    def test_expected_counts(self):
        words = Counter({"abab": 3, "ba": 2})
        lattices = Lattices(words, TOY)
        counts, total = lattices.expected_counts([math.exp(s) for s in TOY.values()])
        expected, log_probability = Counter(), 0.0
        for word, weight in words.items():
            every = segmentations(word)
            mass = sum(math.exp(score) for _, score in every)
            log_probability += weight * math.log(mass)
            for pieces, score in every:
                for piece in pieces:
                    expected[piece] += weight * math.exp(score) / mass
        assert counts == pytest.approx([expected[piece] for piece in TOY])
        assert total == pytest.approx(log_probability)

    @pytest.mark.parametrize("inverse_heat", [0.2, 1.0, 3.0])
    def test_samples_come_in_proportion(self, inverse_heat):
        draw, n = random.Random(0), 4000
        seen = Counter(tuple(sample("abab", TOY, draw, inverse_heat)) for _ in range(n))
        every = segmentations("abab")
        shares = [math.exp(inverse_heat * score) for _, score in every]
        for (pieces, _), share in zip(every, shares, strict=True):
            p = share / sum(shares)
            error = math.sqrt(p * (1 - p) / n)
            assert abs(seen[tuple(pieces)] / n - p) < 4 * error

    def test_digamma(self):
        for x in (0.5, 1.0, 3.7, 250.0):
            expected = torch.digamma(torch.tensor(x, dtype=torch.float64)).item()
            assert digamma(x) == pytest.approx(expected, abs=1e-9)


class TestTraining:
    def test_at_most_one_percent_behind_sentencepiece(self, own):
        theirs = sentencepiece_model()
        scores = Scores(pieces_of(theirs)[1:])
        assert len(own.scores) == len(scores)
        text = "".join(map(normalize, LEARN))
        ours = bits_per_character(text, own.scores)
        assert ours < 1.01 * bits_per_character(text, scores)

    def test_em_never_makes_the_text_less_probable(self):
        words = count_pieces_of(LEARN[:100])
        scores = learn_unigram(words, 300)
        totals = []
        for _ in range(4):
            lattices = Lattices(words, scores)
            shares = [math.exp(score) for score in scores.values()]
            counts, total = lattices.expected_counts(shares)
            totals.append(total)
            scale = math.log(sum(counts))
            pairs = zip(lattices.pieces, counts, strict=True)
            scores = Scores((piece, math.log(n) - scale) for piece, n in pairs if n)
        assert totals == sorted(totals)
        assert totals[-1] > totals[0]

    def test_says_when_there_are_no_more_pieces(self):
        with pytest.warns(UserWarning, match="pieces, not vocab_size=500"):
            UnigramTokenizer.train("ab ab", 500)

    def test_bad_input(self):
        for nothing in ("", [], [" \n"]):
            with pytest.raises(ValueError, match="texts are empty"):
                UnigramTokenizer.train(nothing, 300)
        with pytest.raises(
            ValueError, match="size=3: there are 4 different characters"
        ):
            learn_unigram(count_pieces_of("abc"), 3)
        with pytest.raises(
            ValueError,
            match="vocab_size=4: 1 fixed pieces and 4 characters need at least 5",
        ):
            UnigramTokenizer.train("abc", 4)

    def test_a_text_without_spaces(self):
        with pytest.warns(UserWarning):
            tokenizer = UnigramTokenizer.train("我喜欢读书" * 500, 60)
        assert tokenizer.decode(tokenizer.encode("读书我喜欢")) == "读书我喜欢"


class TestFiles:
    def test_saved_and_loaded_gives_equal_ids(self, tmp_path, own, pair):
        for tokenizer in (own, pair[0]):
            tokenizer.save(tmp_path / "own.vocab")
            again = UnigramTokenizer.load(tmp_path / "own.vocab")
            assert again.pieces == tokenizer.pieces
            for text in HARD.values():
                assert again.encode(text) == tokenizer.encode(text)

    def test_other_files_are_refused(self, tmp_path):
        path = tmp_path / "own.vocab"
        for bad in ("", "a\n", "a\t-1\n", "<unk>\t0\n", "<unk>\t0\na\tx\n",
                    "<unk>\t0\na\t-1\na\t-1\n"):  # fmt: skip
            path.write_text(bad)
            with pytest.raises(ValueError, match=r"own\.vocab is no unigram"):
                UnigramTokenizer.load(path)


def test_nothing_but_spacing_is_lost(own):
    for text in LEARN:
        assert own.decode(own.encode(text)) == text
    assert own.decode(own.encode(" two  words ")) == "two words"
    assert normalize(" two  words ") == f"{SPACE}two{SPACE}words"
    assert "".join(split_at_spaces(normalize(HELD_OUT[0]))) == normalize(HELD_OUT[0])


def test_unknown_characters(own):
    unknown = own.ids["<unk>"]
    assert own.encode("a猫猫b").count(unknown) == 1
    assert "⁇" in own.decode(own.encode("猫"))


def test_ids_out_of_range(own):
    for bad in (SIZE, -1):
        with pytest.raises(ValueError, match=f"id {bad} is not in the vocabulary"):
            own.decode([bad])
