"""`snippets/mini_gpt/model.py` and `hugging_face.py`: sizes, starts, files."""

import json
import math
from dataclasses import replace

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from snippets.checkpoint import CheckpointError
from snippets.gpt import GPT, CharTokenizer, GPTConfig
from snippets.kv_cache import KVCache, causal_mask_after
from snippets.mini_gpt.convert import main
from snippets.mini_gpt.data import tokenizer_state
from snippets.mini_gpt.hugging_face import (
    load_hugging_face,
    save_hugging_face,
    weights_to,
)
from snippets.mini_gpt.load import Trained, load_trained, save_plain
from snippets.mini_gpt.model import GPT2, CausalSelfAttention, GPT2Config
from snippets.mini_gpt.modern import ModernConfig, ModernGPT, NGramEmbedding, row_of
from snippets.modules import count_parameters
from tests.processes import run_program

SIZES = {"context_length": 12, "d_model": 16, "n_heads": 2, "n_layers": 2}
LETTERS = CharTokenizer("abcdefghij")
TINY = GPT2Config(vocab_size=10, **SIZES)


def tiny(config: GPT2Config = TINY, seed: int = 0) -> GPT2:
    torch.manual_seed(seed)
    return GPT2(config).eval()


def ids(rows: int = 2, T: int = 12) -> torch.Tensor:
    return torch.randint(10, (rows, T), generator=torch.Generator().manual_seed(1))


def their_folder(folder, **changes):
    """A folder written by transformers, with random weights."""
    torch.manual_seed(0)
    sizes = {"n_positions": 12, "n_embd": 16, "n_head": 2, "n_layer": 2}
    from transformers import GPT2Config as TheirConfig
    from transformers import GPT2LMHeadModel

    config = TheirConfig(**{"vocab_size": 10, **sizes, **changes})
    config.bos_token_id = config.eos_token_id = None
    config.daybook_tokenizer = tokenizer_state(LETTERS)
    model = GPT2LMHeadModel(config).eval()
    model.save_pretrained(folder)
    return model


# sizes and starts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 0}, "vocab_size=0: it must be at least 1"),
        ({"n_layers": 0}, "n_layers=0"),
        ({"dropout": 1.0}, r"dropout=1.0: it must be in \[0, 1\)"),
        ({"gelu": "erf"}, "gelu='erf': there are tanh, none"),
        ({"vocab_multiple": 0}, "vocab_multiple=0: it must be at least 1"),
    ],
)
def test_sizes_that_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        GPT2Config(**change)


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="d_model=16 is not divisible by n_heads=3"):
        GPT2(GPT2Config(vocab_size=10, context_length=8, d_model=16, n_heads=3))


@pytest.mark.parametrize(
    ("shape", "message"),
    [((4,), r"ids are \(4,\)"), ((1, 13), "13 tokens"), ((1, 0), "0 tokens")],
)
def test_ids_of_another_shape(shape, message):
    with pytest.raises(ValueError, match=message):
        tiny()(torch.zeros(shape, dtype=torch.long))


def test_more_tokens_than_the_context_with_a_cache():
    model = tiny()
    caches = model.new_caches()
    model(ids(), caches)
    with pytest.raises(ValueError, match=r"13 tokens: there must be 1 … 12"):
        model(ids(T=1), caches)


