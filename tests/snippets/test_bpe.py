"""Byte-level BPE: the ids of tiktoken and 🤗 tokenizers, and errors that say why."""

import itertools
import json
import tracemalloc
import unicodedata
from collections import Counter

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from snippets.corpus import load_text
from snippets.tokenizers import bpe_encoding
from snippets.tokenizers.bpe import BPETokenizer
from snippets.tokenizers.bpe_conversions import oniguruma
from snippets.tokenizers.bpe_encoding import merge_word
from snippets.tokenizers.bpe_training import learn_merges, rank_tokens
from snippets.tokenizers.bpe_words import (
    BYTES,
    GPT2_PATTERN,
    count_words,
    printable,
    split_words,
    unprintable,
)
from snippets.tokenizers.long_words import merge_long_word
from snippets.tokenizers.pair_index import PairIndex
from snippets.tokenizers.streams import stretches
from tests.hard_strings import HARD

NAMES = ["gpt2", "cl100k_base", "o200k_base"]
SPECIAL = "<|endoftext|>"
hard = pytest.mark.parametrize("text", HARD.values(), ids=HARD)
TALES = load_text("tales")
OWN = BPETokenizer.train(TALES[:50_000], 600, special_tokens=[SPECIAL])


@pytest.fixture(scope="module", params=NAMES)
def pair(request):
    """One of OpenAI's vocabularies: in our tokenizer, and in tiktoken."""
    encoding = tiktoken.get_encoding(request.param)
    return BPETokenizer.from_tiktoken(encoding), encoding


@pytest.fixture(scope="module")
def hugging_face(pair):
    return pair[0].to_hugging_face()


class TestEqualToTiktoken:
    @hard
    def test_ids_and_text(self, pair, text):
        ours, theirs = pair
        ids = ours.encode_ordinary(text)
        assert ids == theirs.encode_ordinary(text)
        assert ours.decode(ids) == theirs.decode(ids) == text

    @hard
    def test_ids_with_special_tokens(self, pair, text):
        ours, theirs = pair
        ids = ours.encode(text, allowed_special="all")
        assert ids == theirs.encode(text, allowed_special="all")
        assert ours.decode(ids) == text

    @given(text=st.text())
    @settings(max_examples=150, deadline=None)
    def test_ids_of_any_text(self, pair, text):
        ours, theirs = pair
        assert ours.encode_ordinary(text) == theirs.encode_ordinary(text)

    def test_whole_corpus(self, pair):
        ours, theirs = pair
        assert ours.encode(TALES) == theirs.encode(TALES)

    def test_bytes_that_are_no_utf8(self, pair):
        ours, theirs = pair
        ids = ours.encode_ordinary("é👍")[:1] + ours.encode_ordinary("猫")[-1:]
        assert ours.decode(ids) == theirs.decode(ids)
        cut = ours.encode_ordinary("𐍈" * 2)[:-1]
        assert ours.decode(cut) == theirs.decode(cut)
        assert "\ufffd" in ours.decode(cut)

    def test_sizes(self, pair):
        ours, theirs = pair
        assert ours.vocab_size == theirs.n_vocab

    @hard
    def test_hugging_face_gives_the_same(self, pair, hugging_face, text):
        ours, _ = pair
        theirs = hugging_face.encode(text)
        assert ours.encode(text, allowed_special="all") == theirs.ids
        assert hugging_face.decode(theirs.ids, skip_special_tokens=False) == text


