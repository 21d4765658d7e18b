"""The browser's GPT beside the book's: logits, attention, draws, refusals."""

import base64
import json
import random
from pathlib import Path

import pytest
import safetensors.torch
import torch

from literate.project import SNIPPETS
from snippets.data import read_data
from snippets.gpt import CharTokenizer
from snippets.mini_gpt import generate
from snippets.mini_gpt.data import make_tokenizer, tokenizer_state
from snippets.mini_gpt.generate import (
    Sampling,
    probabilities,
    stream_texts,
    window_start,
)
from snippets.mini_gpt.load import Trained, load_trained, save_plain
from snippets.mini_gpt.model import GPT2, GPT2Config
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from tests.hard_strings import HARD
from tests.node import node

SHIPPED = SNIPPETS / "data" / "mini-gpt.safetensors"
ANSWERS = Path(__file__).with_name("answers.js")
LETTERS = CharTokenizer("abcdefghij")
TALE = "The hen sat in the barn. The cock sat on the roof, and it rained.\n" * 9


def ask(about: str, question):
    """What the scripts answer."""
    text = json.dumps({"about": about, "question": question})
    done = node(ANSWERS, text=text)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def loud(model: torch.nn.Module) -> torch.nn.Module:
    """Weights so large that every part of the model counts."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.8)
    return model.eval()


SIZES = {"vocab_size": 10, "context_length": 12, "d_model": 12, "n_heads": 2}
SIZES |= {"n_layers": 2}
MODELS = {
    "gpt2": GPT2(GPT2Config(**SIZES)),
    "gpt2 without biases, exact GELU": GPT2(
        GPT2Config(**SIZES, bias=False, gelu="none", vocab_multiple=1)
    ),
    "gpt2, odd sizes": GPT2(GPT2Config(**SIZES | {"d_model": 15, "n_heads": 3})),
    "modern": ModernGPT(ModernConfig(**SIZES)),
    "modern, all switches off": ModernGPT(
        ModernConfig(
            **SIZES,
            rope=False,
            rms_norm=False,
            qk_norm=False,
            squared_relu=False,
            zero_init=False,
            convolution=1,
            tied=True,
        )
    ),
    **{
        f"modern without {name}": ModernGPT(ModernConfig(**SIZES, **{name: value}))
        for name, value in {
            "rope": False,
            "rms_norm": False,
            "qk_norm": False,
            "squared_relu": False,
            "convolution": 1,
            "tied": True,
        }.items()
    },
}


@pytest.fixture(scope="module")
def shipped() -> Trained:
    return load_trained(SHIPPED)


@pytest.fixture(scope="module")
def unseen(shipped) -> list[int]:
    """As many tokens as the context holds, of a text that the model has not seen."""
    excerpt = json.loads(read_data("mini-gpt.json"))["excerpt"]
    return shipped.tokenizer.encode(excerpt)[: shipped.model.config.context_length]


@torch.no_grad()
def all_of(model, ids: list[int], causal: bool = True, temperature: float = 1.0):
    """Logits, and what goes in and out of each layer, computed by PyTorch."""
    found: dict[str, list] = {"weights": [], "q": [], "k": [], "v": [], "attended": []}
    handles = []
    for block in model.blocks:
        attention = block.attention
        keep = lambda _, args, out: found["attended"].append(out[0])  # noqa: E731
        handles.append(attention.register_forward_hook(keep))
        handles.append(attention.qkv.register_forward_hook(watch(attention, found)))
    T = len(ids)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            torch.nn.functional,
            "scaled_dot_product_attention",
            written_out(found, causal, temperature),
        )
        logits = model(torch.tensor([ids]))[0]
    for handle in handles:
        handle.remove()
    assert all(w.shape[-2:] == (T, T) for w in found["weights"])
    return logits, found


def watch(attention, found):
    """A hook that keeps queries, keys and values, each (T, C)."""

    def keep(_, args, out):
        for name, part in zip("qkv", out[0].chunk(3, dim=-1), strict=True):
            found[name].append(part)

    return keep


def written_out(found, causal, temperature):
    """Attention as its formula has it, which keeps the weights."""

    def attend(q, k, v, mask=None, dropout_p=0.0, is_causal=False):
        scores = q @ k.transpose(-2, -1) / (q.size(-1) ** 0.5 * temperature)
        if causal:
            may = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
            scores = scores.masked_fill(~may, -torch.inf)
        weights = scores.softmax(dim=-1)
        found["weights"].append(weights[0])
        return weights @ v

    return attend


def close(ours, theirs: torch.Tensor, within: float) -> bool:
    ours = torch.tensor(ours).view_as(theirs)
    assert ours.isfinite().all()
    return (ours - theirs).abs().max().item() < within


def test_the_shipped_model_scores_as_in_python(shipped, unseen):
    _, found = all_of(shipped.model, unseen)
    plain = shipped.model(torch.tensor([unseen]))[0]  # by PyTorch's own attention
    answer = ask("steps", {"file": str(SHIPPED), "ids": unseen})
    assert len(unseen) == 256
    assert close(answer["logits"], plain, 1e-4)
    ours = torch.tensor(answer["logits"])
    assert torch.equal(ours.argmax(dim=-1), plain.argmax(dim=-1))
    for t, row in enumerate(answer["attention"]):
        theirs = torch.stack([w[:, t, : t + 1] for w in found["weights"]])
        assert close(row, theirs, 1e-5)


def test_what_it_shows_of_a_text_is_what_python_computes(shipped, unseen):
    logits, found = all_of(shipped.model, unseen[:40])
    question = {"file": str(SHIPPED), "ids": unseen[:40], "switches": {}}
    answer = ask("trace", question)
    assert close(answer["logits"], logits, 1e-4)
    for n, layer in enumerate(answer["layers"]):
        for name in ("q", "k", "v", "attended"):
            assert close(layer[name], found[name][n], 1e-4)
        assert close(layer["weights"], found["weights"][n], 1e-5)
        stream = torch.tensor(layer["input"]) + torch.tensor(layer["attended"])
        assert close(layer["middle"], stream, 1e-4)
    last = answer["layers"][-1]
    stream = torch.tensor(last["middle"]) + torch.tensor(last["fed"])
    assert close(answer["output"], stream, 1e-4)
    first = torch.tensor(answer["token"]) + torch.tensor(answer["position"])
    assert close(answer["layers"][0]["input"], first, 1e-6)
    embedded = shipped.model.token.weight[unseen[:40]]
    assert close(answer["token"], embedded, 1e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 0.6, 4.0])
def test_its_switches_are_a_mask_and_a_divisor(shipped, unseen, causal, temperature):
    ids = unseen[:30]
    logits, found = all_of(shipped.model, ids, causal, temperature)
    switches = {"causal": causal, "temperature": temperature}
    question = {"file": str(SHIPPED), "ids": ids, "switches": switches}
    answer = ask("trace", question)
    assert close(answer["logits"], logits, 2e-4)
    for n, layer in enumerate(answer["layers"]):
        assert close(layer["weights"], found["weights"][n], 2e-5)


@pytest.mark.parametrize("name", MODELS)
def test_every_architecture_scores_as_in_python(tmp_path, name):
    model = loud(MODELS[name])
    path = tmp_path / "model.safetensors"
    save_plain(path, Trained(model, LETTERS))
    ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0]
    stepped = ask("steps", {"file": str(path), "ids": ids})
    traced = ask("trace", {"file": str(path), "ids": ids, "switches": {}})
    assert logits.std() > 1  # so that the comparison can fail
    assert close(stepped["logits"], logits, 1e-4)
    assert close(traced["logits"], logits, 1e-4)
    last = [layer["weights"] for layer in traced["layers"]]
    weights = torch.tensor(last).view(len(last), -1, len(ids), len(ids))
    assert close(stepped["attention"][-1], weights[:, :, -1], 1e-6)
    assert (weights.sum(dim=-1) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_read_as_python_reads_it(tmp_path, dtype):
    path = tmp_path / "model.safetensors"
    save_plain(path, Trained(loud(MODELS["gpt2"]), LETTERS), dtype)
    ids = [1, 2, 3, 4, 5]
    with torch.no_grad():
        logits = load_trained(path).model(torch.tensor([ids]))[0]
    answer = ask("steps", {"file": str(path), "ids": ids})
    assert close(answer["logits"], logits, 1e-4)


SAMPLINGS = [
    Sampling(),
    Sampling(0.5),
    Sampling(0.0),
    Sampling(1.5, 3),
    Sampling(0.8, None, 0.7),
    Sampling(0.9, 7, 0.9),
    Sampling(1.0, 1000, 0.0001),
]


def as_script(sampling: Sampling) -> dict:
    return {
        "temperature": sampling.temperature,
        "topK": sampling.top_k or 0,
        "topP": sampling.top_p,
    }


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
def test_what_is_drawn_from_is_as_in_python(sampling):
    chance = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20, 30, generator=chance)
    logits[1, 4] = logits[1].max()  # ties
    logits[2, :] = 1.0
    draws = torch.rand(20, generator=chance).tolist()
    rows = [
        {"logits": row.tolist(), "sampling": as_script(sampling), "u": u}
        for row, u in zip(logits, draws, strict=True)
    ]
    if sampling.temperature == 0:
        likeliest = [row["id"] for row in ask("probabilities", rows)]
        assert likeliest == logits.argmax(dim=-1).tolist()
        return
    expected = probabilities(logits, sampling)
    for row, odds, u in zip(ask("probabilities", rows), expected, draws, strict=True):
        if sampling.top_p == 1 or odds.unique().numel() == 30:  # else the sort decides
            assert close(row["odds"], odds, 1e-6)
            assert row["id"] == by_inverse(odds, u)


def by_inverse(odds: torch.Tensor, u: float) -> int:
    """The first id at which the sum so far is larger than `u`."""
    return int((odds.double().cumsum(0) > u).nonzero()[0])


REQUESTS = [
    ("ROMEO:\n", Sampling(0.8), 300, ""),
    ("First Citizen:\nWe", Sampling(1.0, 20, 0.95), 150, ""),
    ("K", Sampling(0.0), 60, ""),
    ("O " * 300, Sampling(0.9, None, 0.9), 50, ""),
    ("JULIET:\n", Sampling(0.7), 150, ",\n"),
]


def written(trained: Trained, requests, patch) -> tuple[list[str], list[dict]]:
    """What Python writes from uniform draws, and the same as questions."""
    chance, texts, questions = random.Random(0), [], []
    for prompt, sampling, n, stop in requests:
        draws = [chance.random() for _ in range(n)]
        left = iter(draws)
        patch.setattr(
            generate.torch,
            "multinomial",
            lambda row, count, generator, left=left: by_inverse(row, next(left)),
        )
        stops = [stop] if stop else []
        pieces = stream_texts(trained, [prompt], n, sampling, stops)
        texts.append("".join(text for _, text in pieces))
        sent = {"prompt": prompt, "sampling": as_script(sampling)}
        questions.append(sent | {"draws": draws, "stop": stop})
    return texts, questions


def test_equal_draws_write_the_text_that_the_program_writes(shipped, monkeypatch):
    expected, texts = written(shipped, REQUESTS, monkeypatch)
    assert ask("write", {"file": str(SHIPPED), "texts": texts}) == expected
    assert len(expected[0]) == 300
    assert 0 < len(expected[4]) < 150 and ",\n" not in expected[4]


@pytest.mark.parametrize("kind", ["char", "bpe"])
@pytest.mark.parametrize("architecture", ["gpt2", "modern"])
def test_a_model_of_the_reader_writes_the_same(
    tmp_path, monkeypatch, kind, architecture
):
    tokenizer = make_tokenizer(kind, TALE + "é🙂", 290)
    sizes = SIZES | {"vocab_size": 35 if kind == "char" else 290}
    made = GPT2(GPT2Config(**sizes)) if architecture == "gpt2" else None
    model = loud(made or ModernGPT(ModernConfig(**sizes)))
    trained = Trained(model, tokenizer)
    path = tmp_path / "model.safetensors"
    save_plain(path, trained)
    requests = [
        ("The hen", Sampling(2.0), 80, ""),
        ("rained é", Sampling(1.0, 5), 40, "e"),
        ("🙂", Sampling(3.0, None, 0.99), 200, "The"),
    ]
    if kind == "char":
        vocabulary = len(tokenizer.characters)
        assert vocabulary <= 35  # some scores belong to no character
    expected, texts = written(trained, requests, monkeypatch)
    assert ask("write", {"file": str(path), "texts": texts}) == expected


def test_the_window_begins_where_the_program_lets_it_begin():
    pairs = [(n, c) for c in (1, 2, 3, 7, 8, 256) for n in range(1, 3 * c + 5)]
    assert ask("windows", pairs) == [window_start(n, c) for n, c in pairs]


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_ids_of_hard_strings_are_as_in_python(kind):
    texts = [text for text in HARD.values() if text]
    tokenizer = make_tokenizer(kind, "".join(texts) + TALE, 700)
    question = {"state": tokenizer_state(tokenizer), "texts": texts}
    for text, found in zip(texts, ask("encode", question), strict=True):
        assert found["ids"] == tokenizer.encode(text), text
        assert bytes(found["bytes"]) == text.encode()


# what is refused


def changed(path: Path, folder: Path, name: str, **notes: str | None) -> str:
    """The same file with other notes."""
    tensors = safetensors.torch.load_file(path)
    with safetensors.safe_open(path, "pt") as file:
        kept = file.metadata() | notes
    target = folder / f"{name}.safetensors"
    kept = {key: value for key, value in kept.items() if value is not None}
    safetensors.torch.save_file(tensors, target, kept)
    return str(target)


def sizes(**changes) -> str:
    return json.dumps(SIZES | {"bias": True, "gelu": "tanh"} | changes)


WRONG_NOTES = {
    "of another program": ({"format": "pt"}, "does not say how to build its model"),
    "without notes": (
        {"format": None, "architecture": None},
        "does not say how to build its model",
    ),
    "another architecture": (
        {"architecture": "mamba"},
        'The architecture "mamba" is not known here',
    ),
    "no architecture": ({"architecture": None}, 'The architecture "" is not known'),
    "no JSON": ({"model_config": "{"}, "its note model_config is not JSON"),
    "no sizes": ({"model_config": "[]"}, "It describes no model: vocab_size"),
    "null": ({"model_config": "null"}, "It describes no model: vocab_size"),
    "a size of zero": ({"model_config": sizes(n_layers=0)}, "n_layers=0"),
    "a size as text": ({"model_config": sizes(n_layers="2")}, 'n_layers="2"'),
    "heads that do not divide": (
        {"model_config": sizes(n_heads=5)},
        "d_model=12 is not divisible by n_heads=5",
    ),
    "an unknown GELU": ({"model_config": sizes(gelu="quick")}, 'gelu="quick"'),
    "more layers than weights": (
        {"model_config": sizes(n_layers=3)},
        "The weights blocks.2.norm1.weight [12] are missing",
    ),
    "fewer layers than weights": (
        {"model_config": sizes(n_layers=1)},
        "belong to no part of this model",
    ),
    "a longer context": (
        {"model_config": sizes(context_length=13)},
        "position.weight have the shape [12,12], and its sizes ask for [13,12]",
    ),
    "a tokenizer of GPT-2": (
        {"tokenizer": '{"kind": "gpt2"}'},
        "GPT-2's vocabulary of 50,257 tokens",
    ),
    "an unknown tokenizer": (
        {"tokenizer": '{"kind": "words"}'},
        'Its tokenizer cannot be read: {"kind":"words"}',
    ),
    "a tokenizer that lacks bytes": (
        {"tokenizer": '{"kind": "bpe", "tokens": ["YQ=="]}'},
        "Its tokenizer cannot be read",
    ),
    "a tokenizer that is no base64": (
        {"tokenizer": '{"kind": "bpe", "tokens": ["?"]}'},
        "Its tokenizer cannot be read",
    ),
    "a larger tokenizer": (
        {"tokenizer": '{"kind": "char", "characters": "abcdefghijk"}'},
        "Its tokenizer has 11 tokens, and the model scores 10",
    ),
}


def test_files_that_are_no_model_are_refused_with_a_reason(tmp_path):
    path = tmp_path / "model.safetensors"
    save_plain(path, Trained(loud(MODELS["gpt2"]), LETTERS))
    tensors = safetensors.torch.load_file(path)
    tensors["norm.bias"][3] = torch.nan
    with safetensors.safe_open(path, "pt") as file:
        notes = file.metadata()
    safetensors.torch.save_file(tensors, tmp_path / "nan.safetensors", notes)
    files = [
        changed(path, tmp_path, str(n), **notes)
        for n, (notes, _) in enumerate(WRONG_NOTES.values())
    ]
    (tmp_path / "cut.safetensors").write_bytes(path.read_bytes()[:-1])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    others = [str(tmp_path / f"{name}.safetensors") for name in ("nan", "cut", "empty")]
    told = ask("refusals", [str(path), *files, *others])
    assert told[0] == ""
    expected = [message for _, message in WRONG_NOTES.values()]
    expected += ["norm.bias are not finite", "the file was cut off", "it has 0 bytes"]
    for found, message in zip(told[1:], expected, strict=True):
        assert message in found


def test_names_that_layers_once_had_are_known(tmp_path):
    path = tmp_path / "model.safetensors"
    save_plain(path, Trained(loud(MODELS["gpt2"]), LETTERS))
    tensors = {
        name.replace(".up.", ".feed_forward.up."): tensor
        for name, tensor in safetensors.torch.load_file(path).items()
    }
    with safetensors.safe_open(path, "pt") as file:
        safetensors.torch.save_file(tensors, path, file.metadata())
    assert ask("refusals", [str(path)]) == [""]


def test_all_bytes_are_tokens_of_a_trained_tokenizer():
    state = tokenizer_state(make_tokenizer("bpe", TALE, 260))
    assert {base64.b64decode(token) for token in state["tokens"]} >= {
        bytes([n]) for n in range(256)
    }