@torch.no_grad()
def test_day_2s_model_and_this_one_take_each_others_weights():
    sizes = {"context_length": 12, "d_model": 16, "n_heads": 2, "n_layers": 3}
    ids = torch.randint(10, (2, 12), generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    plain = GPT(GPTConfig(10, **sizes))
    for p in plain.parameters():
        p.normal_(std=0.3)
    ours = GPT2(GPT2Config(10, **sizes, vocab_multiple=1))
    ours.load_state_dict(plain.state_dict(), strict=True)
    assert torch.allclose(ours(ids), plain(ids), atol=1e-5)
    again = GPT(GPTConfig(10, **sizes))
    assert not torch.allclose(again(ids), plain(ids), atol=1e-1)
    again.load_state_dict(ours.state_dict(), strict=True)
    assert torch.equal(again(ids), plain(ids))


def test_the_head_is_the_embedding_and_counts_once():
    model = tiny()
    C, L, V, T = 16, 2, model.config.padded_vocab_size, 12
    block = 12 * C * C + 13 * C
    assert V == 64
    assert count_parameters(model) == (V + T) * C + L * block + 2 * C
    assert not any("head" in name for name, _ in model.named_parameters())


def test_padding_is_never_scored_and_never_learns():
    model = tiny()
    logits = model(ids())
    assert logits.shape == (2, 12, 10)
    F.cross_entropy(logits.flatten(0, 1), ids().flatten()).backward()
    grad = model.token.weight.grad
    assert (grad[10:] == 0).all() and (grad[:10] != 0).any(dim=1).all()


def test_the_past_does_not_see_the_future():
    for model in (tiny(), modern()):
        other = ids().clone()
        other[:, 7] = (other[:, 7] + 1) % 10
        changed = (model(ids()) != model(other)).any(dim=-1).any(dim=0)
        assert changed.tolist() == [False] * 7 + [True] * 5


def modern() -> ModernGPT:
    torch.manual_seed(0)
    model = ModernGPT(ModernConfig(10, 12, 16, 2, 2)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def test_ngrams_look_up_what_the_last_tokens_are():
    config = ModernConfig(3, d_model=4, ngrams=3, ngram_rows=1000)
    embedding = NGramEmbedding(config)
    pairs, triples = embedding.tables
    text = torch.tensor([[1, 2, 0, 2, 2, 1, 2]])
    states = embedding(text)
    last = [0, 0, *text[0].tolist()]  # token 0 stands for what is not there
    for t in range(7):
        one, two, three = last[t + 2], last[t + 1], last[t]
        expected = pairs.weight[one + 3 * two]
        expected = expected + triples.weight[one + 3 * two + 9 * three]
        assert torch.equal(states[0, t], expected)


def test_ngrams_that_do_not_fit_share_rows_evenly():
    rows = row_of(torch.arange(65**3), 65**3, 512)
    counts = rows.bincount(minlength=512)
    assert rows.min() >= 0 and len(counts) == 512
    assert counts.max() < 2 * counts.float().mean()
    assert torch.equal(row_of(torch.arange(9), 9, 512), torch.arange(9))


def test_ngrams_change_nothing_at_the_start():
    plain = modern()
    model = ModernGPT(replace(plain.config, ngrams=4)).eval()
    missing = model.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing and all(name.startswith("ngrams.") for name in missing)
    assert torch.equal(model(ids()), plain(ids()))
    for sizes in ({"ngrams": 0}, {"ngram_rows": 0}):
        with pytest.raises(ValueError, match="=0: it must be at least 1"):
            ModernConfig(10, **sizes)


def test_weights_at_the_start():
    torch.manual_seed(0)
    model = GPT2(GPT2Config(vocab_size=64, context_length=64, d_model=64, n_heads=1))
    expected = {"qkv": 0.02, "up": 0.02, "out": 0.02 / 24**0.5, "down": 0.02 / 24**0.5}
    for name, parameter in model.named_parameters():
        layer, kind = name.split(".")[-2:]
        if kind == "bias":
            assert (parameter == 0).all()
        elif layer in expected:
            assert parameter.std().item() == pytest.approx(expected[layer], rel=0.05)
    assert model.token.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_dropout_acts_in_training_only():
    model = tiny(GPT2Config(vocab_size=10, dropout=0.5, **SIZES))
    assert torch.equal(model(ids()), model(ids()))
    model.train()
    assert not torch.equal(model(ids()), model(ids()))


def test_a_mask_for_the_last_queries():
    assert causal_mask_after(0, 2, "cpu").int().tolist() == [[1, 0], [1, 1]]
    mask = causal_mask_after(3, 2, "cpu")
    assert mask.int().tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]


def test_a_cache_without_a_mask_is_refused():
    attention, cache = CausalSelfAttention(TINY), KVCache()
    x = torch.randn(1, 3, 16)
    attention(x, cache=cache)
    with pytest.raises(ValueError, match="in the cache: give a mask"):
        attention(x, cache=cache)


# a plain file


@pytest.mark.parametrize("make", [tiny, modern])
@pytest.mark.parametrize(
    ("dtype", "apart"), [("float32", 0), ("float16", 0.01), ("bfloat16", 0.05)]
)
def test_a_plain_file_there_and_back(tmp_path, make, dtype, apart):
    model = make()
    save_plain(tmp_path / "a.safetensors", Trained(model, LETTERS), dtype)
    again = load_trained(tmp_path / "a.safetensors")
    assert again.tokenizer.characters == LETTERS.characters
    assert again.model.config == model.config
    assert (again.model(ids()) - model(ids())).abs().max() <= apart
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_plain_file_in_which_a_block_had_one_module_more(tmp_path):
    path = tmp_path / "new.safetensors"
    model = GPT2(GPT2Config(**SIZES))
    save_plain(path, Trained(model, LETTERS))
    with safetensors.safe_open(path, "pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        notes = file.metadata()
    for part in (".up.", ".down."):
        found = {n.replace(part, f".feed_forward{part}"): w for n, w in found.items()}
    assert "blocks.0.feed_forward.up.weight" in found
    assert found.keys() != model.state_dict().keys()
    safetensors.torch.save_file(found, tmp_path / "old.safetensors", notes)
    loaded = load_trained(tmp_path / "old.safetensors").model.state_dict()
    assert loaded.keys() == model.state_dict().keys()
    assert all(torch.equal(loaded[n], w) for n, w in model.state_dict().items())


def test_a_plain_file_that_is_damaged_or_of_another_program(tmp_path):
    path = tmp_path / "a.safetensors"
    save_plain(path, Trained(tiny(), LETTERS))
    whole = path.read_bytes()
    for bad, message in (
        (whole[:1000], "is damaged, or no safetensors"),
        (whole.replace(b"daybook-mini-gpt-1", b"daybook-mini-gpt-9"), "does not say"),
        (whole.replace(b'\\"vocab_size\\": 10', b'\\"vocab_sizes\\":10'), "no model"),
        (whole.replace(b'\\"d_model\\": 16', b'\\"d_model\\": 18'), "other weights"),
    ):
        assert bad != whole
        path.write_bytes(bad)
        with pytest.raises(CheckpointError, match=message):
            load_trained(path)
    with pytest.raises(FileNotFoundError):
        load_trained(tmp_path / "gone.safetensors")


def test_weights_beyond_the_range_of_a_dtype(tmp_path):
    model = tiny()
    with torch.no_grad():
        model.norm.weight.fill_(1e6)
    with pytest.raises(ValueError, match=r"norm\.weight is not finite in float16"):
        save_plain(tmp_path / "a.safetensors", Trained(model, LETTERS), "float16")
    with pytest.raises(ValueError, match="no dtype 'int8': there are float32"):
        save_plain(tmp_path / "a.safetensors", Trained(model, LETTERS), "int8")
    assert not list(tmp_path.iterdir())


# the layout of Hugging Face


@pytest.mark.parametrize("sharded", [False, True])
def test_a_folder_of_transformers(tmp_path, sharded):
    theirs = their_folder(tmp_path)
    if sharded:
        theirs.save_pretrained(tmp_path, max_shard_size="10KB")
        (tmp_path / "model.safetensors").unlink(missing_ok=True)
        assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    ours = load_hugging_face(str(tmp_path)).model
    assert (ours(ids()) - theirs(ids()).logits).abs().max() < 1e-4


def test_an_old_folder_with_a_pickle_and_masks(tmp_path):
    """As `gpt2` was first published: no prefix, masks among the weights, no head."""
    theirs = their_folder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    weights = {n: t.clone() for n, t in theirs.transformer.state_dict().items()}
    weights["h.0.attn.bias"] = torch.ones(1, 1, 12, 12)
    torch.save(weights, tmp_path / "pytorch_model.bin")
    ours = load_hugging_face(str(tmp_path)).model
    assert (ours(ids()) - theirs(ids()).logits).abs().max() < 1e-4


class Anything:
    def __reduce__(self):
        return print, ("code of the file runs",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path, capsys):
    their_folder(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({"wte.weight": Anything()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="not tensors and plain values only"):
        load_hugging_face(str(tmp_path))
    assert "code" not in capsys.readouterr().out


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("bias", [True, False])
def test_an_export_loads_strictly(tmp_path, bias, dtype):
    config = GPT2Config(vocab_size=10, bias=bias, gelu="none", **SIZES)
    model = tiny(config)
    save_hugging_face(tmp_path, Trained(model, LETTERS), dtype)
    from transformers import GPT2LMHeadModel

    theirs, report = GPT2LMHeadModel.from_pretrained(
        tmp_path, output_loading_info=True, dtype=torch.float32
    )
    assert not any(report[kind] for kind in ("unexpected_keys", "mismatched_keys"))
    assert set(report["missing_keys"]) <= {"lm_head.weight"}  # it is tied
    names = {name.removesuffix(".lm_head") for name in weights_to(model)}
    assert names == set(theirs.state_dict()) - {"lm_head.weight"}
    apart = (theirs.eval()(ids()).logits - model(ids())).abs().max()
    assert apart < (1e-4 if dtype == "float32" else 0.05)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def change(folder, **values):
    path = folder / "config.json"
    content = json.loads(path.read_text("utf8")) | values
    path.write_text(json.dumps({k: v for k, v in content.items() if v != "gone"}))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"activation_function": "relu"}, "activation 'relu': there are gelu_new"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon is 1e-06: only 1e-05"),
        ({"model_type": "llama"}, "model_type is 'llama': only 'gpt2'"),
        ({"scale_attn_by_inverse_layer_idx": True}, "inverse_layer_idx is True"),
        ({"n_inner": 99}, "n_inner is 99: only 4 · n_embd = 64"),
        ({"n_embd": "gone"}, "config.json has no n_embd"),
        ({"n_embd": 32}, r"wte.weight is \(10, 16\), not \(10, 32\)"),
        ({"n_layer": 3}, "h.2.ln_1.weight is missing"),
        ({"n_layer": 1}, "h.1.ln_1.weight is not in a GPT-2"),
        ({"n_head": 3}, "d_model=16 is not divisible by n_heads=3"),
    ],
)
def test_models_that_ours_cannot_be(tmp_path, values, message):
    their_folder(tmp_path)
    change(tmp_path, **values)
    with pytest.raises(CheckpointError, match=message):
        load_hugging_face(str(tmp_path))


def test_a_head_that_is_not_the_embedding(tmp_path):
    from safetensors.torch import load_file, save_file

    their_folder(tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    weights["lm_head.weight"] = torch.ones(10, 16)
    save_file(weights, path)
    with pytest.raises(CheckpointError, match="the head is not tied"):
        load_hugging_face(str(tmp_path))


def test_the_exact_gelu_is_not_the_tanh_one(tmp_path):
    theirs = their_folder(tmp_path, activation_function="gelu", initializer_range=0.5)
    ours = load_hugging_face(str(tmp_path)).model
    assert ours.config.gelu == "none"
    assert (ours(ids()) - theirs(ids()).logits).abs().max() < 1e-4
    change(tmp_path, activation_function="gelu_new")
    ours = load_hugging_face(str(tmp_path)).model
    assert (ours(ids()) - theirs(ids()).logits).abs().max() > 1e-3


def test_folders_without_what_is_needed(tmp_path, capsys):
    their_folder(tmp_path)
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    target = str(tmp_path / "x.safetensors")
    assert main(["pack", str(tmp_path), target]) == 2
    assert "is damaged, or no safetensors" in capsys.readouterr().err
    path.unlink()
    assert main(["pack", str(tmp_path), target]) == 2
    assert "has none of model.safetensors" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("{")
    assert main(["pack", str(tmp_path), target]) == 2
    assert "config.json is damaged" in capsys.readouterr().err
    (tmp_path / "config.json").write_text("[]")
    assert main(["pack", str(tmp_path), target]) == 2
    assert "holds no JSON object" in capsys.readouterr().err


def test_a_name_without_network(monkeypatch, capsys):
    import huggingface_hub

    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    assert main(["pack", "gpt2", "x.safetensors"]) == 2
    error = capsys.readouterr().err
    assert "'gpt2' is no folder, and could not be downloaded: no network" in error


def test_a_name_is_looked_up_in_the_cache(monkeypatch, tmp_path):
    import huggingface_hub

    theirs, asked = their_folder(tmp_path), []

    def download(name, allow_patterns):
        asked.append(name)
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    ours = load_hugging_face("some/gpt2").model
    assert asked == ["some/gpt2"]
    assert (ours(ids()) - theirs(ids()).logits).abs().max() < 1e-4


def test_a_tokenizer_with_more_tokens_than_the_model(tmp_path):
    their_folder(tmp_path)
    change(tmp_path, daybook_tokenizer={"kind": "char", "characters": "abcdefghijk"})
    with pytest.raises(CheckpointError, match="10 tokens, and its tokenizer has 11"):
        load_hugging_face(str(tmp_path))


def test_the_program_converts(tmp_path, capsys):
    their_folder(tmp_path / "theirs")
    packed, folder = tmp_path / "a.safetensors", tmp_path / "folder"
    assert main(["pack", str(tmp_path / "theirs"), str(packed)]) == 0
    assert main(["export", str(packed), str(folder)]) == 0
    assert f"written: {folder}" in capsys.readouterr().out
    one, two = load_trained(packed).model, load_hugging_face(str(folder)).model
    assert torch.equal(one(ids()), two(ids()))


def test_a_model_of_todays_parts_has_no_such_layout(tmp_path, capsys):
    save_plain(tmp_path / "a.safetensors", Trained(modern(), LETTERS))
    assert main(["export", str(tmp_path / "a.safetensors"), str(tmp_path / "b")]) == 2
    assert "a ModernGPT is no GPT-2" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


def test_the_module_is_a_program():
    done = run_program("snippets.mini_gpt.convert", "pack", "gone.pt", "x")
    assert done.returncode == 2 and "gone.pt" in done.stderr


def test_the_loss_at_the_start_is_that_of_a_guess():
    model = tiny(GPT2Config(vocab_size=200, **SIZES))
    text = torch.randint(200, (40, 13), generator=torch.Generator().manual_seed(0))
    logits = model(text[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(200), abs=0.03)
