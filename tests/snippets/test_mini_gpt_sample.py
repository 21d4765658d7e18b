"""`snippets/mini_gpt/sample.py`: what is drawn, what is cached, what is printed."""

import subprocess
import sys
from dataclasses import asdict
from functools import partial

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from literate.project import ROOT
from snippets.checkpoint import write_atomically
from snippets.gpt import CharTokenizer
from snippets.mini_gpt import generate
from snippets.mini_gpt.data import GPT2Tokenizer, make_tokenizer, vocab_size_of
from snippets.mini_gpt.generate import (
    Sampling,
    TextStream,
    default_prompt,
    draw,
    generate_rows,
    generate_steps,
    keep_top_k,
    keep_top_p,
    one_after_the_other,
    probabilities,
    stream_texts,
    window_start,
)
from snippets.mini_gpt.hugging_face import save_hugging_face
from snippets.mini_gpt.load import Trained, save_plain
from snippets.mini_gpt.model import GPT2, GPT2Config
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from snippets.mini_gpt.sample import main
from tests.helpers import SLOW

SIZES = {"context_length": 12, "d_model": 16, "n_heads": 2, "n_layers": 2}
LETTERS = CharTokenizer("abcdefghij")
PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 0, 1], [2, 2]]


def loud(model: torch.nn.Module) -> torch.nn.Module:
    """Weights so large that the model prefers some tokens."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model.eval()


def gpt2(vocab_size: int = 10) -> GPT2:
    return loud(GPT2(GPT2Config(vocab_size=vocab_size, **SIZES)))


def modern(vocab_size: int = 10) -> ModernGPT:
    return loud(ModernGPT(ModernConfig(vocab_size=vocab_size, **SIZES)))


def logits(rows: int = 5, V: int = 30) -> torch.Tensor:
    return 3 * torch.randn(rows, V, generator=torch.Generator().manual_seed(0))


# filters


def test_filters_of_a_batch_are_those_of_each_row():
    rows = logits()
    for keep in (partial(keep_top_k, k=4), partial(keep_top_p, p=0.7)):
        alone = torch.cat([keep(row[None]) for row in rows])
        assert torch.equal(keep(rows), alone)
    counts = keep_top_k(rows, 4).isfinite().sum(dim=1)
    assert counts.tolist() == [4] * 5
    assert len(set(keep_top_p(rows, 0.7).isfinite().sum(dim=1).tolist())) > 1


def test_top_p_keeps_the_fewest_that_reach_it():
    row = torch.tensor([[0.1, 0.5, 0.15, 0.25]]).log()
    for p, kept in ((0.01, 1), (0.49, 1), (0.51, 2), (0.76, 3), (0.91, 4)):
        found = keep_top_p(row, p)[0].isfinite()
        assert found.sum() == kept and found[1]


def test_top_k_keeps_ties_and_more_than_there_are_is_all():
    row = torch.tensor([[1.0, 3.0, 2.0, 2.0]])
    assert keep_top_k(row, 2).isfinite().tolist() == [[False, True, True, True]]
    assert torch.equal(keep_top_k(row, 9), row)


@pytest.mark.parametrize("temperature", [1e-30, 1e-3, 1.0, 1e30])
def test_any_temperature_gives_probabilities(temperature):
    odds = probabilities(logits() * 1e3, Sampling(temperature))
    assert torch.allclose(odds.sum(dim=-1), torch.ones(5))


def test_temperature_0_is_the_likeliest_and_draws_nothing():
    generators = [torch.Generator().manual_seed(r) for r in range(5)]
    before = [generator.get_state() for generator in generators]
    assert draw(logits(), Sampling(0), generators) == logits().argmax(dim=-1).tolist()
    assert all(map(torch.equal, before, [g.get_state() for g in generators]))


def test_draws_follow_the_probabilities():
    row = torch.tensor([[0.5, 0.2, 0.2, 0.1]]).log().expand(20_000, 4)
    own = torch.Generator().manual_seed(0)
    found = torch.tensor(draw(row, Sampling(), [own] * 20_000)).bincount() / 20_000
    assert torch.allclose(found, torch.tensor([0.5, 0.2, 0.2, 0.1]), atol=0.012)
    cut = torch.tensor(draw(row, Sampling(top_k=1), [own] * 20_000))
    assert (cut == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -0.1}, "temperature=-0.1: it must be 0 or more"),
        ({"temperature": float("nan")}, "temperature=nan"),
        ({"temperature": float("inf")}, "temperature=inf"),
        ({"top_k": 0}, "top_k=0: it must be at least 1"),
        ({"top_p": 0}, r"top_p=0: it must be in \(0, 1\]"),
        ({"top_p": 1.01}, "top_p=1.01"),
        ({"top_p": float("nan")}, "top_p=nan"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**settings)


# generation


@pytest.mark.parametrize("make", [gpt2, modern])
@pytest.mark.parametrize("context", [None, 1, 2, 5, 11])
@pytest.mark.parametrize("sampling", [Sampling(0), Sampling(1.0, top_k=6, top_p=0.9)])
def test_with_a_cache_as_without(make, context, sampling):
    """Also far beyond the context."""
    write = partial(generate_rows, make(), PROMPTS, 40, sampling=sampling, seed=3)
    assert write(context=context) == write(context=context, cached=False)


@pytest.mark.parametrize("make", [gpt2, modern])
def test_each_row_of_a_batch_is_as_alone(make):
    model, sampling = make(), Sampling(1.0, top_k=6, top_p=0.9)
    together = generate_rows(model, PROMPTS, 30, sampling=sampling, seed=3)
    for r, prompt in enumerate(PROMPTS):
        alone = generate_rows(model, [prompt], 30, sampling=sampling, seed=3 + r)
        assert together[r] == alone[0]
        assert len(together[r]) == len(prompt) + 30
        assert together[r][: len(prompt)] == prompt


def test_the_window_holds_the_last_half_and_more():
    for context in (1, 2, 3, 8, 9):
        for length in range(1, 50):
            start = window_start(length, context)
            assert 1 <= length - start <= context
            assert start == 0 or length - start > context - max(1, context // 2)
    assert [window_start(length, 8) for length in (8, 9, 12, 13)] == [0, 4, 4, 8]


def test_a_cache_reads_each_token_once(monkeypatch):
    model, read = gpt2(), []
    forward = model.forward
    monkeypatch.setattr(
        model,
        "forward",
        lambda ids, caches: read.append(ids.size(1)) or forward(ids, caches),
    )
    generate_rows(model, [[1, 2, 3]], 16)
    assert read == [3, *[1] * 9, 7, *[1] * 5]  # at the 13th token half is let go


def test_an_end_is_of_its_row_alone():
    model, ends = gpt2(), [2, 5, 1, 9]
    free = generate_rows(model, PROMPTS, 12, seed=1)
    counts = [0] * 4

    def after(row: int, number: int) -> bool:
        counts[row] += 1
        return counts[row] == ends[row]

    rows = [[] for _ in PROMPTS]
    for new in generate_steps(model, PROMPTS, 12, seed=1, ends=after):
        for row, number in zip(rows, new, strict=True):
            if number is not None:
                row.append(number)
    assert [len(row) for row in rows] == ends
    for row, prompt, whole in zip(rows, PROMPTS, free, strict=True):
        assert row == whole[len(prompt) :][: len(row)]


def test_nothing_is_computed_after_all_ends():
    steps = list(generate_steps(gpt2(), PROMPTS[:2], 99, ends=lambda row, number: True))
    assert len(steps) == 3  # the row of one token waits for no one, the other for three
    assert [sum(new[r] is not None for new in steps) for r in (0, 1)] == [1, 1]


def test_padding_of_the_vocabulary_is_never_drawn():
    model = gpt2()
    with torch.no_grad():
        model.norm.weight.zero_()
        model.norm.bias.fill_(1.0)
        model.token.weight[10:] = 100.0  # would win by far
    for sampling in (Sampling(0), Sampling(5.0)):
        (row,) = generate_rows(model, [[1]], 60, sampling=sampling)
        assert max(row) < 10


def test_ids_that_the_tokenizer_lacks_are_never_drawn():
    (row,) = generate_rows(gpt2(10), [[1]], 80, sampling=Sampling(9.0), vocab_size=4)
    assert max(row) == 3


def test_seeds():
    write = partial(generate_rows, gpt2(), [[1], [1]], 20)
    one, two = write(seed=0)
    assert one != two
    assert write(seed=0) == [one, two]
    assert write(seed=1)[0] == two
    torch.manual_seed(7)
    state = torch.get_rng_state()
    write(seed=0)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_mode_of_the_model_is_kept():
    model = loud(GPT2(GPT2Config(vocab_size=10, dropout=0.5, **SIZES))).train()
    assert generate_rows(model, [[1]], 9) == generate_rows(model, [[1]], 9)
    assert model.training


def test_no_tokens_are_the_prompts():
    assert generate_rows(gpt2(), PROMPTS, 0) == PROMPTS


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ([], {}, "a prompt is empty"),
        ([[1], []], {}, "a prompt is empty"),
        ([[1, 10]], {}, r"id 10 in a prompt: ids lie in 0 … 9"),
        ([[-1]], {}, "id -1"),
        ([[1]], {"context": 13}, r"context=13: the model was trained with 1 … 12"),
        ([[1]], {"context": 0}, "context=0"),
        ([[1]], {"n": -1}, "-1 tokens: there must be 0 or more"),
    ],
)
def test_requests_that_cannot_be(prompts, options, message):
    with pytest.raises(ValueError, match=message):
        generate_rows(gpt2(), prompts, **{"n": 3, **options})


# text


def fed(stream: TextStream, ids: list[int]) -> list[str]:
    found = []
    for number in ids:
        found.append(stream.feed(number))
        if stream.ended:
            break
    return [*found, stream.close()]


@pytest.mark.parametrize("kind", ["char", "bpe", "gpt2"])
def test_characters_come_out_whole(kind):
    text = "né 🌊🏴‍☠️ 漢字 end"
    tokenizer = make_tokenizer(kind, text * 3, 260)
    ids = tokenizer.encode(text)
    pieces = fed(TextStream(tokenizer), ids)
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces)
    if kind == "bpe":
        assert "" in pieces[:-1]  # a byte alone is no character yet


def test_half_a_character_at_the_end_is_shown_as_such():
    tokenizer = make_tokenizer("bpe", "ab", 256)
    pieces = fed(TextStream(tokenizer), tokenizer.encode("é")[:1])
    assert pieces == ["", "\ufffd"]


@pytest.mark.parametrize(
    ("text", "stops", "shown"),
    [
        ("abcdef", ["cd"], "ab"),
        ("abcabd", ["abd"], "abc"),
        ("aabaabaac", ["aabaac"], "aab"),
        ("abcdef", ["ef", "bc"], "a"),
        ("abcdef", ["cdx", "x"], "abcdef"),
        ("abc", ["cd"], "abc"),
        ("abc", ["a"], ""),
    ],
)
def test_stop_texts(text, stops, shown):
    stream = TextStream(LETTERS_AND_X, stops)
    assert "".join(fed(stream, LETTERS_AND_X.encode(text))) == shown
    assert stream.ended == (shown != text)


LETTERS_AND_X = CharTokenizer("abcdefx")


def test_an_empty_stop_text():
    with pytest.raises(ValueError, match="a stop text is empty"):
        TextStream(LETTERS, [""])


def test_a_stop_in_the_middle_of_a_token():
    tokenizer = make_tokenizer("bpe", "abc. " * 9, 259)
    ids = tokenizer.encode("abc. abc. abc")
    assert any(b"c. " in tokenizer.decode_bytes([n]) for n in ids) or len(ids) < 12
    assert "".join(fed(TextStream(tokenizer, ["c."]), ids)) == "ab"


def test_texts_stop_each_by_itself():
    trained = Trained(gpt2(), LETTERS)
    write = partial(stream_texts, trained, ["a", "bc", "d"], 60, Sampling(), seed=2)
    free, stopped = [""] * 3, [""] * 3
    for row, text in write():
        free[row] += text
    for row, text in write(stops=["e", "ha"]):
        stopped[row] += text
    for one, other in zip(free, stopped, strict=True):
        ends = [at for stop in ("e", "ha") if (at := one.find(stop)) >= 0]
        assert other == one[: min(ends)]


def test_the_end_of_a_text_of_gpt2(monkeypatch):
    tokenizer = GPT2Tokenizer()
    assert vocab_size_of(tokenizer) == 50_257
    sizes = {"context_length": 8, "d_model": 4, "n_heads": 1, "n_layers": 1}
    model = GPT2(GPT2Config(**sizes))
    end, word = tokenizer.encoding.eot_token, tokenizer.encode(" sea")[0]
    order = iter([word, word, end, word])
    monkeypatch.setattr(generate, "draw", lambda *_: [next(order)])
    pieces = list(stream_texts(Trained(model, tokenizer), ["The"], 9, Sampling()))
    assert "".join(text for _, text in pieces) == " sea sea"
    assert next(order) == word


def test_rows_are_printed_one_after_the_other():
    pieces = iter([(0, "a"), (1, "x"), (0, "b"), (2, "p"), (1, "y")])
    shown = one_after_the_other(pieces, 3)
    assert next(shown) == "a"
    assert "".join(shown) == "b\n\n--- 2 of 3 ---\nxy\n\n--- 3 of 3 ---\np"


# the program


def checkpoint(path, architecture="gpt2", tokenizer=LETTERS, **changes):
    """A file as the training program writes it."""
    model = {"gpt2": gpt2, "modern": modern}[architecture]()
    content = {
        "format": 1,
        **{name: [] for name in ("history", "losses", "random")},
        "batches": torch.Generator().get_state(),
        "seconds": 0.0,
        "plan": {"architecture": architecture},
        "model_config": asdict(model.config),
        "tokenizer": {"kind": "char", "characters": "".join(tokenizer.characters)},
        "text": "",
        "step": 1,
        "model": model.state_dict(),
        "optimizers": {},
    }
    write_atomically(path, content | changes)
    return str(path)


@pytest.fixture(params=["gpt2", "modern"])
def saved(request, tmp_path) -> str:
    return checkpoint(tmp_path / "best.pt", request.param)


def printed(capsys, *arguments: str) -> str:
    assert main(["--device", "cpu", *arguments]) == 0
    return capsys.readouterr().out


def test_the_program_writes(saved, capsys):
    common = (saved, "--prompt", "abc", "--tokens", "30")
    text = printed(capsys, *common)
    assert text.startswith("abc") and text.endswith("\n") and len(text) == 34
    assert printed(capsys, *common) == text
    assert printed(capsys, *common, "--no-cache") == text
    assert printed(capsys, *common, "--seed", "1") != text
    assert printed(capsys, *common, "--temperature", "0") == printed(
        capsys, *common, "--top-k", "1"
    )
    assert printed(capsys, *common, "--top-p", "0.0001", "--seed", "5") == printed(
        capsys, *common, "--temperature", "0"
    )


def test_the_program_writes_several_texts(saved, capsys):
    text = printed(
        capsys,
        saved,
        "--prompt",
        "a",
        "--prompt",
        "bcd",
        "--batch",
        "2",
        "--tokens",
        "9",
    )
    rows = [part.split("---\n")[-1].strip() for part in text.split("\n\n")]
    assert [row[:1] for row in rows] == ["a", "a", "b", "b"]
    assert [len(row) for row in rows] == [10, 10, 12, 12]
    assert rows[0] != rows[1]
    alone = printed(capsys, saved, "--prompt", "bcd", "--seed", "3", "--tokens", "9")
    assert alone.strip() == rows[3]


def test_the_program_stops(saved, capsys):
    text = printed(capsys, saved, "--prompt", "a", "--tokens", "300", "--stop", "e")
    assert "e" not in text and len(text) < 300


def test_the_program_reads_other_files(tmp_path, capsys):
    trained = Trained(gpt2(), LETTERS)
    save_plain(tmp_path / "a.safetensors", trained)
    save_hugging_face(tmp_path / "folder", trained)
    common = ("--prompt", "abc", "--tokens", "20")
    texts = {
        printed(capsys, checkpoint(tmp_path / "best.pt"), *common),
        printed(capsys, str(tmp_path / "a.safetensors"), *common),
        printed(capsys, "--from", str(tmp_path / "folder"), *common),
    }
    assert len(texts) == 1


def test_a_default_that_nobody_typed_never_fails(saved, capsys):
    assert printed(capsys, saved, "--tokens", "5")[0] == "a"  # has no line break


@pytest.mark.parametrize(
    ("characters", "prompt"), [("a\n b", "\n"), ("ba c", " "), ("cab", "a")]
)
def test_a_default_prompt_is_in_the_vocabulary(characters, prompt):
    tokenizer = CharTokenizer(characters)
    assert default_prompt(tokenizer) == prompt
    tokenizer.encode(prompt)
    assert default_prompt(make_tokenizer("bpe", "abc", 256)) == "\n"


@pytest.mark.parametrize("temperature", ["0.8", "0"])
@pytest.mark.parametrize("kind", ["checkpoint", "packed", "folder"])
def test_weights_that_are_no_numbers_are_told(tmp_path, capsys, temperature, kind):
    if kind == "checkpoint":
        weights = gpt2().state_dict()
        weights["norm.weight"] = weights["norm.weight"] * float("nan")
        source = [checkpoint(tmp_path / "a.pt", model=weights)]
        name = "norm.weight"
    elif kind == "packed":
        path = tmp_path / "a.safetensors"
        save_plain(path, Trained(gpt2(), LETTERS))
        with safe_open(path, "pt") as file:
            notes = file.metadata()
        weights = load_file(path) | {"norm.bias": torch.full((16,), float("inf"))}
        save_file(weights, path, notes)
        source, name = [str(path)], "norm.bias"
    else:
        save_hugging_face(tmp_path / "a", Trained(gpt2(), LETTERS))
        path = tmp_path / "a" / "model.safetensors"
        weights = load_file(path)
        weights["transformer.ln_f.bias"][3] = float("nan")
        save_file(weights, path)
        source, name = ["--from", str(tmp_path / "a")], "norm.bias"
    words = ["--prompt", "a", "--tokens", "5", "--temperature", temperature]
    assert main([*source, "--device", "cpu", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert f"has weights that are not finite: {name}" in told.err


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_scores_that_are_no_numbers_are_told(temperature):
    model = gpt2()
    with torch.no_grad():
        model.norm.bias[0] = float("nan")
    with pytest.raises(ValueError, match="the model's scores are not finite"):
        generate_rows(model, PROMPTS, 3, Sampling(temperature))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--top-p", "0"], "top_p=0.0: it must be in (0, 1]"),
        (["--top-p", "1.5"], "top_p=1.5"),
        (["--temperature", "-1"], "temperature=-1.0: it must be 0 or more"),
        (["--top-k", "0"], "top_k=0: it must be at least 1"),
        (["--prompt", ""], "a prompt is empty: give at least one character"),
        (["--prompt", "aßz"], "characters ['z', 'ß'] are not in the vocabulary"),
        (["--prompt", "\n"], r"characters ['\n'] are not in the vocabulary"),
        (["--context", "13"], "context=13: the model was trained with 1 … 12"),
        (["--prompt", "a", "--tokens", "-2"], "-2 tokens"),
        (["--batch", "0"], "--batch 0: it must be at least 1"),
        (["--prompt", "a", "--stop", ""], "a stop text is empty"),
        (["--device", "tpu"], "'tpu' is not a device: write cpu"),
        (["--from", "gpt2"], "give a checkpoint, or --from"),
    ],
)
def test_bad_input_is_told(saved, capsys, arguments, message):
    prompt = ["--prompt", "a"] if "--context" in arguments else []
    assert main([saved, *prompt, *arguments]) == 2
    output = capsys.readouterr()
    assert message in output.err and output.err.startswith("error: ")
    assert output.out == ""


def test_bad_files_are_told(tmp_path, capsys):
    path = tmp_path / "best.pt"
    checkpoint(path)
    whole = path.read_bytes()
    weights = modern().state_dict()
    cases = [
        (lambda: path.write_bytes(whole[:-900]), "is damaged, or not a checkpoint"),
        (lambda: path.write_bytes(b""), "is damaged, or not a checkpoint"),
        (lambda: path.write_text("text"), "is damaged, or not a checkpoint"),
        (lambda: write_atomically(path, {"model": {}}), "not a checkpoint of this"),
        (lambda: checkpoint(path, format=99), "not a checkpoint of this program"),
        (lambda: checkpoint(path, model=weights), "has other weights"),
        (lambda: checkpoint(path, model_config={"size": 3}), "describes no model"),
        (lambda: checkpoint(path, plan={"architecture": "rnn"}), "describes no model"),
        (path.unlink, "best.pt"),
    ]
    for damage, message in cases:
        damage()
        assert main([str(path), "--prompt", "a", "--device", "cpu"]) == 2
        assert message in capsys.readouterr().err


def test_without_a_checkpoint(capsys):
    assert main(["--prompt", "a"]) == 2
    assert "give a checkpoint, or --from" in capsys.readouterr().err


def test_options_that_are_no_numbers_exit_with_2():
    with pytest.raises(SystemExit) as left:
        main(["best.pt", "--tokens", "many"])
    assert left.value.code == 2


def test_text_comes_as_it_is_written(tmp_path):
    """The first characters are there while the program still writes."""
    path = checkpoint(tmp_path / "best.pt")
    options = ("--prompt", "abc", "--tokens", "1000000", "--device", "cpu")
    program = subprocess.Popen(
        [sys.executable, "-m", "snippets.mini_gpt.sample", path, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert len(program.stdout.read(20)) == 20
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such error")
def test_who_reads_no_further_gets_no_error(tmp_path):
    """As `| head` does."""
    path = checkpoint(tmp_path / "best.pt")
    options = ("--prompt", "abc", "--tokens", "1000000", "--device", "cpu")
    program = subprocess.Popen(
        [sys.executable, "-m", "snippets.mini_gpt.sample", path, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    program.stdout.read(20)
    program.stdout.close()
    assert program.stderr.read() == b""
    assert program.wait(timeout=SLOW) == 1
    program.stderr.close()
