"""BERT: what it may see, its two losses, and the statistics of its data."""

import json
import random

import pytest
import torch

from literate.project import ROOT
from snippets import bert_pretrain
from snippets.bert import (
    BUCKETS,
    CLS,
    MASK,
    NOT_CHOSEN,
    PAD,
    SEP,
    SPECIAL,
    Bert,
    BertConfig,
    BertForClassification,
    BertForPreTraining,
    Pair,
    WordTokenizer,
    batch_of,
    draw_pair,
    mask_tokens,
    masked_lm_loss,
    pretraining_loss,
    split_somewhere,
    split_words,
    truncate,
)
from tests.processes import run_program

CONFIG = BertConfig(60, 12, 16, 2, 2, 24, dropout=0.0)


@pytest.fixture
def model() -> BertForPreTraining:
    torch.manual_seed(0)
    return BertForPreTraining(CONFIG).eval()


def some_ids(B: int = 3, T: int = 10) -> torch.Tensor:
    return torch.randint(5, 60, (B, T), generator=torch.Generator().manual_seed(1))


class TestModel:
    def test_every_position_sees_both_sides(self, model):
        ids = some_ids()
        for t in range(10):
            other = ids.clone()
            other[:, t] = (other[:, t] - 4) % 55 + 5
            assert (model(ids)[0] != model(other)[0]).any(dim=-1).all()

    def test_padding_changes_nothing(self, model):
        ids = some_ids()
        padded = torch.nn.functional.pad(ids, (0, 2))
        words, following = model(padded)
        assert torch.allclose(words[:, :10], model(ids)[0], atol=1e-6)
        assert torch.allclose(following, model(ids)[1], atol=1e-6)

    def test_a_row_of_padding_only_is_finite(self, model):
        ids = some_ids()
        ids[1] = PAD
        words, following = model(ids)
        assert words.isfinite().all() and following.isfinite().all()
        assert torch.allclose(words[0], model(ids[:1])[0][0], atol=1e-6)

    def test_segments_matter(self, model):
        ids = some_ids()
        halves = torch.arange(10).expand(3, 10) >= 5
        assert not torch.allclose(model(ids)[0], model(ids, halves.long())[0])

    def test_parameters_of_bert_base(self):
        with torch.device("meta"):
            encoder = sum(p.numel() for p in Bert(BertConfig()).parameters())
        assert encoder == 109_482_240

    def test_parameters_by_formula(self, model):
        V, T, C, L, F = 60, 12, 16, 2, 24
        block = 4 * (C * C + C) + 2 * C * F + F + C + 4 * C
        tables = (V + T + 2) * C + 2 * C
        heads = C * C + C + 2 * C + V + 2 * C + 2
        counted = sum(p.numel() for p in model.parameters())
        assert counted == tables + L * block + C * C + C + heads

    def test_the_head_is_tied(self, model):
        assert [n for n, p in model.named_parameters() if p.shape == (60, 16)] == [
            "bert.embeddings.token.weight"
        ]

    def test_fine_tuning_learns_a_class(self, model):
        torch.manual_seed(0)
        classifier = BertForClassification(model.bert, 2)
        ids = torch.cat([torch.full((8, 6), 10), torch.full((8, 6), 20)])
        labels = torch.arange(16) // 8
        optimizer = torch.optim.AdamW(classifier.parameters(), lr=1e-2)
        for _ in range(30):
            loss = torch.nn.functional.cross_entropy(classifier(ids), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.1

    @pytest.mark.parametrize(
        ("ids", "message"),
        [
            (
                torch.ones(1, 13, dtype=torch.long),
                "13 tokens: there must be 1 … 12",
            ),
            (torch.ones(4, dtype=torch.long), r"ids are \(4,\): they must be \(B, T\)"),
        ],
    )
    def test_bad_ids(self, model, ids, message):
        with pytest.raises(ValueError, match=message):
            model(ids)


class TestLoss:
    def test_only_chosen_positions_count(self):
        torch.manual_seed(0)
        logits = torch.randn(2, 9, 30)
        labels = torch.full((2, 9), NOT_CHOSEN)
        labels[0, 3], labels[1, 7] = 4, 11
        loss = masked_lm_loss(logits, labels)
        by_hand = -(logits.log_softmax(-1)[0, 3, 4] + logits.log_softmax(-1)[1, 7, 11])
        assert loss.item() == pytest.approx(by_hand.item() / 2)
        changed = logits + 5 * torch.randn(2, 9, 30) * (labels == NOT_CHOSEN)[..., None]
        assert masked_lm_loss(changed, labels) == loss

    def test_labels_of_other_positions_change_nothing(self, model):
        inputs, labels = mask_tokens(some_ids(), 60)
        logits, _ = model(inputs)
        whole = some_ids().where(labels != NOT_CHOSEN, NOT_CHOSEN)
        assert masked_lm_loss(logits, labels) == masked_lm_loss(logits, whole)

    def test_nothing_chosen(self):
        with pytest.raises(ValueError, match="no position is chosen"):
            masked_lm_loss(torch.zeros(1, 2, 5), torch.full((1, 2), NOT_CHOSEN))

    def test_class_zero_means_next(self):
        words, labels = torch.zeros(1, 1, 5), torch.zeros(1, 1, dtype=torch.long)
        sure = torch.tensor([[20.0, 0.0]])
        low = pretraining_loss(words, sure, labels, torch.tensor([True]))
        high = pretraining_loss(words, sure, labels, torch.tensor([False]))
        assert high - low == pytest.approx(20, abs=0.01)


IDS = torch.randint(4, 500, (500, 100), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    return mask_tokens(IDS, 500, generator=torch.Generator().manual_seed(0))


class TestMasking:
    """Statistics of many draws; bounds are four standard deviations."""

    def test_fifteen_percent_of_each_row(self, drawn):
        _, labels = drawn
        assert ((labels != NOT_CHOSEN).sum(dim=1) == 15).all()

    def test_eighty_ten_ten(self, drawn):
        inputs, labels = drawn
        chosen = labels != NOT_CHOSEN
        n = int(chosen.sum())
        masked = (inputs == MASK)[chosen].float().mean().item()
        kept = (inputs == IDS)[chosen].float().mean().item()
        assert masked == pytest.approx(0.8, abs=4 * (0.16 / n) ** 0.5)
        assert kept == pytest.approx(0.1 + 0.1 / 496, abs=4 * (0.09 / n) ** 0.5)

    def test_a_replacement_is_any_word_and_never_special(self, drawn):
        inputs, labels = drawn
        replaced = (labels != NOT_CHOSEN) & (inputs != MASK) & (inputs != IDS)
        words = inputs[replaced]
        assert words.min() >= len(SPECIAL)
        assert words.max() == 499
        assert len(set(words.tolist())) > 300

    def test_what_is_not_chosen_stays(self, drawn):
        inputs, labels = drawn
        others = labels == NOT_CHOSEN
        assert torch.equal(inputs[others], IDS[others])
        assert torch.equal(labels[~others], IDS[~others])

    def test_special_tokens_are_never_chosen(self):
        row = [CLS, 10, 11, SEP, 12, 13, SEP, PAD, PAD]
        ids = torch.tensor([row]).expand(400, -1)
        inputs, labels = mask_tokens(ids, 60, share=0.5)
        special = ids < len(SPECIAL)
        assert (labels[special] == NOT_CHOSEN).all()
        assert torch.equal(inputs[special], ids[special])
        assert ((labels != NOT_CHOSEN).sum(dim=1) == 2).all()

    def test_at_least_one_is_chosen_if_there_is_any(self):
        ids = torch.tensor([[CLS, 10, SEP], [CLS, SEP, PAD]])
        _, labels = mask_tokens(ids, 60)
        assert (labels != NOT_CHOSEN).sum(dim=1).tolist() == [1, 0]

    def test_positions_are_chosen_evenly(self, drawn):
        _, labels = drawn
        shares = (labels != NOT_CHOSEN).float().mean(dim=0)
        assert (shares - 0.15).abs().max() < 4.5 * (0.15 * 0.85 / 500) ** 0.5


DOCUMENTS = [[[100 * d + s] * 3 for s in range(6)] for d in range(5)]


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    draw = random.Random(0)
    return [draw_pair(DOCUMENTS, 12, draw) for _ in range(4000)]


class TestPairs:
    def test_half_of_them_are_true(self, pairs):
        share = sum(pair.is_next for pair in pairs) / len(pairs)
        assert share == pytest.approx(0.5, abs=4 * (0.25 / len(pairs)) ** 0.5)

    def test_true_ones_follow_and_false_ones_come_from_elsewhere(self, pairs):
        for pair in pairs:
            here, there = pair.first[-1] // 100, pair.second[0] // 100
            assert (here == there) == pair.is_next
            if pair.is_next:
                assert pair.second[0] == pair.first[-1] + 1

    def test_a_negative_is_never_the_true_next_sentence(self):
        same = [[[7], [8]], [[9], [8]]]
        draw = random.Random(0)
        assert all(draw_pair(same, 4, draw).is_next for _ in range(50))

    def test_both_kinds_are_equally_long(self, pairs):
        lengths = {True: [], False: []}
        for pair in pairs:
            lengths[pair.is_next].append(len(pair.second))
        means = [sum(found) / len(found) for found in lengths.values()]
        assert means[0] == pytest.approx(means[1], rel=0.03)

    def test_pieces_are_whole_sentences_that_meet(self):
        draw = random.Random(0)
        for _ in range(100):
            before, after = split_somewhere(DOCUMENTS[0], 6, draw)
            assert len(before) in (3, 6) and len(after) in (3, 6)
            assert after[0] == before[-1] + 1

    @pytest.mark.parametrize(
        ("documents", "message"),
        [
            ([], "0 documents"),
            ([[[1], [2]]], "1 documents"),
            ([[[1], [2]], [[3]]], "document 1 has 1 sentences"),
        ],
    )
    def test_bad_documents(self, documents, message):
        with pytest.raises(ValueError, match=message):
            draw_pair(documents, 12, random.Random(0))


class TestBatch:
    def test_layout(self):
        pairs = [Pair([10, 11], [12], True), Pair([13], [14, 15, 16], False)]
        ids, segments, is_next = batch_of(pairs, 10)
        assert ids.tolist() == [
            [CLS, 10, 11, SEP, 12, SEP, PAD],
            [CLS, 13, SEP, 14, 15, 16, SEP],
        ]
        assert segments.tolist() == [[0, 0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]]
        assert is_next.tolist() == [True, False]

    def test_one_piece_alone(self):
        ids, segments, _ = batch_of([Pair([10, 11], [], True)], 10)
        assert ids.tolist() == [[CLS, 10, 11, SEP]]
        assert segments.tolist() == [[0, 0, 0, 0]]

    def test_the_longer_piece_is_shortened_away_from_the_other(self):
        assert truncate([1, 2, 3, 4], [5, 6], 4) == ([3, 4], [5, 6])
        assert truncate([1], [5, 6, 7, 8], 3) == ([1], [5, 6])
        ids, _, _ = batch_of([Pair(list(range(5, 25)), list(range(25, 50)), True)], 12)
        assert ids.shape == (1, 12)

    def test_no_pairs(self):
        with pytest.raises(ValueError, match="no pairs"):
            batch_of([], 10)


class TestWords:
    def test_splitting(self):
        text = '"It\'s late," said Ana. [MASK]!'
        words = ['"', "it's", "late", ",", '"', "said", "ana", ".", "[MASK]", "!"]
        assert split_words(text) == words

    def test_frequent_words_of_two_documents(self):
        tokenizer = WordTokenizer.train(["a b b c", "b c c d d d d"], 4 + BUCKETS + 2)
        assert tokenizer.own_words == ["b", "c"]  # d is in one document only

    def test_there_and_back(self):
        tokenizer = WordTokenizer(["the", "hen", "."])
        ids = tokenizer.encode("The [MASK] hen.")
        assert tokenizer.decode(ids) == "the [MASK] hen ."

    def test_an_unknown_word_always_has_the_same_token(self):
        tokenizer = WordTokenizer(["the"])
        first, second, other = tokenizer.encode("Ines ines Radu")
        assert first == second != other
        assert len(SPECIAL) <= first < len(SPECIAL) + BUCKETS

    def test_no_room(self):
        with pytest.raises(ValueError, match="vocab_size=68: it must be at least 69"):
            WordTokenizer.train(["a"], 68)


# eight documents of forty sentences; every sentence has words of its own
NUMBERED = [[[100 * d + s, 100 * d + s] for s in range(40)] for d in range(1, 9)]


class TestPretrainingPairs:
    def test_each_piece_is_once_true_and_once_false(self):
        draw = random.Random(0)
        pairs = bert_pretrain.balanced_pairs(NUMBERED, 12, 1.0, draw)
        true = [pair for pair in pairs if pair.is_next]
        false = [pair for pair in pairs if not pair.is_next]
        assert len(true) == len(false) == 6
        for side in ("first", "second"):
            ours = sorted(getattr(pair, side) for pair in true)
            assert ours == sorted(getattr(pair, side) for pair in false)
        for pair in false:
            assert pair.first[0] // 100 != pair.second[0] // 100  # another document
        for pair in true:
            assert pair.second[0] == pair.first[-1] + 1

    def test_at_first_the_second_piece_is_the_first(self):
        draw = random.Random(0)
        for pair in bert_pretrain.balanced_pairs(NUMBERED, 12, 0.0, draw):
            if pair.is_next:
                n = min(len(pair.first), len(pair.second))
                assert pair.second[:n] == pair.first[:n]

    def test_renaming_keeps_what_is_equal_and_what_is_common(self):
        torch.manual_seed(0)
        size = 1000
        ids = torch.randint(0, size, (200, 50))
        new = bert_pretrain.rename(ids, size)
        own = len(bert_pretrain.SPECIAL) + bert_pretrain.BUCKETS
        common = own + bert_pretrain.COMMON
        kept = (ids < len(bert_pretrain.SPECIAL)) | ((ids >= own) & (ids < common))
        assert torch.equal(new[kept], ids[kept])
        for before, after in zip(ids.tolist(), new.tolist(), strict=True):
            pairs = set(zip(before, after, strict=True))
            assert len(pairs) == len(set(before)) == len(set(after))  # one to one
        rare = ids >= common
        changed = ((new != ids) & rare).any(dim=1).float().mean().item()
        assert abs(changed - bert_pretrain.RENAMED) < 0.12


class TestRecord:
    """The model that comes with the book is the one that its record describes."""

    def test_it_learned_words(self):
        record = bert_pretrain.recorded_run()
        first, last = record["curve"][0], record["curve"][-1]
        assert last["step"] == record["steps"]
        assert last["seconds"] <= 15 * 60
        assert last["mlm_loss"] < first["mlm_loss"] - 3
        assert last["mlm_accuracy"] > 0.3

    def test_it_learned_the_next_sentence_better_than_chance(self):
        model, tokenizer = bert_pretrain.load_pretrained()
        _, held_out = bert_pretrain.split_tales()
        documents = bert_pretrain.encode_tales(held_out, tokenizer)
        found = bert_pretrain.evaluate(model, documents, pairs=2048)
        # the standard error of 2,048 coins is 1.1 points
        assert found["nsp_accuracy"] > 0.5 + 4 * 0.011

    def test_it_was_trained_on_these_tales(self):
        assert bert_pretrain.recorded_run()["data_sha256"] == bert_pretrain.digest()

    def test_the_checkpoint_does_what_the_record_says(self):
        model, tokenizer = bert_pretrain.load_pretrained()
        _, held_out = bert_pretrain.split_tales()
        documents = bert_pretrain.encode_tales(held_out, tokenizer)
        found = bert_pretrain.evaluate(model, documents)
        last = bert_pretrain.recorded_run()["curve"][-1]
        for name, value in found.items():  # half precision, and other processors
            assert value == pytest.approx(last[name], abs=0.02), name

    def test_the_checkpoint_is_small(self):
        path = ROOT / "snippets" / "data" / "bert-tales.pt"
        assert path.stat().st_size <= 2_000_000

    def test_the_command_writes_both_files(self, tmp_path):
        words = ("--steps", "2", "--out", str(tmp_path))
        done = run_program(bert_pretrain.__name__, *words)
        assert done.returncode == 0, done.stderr
        record = json.loads((tmp_path / "bert-tales.json").read_text("utf8"))
        assert record["steps"] == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "bert-tales.json",
            "bert-tales.pt",
        ]

    def test_a_bad_number_of_steps(self, tmp_path):
        done = run_program(bert_pretrain.__name__, "--steps", "0")
        assert done.returncode == 2
        assert "--steps 0: at least 1" in done.stderr