class TestTraining:
    def hugging_face(self, text: str, vocab_size: int) -> list[str]:
        """The tokens that 🤗 tokenizers learns from the same words, in order."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator([text], trainer)
        vocab = tokenizer.get_vocab()
        return sorted(vocab, key=vocab.__getitem__)

    def test_merges_of_the_tales_in_the_same_order(self):
        ranks = rank_tokens(learn_merges(count_words([TALES], GPT2_PATTERN), 3744))
        assert [printable(t) for t in ranks] == self.hugging_face(TALES, 4000)

    @given(text=st.text(alphabet="aab é猫", min_size=1, max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_ties_and_overlaps_as_in_hugging_face(self, text):
        ranks = rank_tokens(learn_merges(count_words([text], GPT2_PATTERN), 40))
        assert [printable(t) for t in ranks] == self.hugging_face(text, 296)

    def test_first_merges_worked_by_hand(self):
        # hug 10, pug 5, pun 12, bun 4, hugs 5: u+g 20, u+n 16, h+ug 15
        words = Counter({b"hug": 10, b"pug": 5, b"pun": 12, b"bun": 4, b"hugs": 5})
        merges = [(b"u", b"g"), (b"u", b"n"), (b"h", b"ug")]
        assert learn_merges(words, 3) == merges

    def test_ties_go_to_smaller_ids_or_to_the_greater_pair(self):
        # the paper's example, worked in CS336: of e s and s t, 9 each, st is greater
        words = Counter({b"low": 5, b"lower": 2, b"widest": 3, b"newest": 6})
        found = learn_merges(words, 6, ties="greater pair")
        assert [a + b for a, b in found] == [
            b"st",
            b"est",
            b"ow",
            b"low",
            b"west",
            b"ne",
        ]
        assert learn_merges(words, 1) == [(b"e", b"s")]
        with pytest.raises(ValueError, match="ties='first': give 'smaller ids'"):
            learn_merges(words, 1, ties="first")

    def test_counts_follow_a_merge(self):
        index = PairIndex([[1, 2, 1, 2, 3], [2, 3]], [10, 1])
        assert index.most_frequent() == (1, 2)
        index.merge((1, 2), 4)
        assert index.words == [[4, 4, 3], [2, 3]]
        left = {pair: count for pair, count in index.counts.items() if count}
        assert left == {(4, 4): 10, (4, 3): 10, (2, 3): 1}

    def test_a_tie_between_a_letter_and_a_merged_token(self):
        words = Counter(
            {b"banana": 3, b"bandana": 2}
        )  # then b an 5 times, an a 5 times
        for ties in ("smaller ids", "greater pair"):
            assert learn_merges(words, 2, ties=ties) == [(b"a", b"n"), (b"b", b"an")]

    @given(text=st.text(alphabet="ab é", min_size=1, max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_greater_pairs_are_those_of_a_plain_loop(self, text):
        words = count_words(text, GPT2_PATTERN)
        spelled = {tuple(bytes([b]) for b in word): n for word, n in words.items()}
        for pair in learn_merges(words, 30, ties="greater pair"):
            counts = Counter()
            for parts, n in spelled.items():
                for found in itertools.pairwise(parts):
                    counts[found] += n
            assert pair == max(counts, key=lambda found: (counts[found], found))
            spelled = {joined(parts, pair): n for parts, n in spelled.items()}
        tokenizer = BPETokenizer(rank_tokens(learn_merges(words, 30)))
        assert tokenizer.merges == learn_merges(words, 30)

    def test_merges_never_cross_words(self):
        tokenizer = BPETokenizer.train("a b a b a b a b", 258)
        assert b" b" in tokenizer.ranks
        assert b"a b" not in tokenizer.ranks

    def test_special_tokens_are_not_learned_from(self):
        text = f"ab{SPECIAL}" * 9
        with pytest.warns(UserWarning, match="258 tokens, not vocab_size=300"):
            tokenizer = BPETokenizer.train(text, 300, special_tokens=[SPECIAL])
        assert list(tokenizer.ranks)[256:] == [b"ab"]
        assert tokenizer.special_tokens == {SPECIAL: 257}

    def test_an_iterable_of_texts_counts_as_the_text(self):
        parts = TALES[:20_000].split("\n\n")
        assert (
            BPETokenizer.train(iter(parts), 400).ranks
            == BPETokenizer.train(parts, 400).ranks
        )

    def test_stops_where_the_text_has_no_pair_left_and_says_so(self):
        with pytest.warns(UserWarning, match="258 tokens, not vocab_size=1000"):
            tokenizer = BPETokenizer.train("abc", 1000)
        assert list(tokenizer.ranks)[256:] == [b"ab", b"abc"]

    def test_rare_pairs_are_left_alone(self):
        with pytest.warns(UserWarning, match="no pair is left"):
            tokenizer = BPETokenizer.train("ab ab ab cd", 400, min_frequency=2)
        assert list(tokenizer.ranks)[256:] == [b"ab", b" ab"]

    def test_bad_sizes_and_names(self):
        with pytest.raises(ValueError, match=r"vocab_size=256: .* at least 257"):
            BPETokenizer.train("abc", 256, special_tokens=[SPECIAL])
        with pytest.raises(ValueError, match="'<a>' is there 2 times"):
            BPETokenizer.train("abc", 300, special_tokens=["<a>", "<a>"])
        with pytest.raises(ValueError, match="empty: ''"):
            BPETokenizer.train("abc", 300, special_tokens=[""])
        for nothing in ("", [], ["", ""]):
            with pytest.raises(ValueError, match="texts are empty"):
                BPETokenizer.train(nothing, 300)


def joined(parts: tuple[bytes, ...], pair: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    """The parts with the pair merged, from left to right."""
    out, i = [], 0
    while i < len(parts):
        size = 2 if parts[i : i + 2] == pair else 1
        out.append(b"".join(parts[i : i + size]))
        i += size
    return tuple(out)


class TestMerging:
    def test_lowest_rank_is_not_longest_match(self):
        # learned in this order: bc, ab, abc never: "abc" is a + bc, not ab + c
        ranks = {b: n for n, b in enumerate(BYTES)} | {b"bc": 256, b"ab": 257}
        assert merge_word(b"abc", ranks) == [b"a", b"bc"]

    @given(word=st.binary(min_size=1, max_size=80))
    @settings(max_examples=300, deadline=None)
    def test_heap_gives_the_same(self, word):
        assert merge_long_word(word, OWN.ranks) == merge_word(word, OWN.ranks)

    @given(word=st.text(alphabet="theand ", min_size=1, max_size=300))
    @settings(max_examples=200, deadline=None)
    def test_heap_gives_the_same_on_what_merges(self, word):
        word = word.encode()
        assert merge_long_word(word, OWN.ranks) == merge_word(word, OWN.ranks)

    def test_a_learned_token_is_one_token(self):
        for token in OWN.ranks:
            assert merge_word(token, OWN.ranks) == [token]

    def test_merges_are_those_that_were_learned(self):
        words = count_words(TALES[:50_000], GPT2_PATTERN, [SPECIAL])
        assert OWN.merges == learn_merges(words, len(OWN.ranks) - 256)

    def test_a_full_cache_changes_nothing(self, monkeypatch):
        monkeypatch.setattr(bpe_encoding, "CACHED", 3)
        small = BPETokenizer(OWN.ranks)
        assert small.encode(TALES[:5000]) == OWN.encode(TALES[:5000])
        assert len(small._words) <= 3


class TestRoundTrip:
    @given(text=st.text())
    @settings(max_examples=300, deadline=None)
    def test_any_text(self, text):
        assert OWN.decode(OWN.encode_ordinary(text)) == text

    @hard
    def test_hard_text(self, text):
        assert OWN.decode(OWN.encode(text, allowed_special="all")) == text
        assert OWN.decode(OWN.encode_ordinary(text)) == text

    @given(ids=st.lists(st.integers(0, OWN.vocab_size - 1)))
    @settings(max_examples=200, deadline=None)
    def test_decoding_piece_by_piece(self, ids):
        assert "".join(OWN.decode_stream(ids)) == OWN.decode(ids)

    def test_characters_come_when_they_are_complete(self):
        assert list(OWN.decode_stream(OWN.encode("a👍b"))) == ["a", "👍", "b"]
        half = OWN.encode("👍")[:2]
        assert "".join(OWN.decode_stream(half)) == OWN.decode(half) == "\ufffd"


def pieces(text: str, sizes: list[int]) -> list[str]:
    """The text cut into pieces of these sizes, over and over."""
    out, at = [], 0
    for size in itertools.cycle(sizes):
        if at >= len(text):
            return out
        out.append(text[at : at + size])
        at += size


class TestStream:
    @hard
    def test_equals_whole(self, pair, text):
        ours, _ = pair
        long = " ".join([text, TALES[:300], text])
        for sizes in ([1], [7], [100, 1]):
            parts = pieces(long, sizes)
            found = list(ours.encode_stream(parts, "all", size=20))
            assert found == ours.encode(long, "all")

    @given(
        text=st.lists(
            st.sampled_from([*"ab'sre 1.\n\t/é猫\u0301\r", SPECIAL, "<|end", "  "])
        ).map("".join),
        size=st.integers(1, 12),
    )
    @settings(max_examples=500, deadline=None)
    def test_equals_whole_wherever_it_is_cut(self, pair, text, size):
        ours, _ = pair
        parts = pieces(text, [size])
        assert list(ours.encode_stream(parts, "all", size=4)) == ours.encode(
            text, "all"
        )

    def test_memory_stays_constant(self):
        def peak(times: int) -> int:
            texts = (TALES[:5000] for _ in range(times))
            tracemalloc.start()
            for _ in OWN.encode_stream(texts):
                pass
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        peak(20)  # fill the cache of words
        assert peak(200) < 1.2 * peak(40)

    def test_stretches_end_where_words_end_and_leave_special_tokens_whole(self):
        texts = ["one two", " three<|en", "dof", "text|>four"]
        found = list(stretches(texts, 5, OWN.special_pattern, len(SPECIAL) - 1))
        assert [buffer[:cut] for buffer, cut in found if cut][-1].endswith("four")
        assert "".join(buffer[:cut] for buffer, cut in found) == "".join(texts)
        cuts = list(itertools.accumulate(cut for _, cut in found))
        start = "".join(texts).index(SPECIAL)
        assert not [cut for cut in cuts if start < cut < start + len(SPECIAL)]

    def test_empty(self):
        assert list(OWN.encode_stream([])) == []
        assert list(OWN.encode_stream(["", ""])) == []


class TestSpecialTokens:
    def test_not_allowed_unless_named(self):
        with pytest.raises(ValueError, match=r"'<\|endoftext\|>' is in the text at 2"):
            OWN.encode(f"ab{SPECIAL}")
        ids = OWN.encode(f"ab{SPECIAL}", allowed_special={SPECIAL})
        assert ids[-1] == OWN.special_tokens[SPECIAL]
        assert OWN.special_tokens[SPECIAL] not in OWN.encode_ordinary(f"ab{SPECIAL}")

    def test_longest_first_where_they_overlap(self):
        special = ["<a>", "<a><b>", "<b>"]
        tokenizer = BPETokenizer.train(TALES[:5000], 300, special_tokens=special)
        first, both, second = (tokenizer.special_tokens[name] for name in special)
        assert tokenizer.encode("<a><b><a>", "all") == [both, first]
        assert tokenizer.encode("<b><a>", "all") == [second, first]
        theirs = tokenizer.to_hugging_face()
        assert theirs.encode("<a><b><a>").ids == [both, first]
        text = "<a><b>" * 50 + "x"
        with pytest.warns(UserWarning, match="no pair is left"):
            alone = BPETokenizer.train(text, 300, special_tokens=special)
        assert alone.merges == []

    def test_two_names_of_one_id(self):
        harmony = tiktoken.get_encoding("o200k_harmony")
        ours = BPETokenizer.from_tiktoken(harmony)
        text = "<|start|>user<|message|>Hi<|endofprompt|><|reserved_200018|><|end|>"
        ids = ours.encode(text, "all")
        assert ids == harmony.encode(text, allowed_special="all")
        assert ids[-2] == ids[-3] == 200018
        assert ours.decode([200018]) == "<|endofprompt|>"
        assert ours.vocab_size == harmony.n_vocab
        two = BPETokenizer(OWN.ranks, special_tokens={"<a>": 700, "<b>": 700})
        assert two.encode("<b>a<a>", "all") == [700, *two.encode("a"), 700]
        with pytest.raises(ValueError, match="'<a>' and '<b>' share the id 700"):
            two.to_hugging_face()

    def test_text_around_them_is_split_on_its_own(self):
        ids = OWN.encode(f"one {SPECIAL} two", "all")
        one, two = OWN.encode("one "), OWN.encode(" two")
        assert ids == [*one, OWN.special_tokens[SPECIAL], *two]


CONTROL = [
    "\x00",
    "\x1c",
    "\x7f",
    "\u200b",
    "\ufeff",
    "\u0301",
    "猫",
    "👍",
    "\r\n",
    "  ",
]
odd_text = st.lists(
    st.sampled_from([*CONTROL, SPECIAL, "<|end", "<a>", "<b>", *"ab 'sé19.\n"])
    | st.characters(exclude_categories=["Cs", "Cn"]).filter(
        lambda c: unicodedata.category(c) == unicodedata.ucd_3_2_0.category(c)
    )
).map("".join)


class TestHuggingFace:
    @given(text=odd_text)
    @settings(max_examples=300, deadline=None)
    def test_equal_on_any_text(self, small, text):
        ours, theirs = small
        ids = ours.encode(text, "all")
        assert theirs.encode(text).ids == ids
        assert theirs.decode(ids, skip_special_tokens=False) == text == ours.decode(ids)

    @given(words=st.lists(st.text("abc", min_size=1, max_size=9), min_size=1))
    @settings(max_examples=100, deadline=None)
    def test_equal_for_any_merges(self, words):
        merges = learn_merges(count_words(" ".join(words), GPT2_PATTERN), 25)
        ours = BPETokenizer(rank_tokens(merges))
        theirs = ours.to_hugging_face()
        for text in itertools.product("abc ", repeat=4):
            text = "".join(text)
            assert ours.encode(text) == theirs.encode(text).ids

    def test_what_it_cannot_express_is_said(self):
        ranks = dict(OWN.ranks)
        with pytest.raises(ValueError, match="'e' has the name of another there"):
            BPETokenizer(ranks, special_tokens={"e": 900}).to_hugging_face()
        orphan = BPETokenizer(ranks | {b"qqq": 900})
        with pytest.raises(ValueError, match="no two tokens merge into b'qqq'"):
            orphan.to_hugging_face()
        for pattern in (r"(?s).", r"\b\w+|\W+", r"\p{N}{1,3}+\s|(?s:.)", r"[\w&&a]|\W"):
            with pytest.raises(ValueError, match="may mean something else"):
                BPETokenizer(ranks, pattern).to_hugging_face()

    def test_patterns_that_are_read_alike(self):
        for name in NAMES:
            pattern = tiktoken.get_encoding(name)._pat_str
            changed = pattern.replace("{1,3}+", "{1,3}").replace("$", r"\Z")
            assert oniguruma(pattern) == changed

    def test_an_end_of_text_is_no_end_of_line(self):
        ours = BPETokenizer(OWN.ranks, r"a$|[^a]+|a")
        assert ours.split("a\na") == ["a", "\n", "a"]
        tricky = BPETokenizer(rank_tokens([(b"a", b"\n")]), r"a$|a\n|[^a]+|a")
        for text in ("a\na", "a\n", "a\n\n"):
            assert tricky.encode(text) == tricky.to_hugging_face().encode(text).ids


@pytest.fixture(scope="module")
def small():
    """A tokenizer whose special tokens overlap, and the same in 🤗 tokenizers."""
    special = [SPECIAL, "<a>", "<a><b>"]
    ours = BPETokenizer.train(TALES[:50_000], 600, special_tokens=special)
    return ours, ours.to_hugging_face()


class TestVocabularyAndMerges:
    def test_files_of_gpt2(self, tmp_path):
        gpt2 = BPETokenizer.from_tiktoken(tiktoken.get_encoding("gpt2"))
        gpt2.to_hugging_face().model.save(str(tmp_path))
        files = tmp_path / "vocab.json", tmp_path / "merges.txt"
        ours = BPETokenizer.from_files(*files, special_tokens=[SPECIAL])
        assert (ours.ranks, ours.special_tokens) == (gpt2.ranks, gpt2.special_tokens)
        with pytest.raises(
            ValueError, match=r"endoftext\|>'.* missing in special_tokens"
        ):
            BPETokenizer.from_files(*files)

    def test_a_trainer_of_one_s_own(self):
        # CS336: special tokens first, then the bytes by value, then the merges
        merges = learn_merges(count_words(TALES[:9000], GPT2_PATTERN), 80)
        tokens = [SPECIAL.encode(), *(bytes([b]) for b in range(256))]
        tokens += [a + b for a, b in merges]
        ours = BPETokenizer.from_merges(
            dict(enumerate(tokens)), merges, [SPECIAL, "<b>"]
        )
        assert ours.special_tokens == {SPECIAL: 0, "<b>": len(tokens)}
        assert ours.merges == merges
        text = TALES[:500] + SPECIAL
        assert [tokens[i] for i in ours.encode(text, "all")][-1] == SPECIAL.encode()
        same = BPETokenizer(rank_tokens(merges))
        assert [ours.decode([i]) for i in ours.encode(TALES)] == [
            same.decode([i]) for i in same.encode(TALES)
        ]

    def test_what_does_not_fit_together(self):
        merges = [(b"a", b"b"), (b"ab", b"c")]
        vocab = {rank: token for token, rank in rank_tokens(merges).items()}
        assert BPETokenizer.from_merges(vocab, merges).merges == merges
        for wrong in (merges[::-1], merges[:1], [(b"a", b"b"), (b"a", b"bc")]):
            with pytest.raises(ValueError, match="ids must rise in their order"):
                BPETokenizer.from_merges(vocab, wrong)
        with pytest.raises(ValueError, match=r"no token for the merge b'c' \+ b'a'"):
            BPETokenizer.from_merges(vocab, [*merges, (b"c", b"a")])
        with pytest.raises(ValueError, match="the token b'ab' is there 2 times"):
            BPETokenizer.from_merges(vocab | {900: b"ab"}, merges)

    def test_files_that_are_none(self, tmp_path):
        vocab, merges = tmp_path / "vocab.json", tmp_path / "merges.txt"
        merges.write_text("")
        for bad in ("", "[1]", '{"a": 0, "a": 1}', '{"a": 0.5}', '{"a": 0, "b": 0}'):
            vocab.write_text(bad)
            with pytest.raises(ValueError, match=r"vocab\.json"):
                BPETokenizer.from_files(vocab, merges)
        pairs = {printable(token): n for n, token in enumerate(BYTES)} | {"ab": 256}
        vocab.write_text("\ufeff" + json.dumps(pairs), "utf8")
        merges.write_text("\ufeff#version: 0.2\na b\n", "utf8")
        assert BPETokenizer.from_files(vocab, merges).merges == [(b"a", b"b")]
        merges.write_text("#version: 0.2\na b c\n")
        with pytest.raises(
            ValueError, match=r"merges\.txt, line 2 is no pair .*'a b c'"
        ):
            BPETokenizer.from_files(vocab, merges)

    @given(token=st.binary())
    def test_printable_form_comes_back(self, token):
        assert unprintable(printable(token)) == token


class TestFiles:
    @pytest.mark.parametrize("name", NAMES)
    def test_saved_and_loaded_gives_equal_ids(self, tmp_path, name):
        ours = BPETokenizer.from_tiktoken(tiktoken.get_encoding(name))
        ours.save(tmp_path / "vocabulary.json")
        again = BPETokenizer.load(tmp_path / "vocabulary.json")
        for text in HARD.values():
            assert again.encode(text, "all") == ours.encode(text, "all")
        assert again.pattern == ours.pattern

    def test_into_tiktoken_and_tokenizer_json(self, tmp_path):
        encoding = OWN.to_tiktoken("own")
        OWN.to_hugging_face().save(str(tmp_path / "tokenizer.json"))
        theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        for text in [*HARD.values(), TALES]:
            ids = OWN.encode(text, "all")
            assert encoding.encode(text, allowed_special="all") == ids
            assert theirs.encode(text).ids == ids
            assert theirs.decode(ids, skip_special_tokens=False) == text

    def test_other_files_are_refused(self, tmp_path):
        path = tmp_path / "vocabulary.json"
        OWN.save(path)
        good = json.loads(path.read_text("utf8"))
        for bad in ("", "[1]", "{}", '{"format": "daybook-bpe-1"}', good["pattern"]):
            path.write_text(bad)
            with pytest.raises(ValueError, match=r"vocabulary\.json is not a saved"):
                BPETokenizer.load(path)
        tokens, ids = good["tokens"], good["ids"]
        for change in (
            {"tokens": tokens[1:]},
            {"ids": [*ids[:-1], 0]},
            {"ids": [0.5, *ids[1:]]},
            {"ids": [True, *ids[1:]]},
            {"tokens": [*tokens[:-1], tokens[-2]]},
            {"tokens": [*tokens[:-1], ""]},
            {"special_tokens": {"<a>": 0.5}},
            {"special_tokens": "<a>"},
            {"pattern": 7},
        ):
            path.write_text(json.dumps(good | change))
            with pytest.raises(ValueError, match="is not a saved BPETokenizer"):
                BPETokenizer.load(path)
        with pytest.raises(FileNotFoundError):
            BPETokenizer.load(tmp_path / "nothing.json")

    def test_a_failed_save_leaves_the_old_file(self, tmp_path, monkeypatch):
        path = tmp_path / "vocabulary.json"
        OWN.save(path)
        before = path.read_bytes()
        broken = BPETokenizer(OWN.ranks, special_tokens={SPECIAL: 600})
        broken.special_tokens["x"] = object()
        with pytest.raises(TypeError):
            broken.save(path)
        assert path.read_bytes() == before


class TestBadInput:
    def test_ids_out_of_range(self):
        for bad in (OWN.vocab_size, -1):
            with pytest.raises(ValueError, match=f"id {bad} is not in the vocabulary"):
                OWN.decode([0, bad])

    def test_half_a_surrogate_pair(self):
        with pytest.raises(ValueError, match=r"U\+D83D at 1 is a lone surrogate"):
            OWN.encode("a\ud83d")

    def test_vocabularies_that_are_none(self):
        with pytest.raises(ValueError, match="256 bytes have no token"):
            BPETokenizer({})
        with pytest.raises(ValueError, match="id 7 belongs to 2 tokens"):
            BPETokenizer(OWN.ranks, special_tokens={"<a>": 7})
        with pytest.raises(ValueError, match="id -1 is negative"):
            BPETokenizer(OWN.ranks, special_tokens={"<a>": -1})
        with pytest.raises(ValueError, match="a token is empty: b''"):
            BPETokenizer(OWN.ranks | {b"": 900})
        with pytest.raises(TypeError, match=r"id 0\.5 is not a whole number"):
            BPETokenizer(OWN.ranks | {b"qq": 0.5})
        with pytest.raises(ValueError, match="a special token is empty"):
            BPETokenizer(OWN.ranks, special_tokens={"": 900})

    def test_patterns_that_lose_text(self):
        with pytest.raises(ValueError, match="leaves out parts"):
            BPETokenizer(OWN.ranks, r"\w+").encode("a b")
        with pytest.raises(ValueError, match="matches the empty text"):
            BPETokenizer(OWN.ranks, r"\w*")
        with pytest.raises(ValueError, match="pattern '\\('"):
            BPETokenizer(OWN.ranks, "(")


def test_gpt2_has_no_token_of_two_spaces():
    gpt2 = tiktoken.get_encoding("gpt2")
    assert not [t for t in gpt2._mergeable_ranks if len(t) > 1 and not t.strip(b" ")]
    assert gpt2.encode("        return x") == [220] * 7 + [1441, 2124]
    assert split_words("        return x") == [" " * 7, " return", " x"]


def test_split_is_that_of_gpt2():
    published = (  # https://github.com/openai/gpt-2, src/encoder.py
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    )
    for text in [*HARD.values(), TALES]:
        assert split_words(text) == split_words(text, published)
        assert "".join(split_words(text)) == text
