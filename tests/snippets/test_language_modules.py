"""Every language model and its parts: dtypes, devices, the compiler, modes, draws."""

import inspect
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from snippets import (
    attention,
    bert,
    bert_finetune,
    bert_pretrain,
    gpt,
    llama,
    transformer,
)
from snippets.attention import causal_mask
from snippets.bert import BertConfig
from snippets.gpt import GPT, GPTConfig
from snippets.kv_cache import KVCache
from snippets.llama import Llama, LlamaConfig, LlamaRMSNorm, rope_angles
from snippets.mini_gpt import generate as sampling
from snippets.mini_gpt import model as mini_model
from snippets.mini_gpt import modern, optimization
from snippets.mini_gpt.model import GPT2, GPT2Config
from snippets.mini_gpt.modern import ModernConfig, ModernGPT
from snippets.mini_gpt.optimization import NextTokenLoss
from snippets.modes import evaluating
from snippets.transformer import (
    Transformer,
    TransformerConfig,
    beam_search,
    greedy_search,
)

IDS = torch.randint(5, 11, (2, 6), generator=torch.Generator().manual_seed(1))
X, MEMORY, MASK = torch.randn(2, 6, 16), torch.randn(2, 4, 16), causal_mask(6)
ANGLES = rope_angles(torch.arange(6), 8)
PAPER = TransformerConfig(11, 12, 16, 2, 2, 24, pre_norm=True)
BERT = BertConfig(11, 12, 16, 2, 2, 24)
SMALL = GPTConfig(11, 12, 16, 2, 2)
LLAMA = LlamaConfig(11, 12, 16, 2, 1, 2, 24)
GPT_2 = GPT2Config(11, 12, 16, 2, 2, dropout=0.1)
MODERN = ModernConfig(11, 12, 16, 2, 2, dropout=0.1)
PLAIN = ModernConfig(11, 12, 16, 2, 2, 0.1, *[False] * 5, convolution=1, tied=True)
ALL = torch.ones(1, 1, 6, 4, dtype=torch.bool)

CASES = {  # how a module is made, and what it is given
    "SelfAttentionHead": (lambda: attention.SelfAttentionHead(16, 8), X, MASK),
    "MultiHeadAttentionByLoop": (
        lambda: attention.MultiHeadAttentionByLoop(16, 2),
        X,
        MASK,
    ),
    "MultiHeadAttention": (lambda: attention.MultiHeadAttention(16, 2), X, MASK),
    "CrossAttention": (lambda: transformer.CrossAttention(16, 2), X, MEMORY, ALL),
    "Sublayer": (lambda: transformer.Sublayer(PAPER), X, torch.relu),
    "FeedForward": (lambda: transformer.FeedForward(16, 24), X),
    "EncoderLayer": (lambda: transformer.EncoderLayer(PAPER), X, MASK),
    "DecoderLayer": (lambda: transformer.DecoderLayer(PAPER), X, MEMORY, MASK, ALL),
    "Transformer": (lambda: Transformer(PAPER), IDS, IDS),
    "BertEmbeddings": (lambda: bert.BertEmbeddings(BERT), IDS, IDS * 0),
    "BertBlock": (lambda: bert.BertBlock(BERT), X, MASK),
    "Bert": (lambda: bert.Bert(BERT), IDS),
    "MaskedLMHead": (lambda: bert.MaskedLMHead(BERT), X, torch.randn(11, 16)),
    "BertForPreTraining": (lambda: bert.BertForPreTraining(BERT), IDS),
    "BertForClassification": (
        lambda: bert.BertForClassification(bert.Bert(BERT), 3),
        IDS,
    ),
    "MaxClassifier": (lambda: bert_finetune.MaxClassifier(bert.Bert(BERT), 3), IDS),
    "FusedAttention": (lambda: bert_pretrain.FusedAttention(16, 2), X, MASK),
    "GPTBlock": (lambda: gpt.GPTBlock(SMALL), X, MASK),
    "GPT": (lambda: GPT(SMALL), IDS),
    "LlamaRMSNorm": (lambda: LlamaRMSNorm(16), X),
    "GroupedQueryAttention": (
        lambda: llama.GroupedQueryAttention(LLAMA),
        X,
        ANGLES,
        MASK,
    ),
    "SwiGLU": (lambda: llama.SwiGLU(16, 24), X),
    "LlamaBlock": (lambda: llama.LlamaBlock(LLAMA), X, ANGLES, MASK),
    "Llama": (lambda: Llama(LLAMA), IDS),
    "CausalSelfAttention": (lambda: mini_model.CausalSelfAttention(GPT_2), X),
    "TransformerBlock": (lambda: mini_model.TransformerBlock(GPT_2), X),
    "GPT2": (lambda: GPT2(GPT_2), IDS),
    "CausalConvolution": (lambda: modern.CausalConvolution(16, 3), X),
    "ModernAttention": (lambda: modern.ModernAttention(MODERN), X, None, MASK),
    "NGramEmbedding": (lambda: modern.NGramEmbedding(replace(MODERN, ngrams=3)), IDS),
    "RMSNormWithoutWeights": (modern.RMSNormWithoutWeights, X),
    "ModernBlock": (lambda: modern.ModernBlock(MODERN), X, None, MASK),
    "ModernGPT": (lambda: ModernGPT(MODERN), IDS),
    "ModernGPT, n-grams": (lambda: ModernGPT(replace(MODERN, ngrams=3)), IDS),
    "ModernGPT, all off": (lambda: ModernGPT(PLAIN), IDS),
    "NextTokenLoss": (lambda: NextTokenLoss(GPT2(GPT_2)), IDS, IDS),
}
each = pytest.mark.parametrize("name", CASES)


def made(name: str) -> tuple[nn.Module, list]:
    torch.manual_seed(0)
    make, *given = CASES[name]
    return make().eval(), given


def outputs(found: Tensor | tuple[Tensor, ...]) -> list[Tensor]:
    return [found] if isinstance(found, Tensor) else list(found)


def moved(given: list, to: torch.dtype | str) -> list:
    """Tensors of numbers in a dtype, or all tensors on a device."""

    def one(value):
        if isinstance(value, tuple):  # angles are float32, as models make them
            return value if isinstance(to, torch.dtype) else tuple(map(one, value))
        if not isinstance(value, Tensor):
            return value
        if isinstance(to, torch.dtype) and not value.is_floating_point():
            return value
        return value.to(to)

    return [one(value) for value in given]


def test_the_table_has_every_module():
    modules = (attention, transformer, bert, bert_finetune, bert_pretrain, gpt)
    modules += (llama, mini_model, modern, optimization)
    classes = {
        kind.__name__
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, nn.Module) and kind.__module__ == module.__name__
    }
    names = {name.split(",")[0].removeprefix("mini_gpt ") for name in CASES}
    assert classes == names


@each
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_gives_half_precision(name, dtype):
    module, given = made(name)
    with torch.no_grad():
        exact = outputs(module(*given))
        found = outputs(module.to(dtype)(*moved(given, dtype)))
    for one, other in zip(found, exact, strict=True):
        wanted = torch.float32 if name == "NextTokenLoss" else dtype
        assert one.dtype == wanted
        torch.testing.assert_close(one.float(), other, rtol=0.1, atol=0.1)


@each
def test_a_module_makes_all_tensors_on_the_device_of_its_inputs(name):
    module, given = made(name)
    exact = outputs(module(*given))
    found = outputs(module.to("meta")(*moved(given, "meta")))
    assert [t.device.type for t in found] == ["meta"] * len(found)
    assert [t.shape for t in found] == [t.shape for t in exact]
    module, given = made(name)
    with torch.device("meta"):  # what names no device is made there
        for one, other in zip(outputs(module(*given)), exact, strict=True):
            assert torch.equal(one, other)


@each
@pytest.mark.parametrize("training", [False, True])
def test_a_compiler_finds_one_graph(name, training):
    module, given = made(name)
    torch._dynamo.reset()
    module.train(training)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.manual_seed(1)
    exact = outputs(module(*given))
    torch.manual_seed(1)
    for one, other in zip(outputs(compiled(*given)), exact, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", ["Llama", "GPT2", "ModernGPT"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_cache_has_the_dtype_of_its_model(name, dtype):
    model, _ = made(name)
    model, caches = model.to(dtype), model.new_caches()
    with torch.no_grad():
        parts = [model(part, caches) for part in IDS.split((2, 1, 3), dim=1)]
        whole = model(IDS)
    assert caches[0].keys.dtype == caches[0].values.dtype == dtype
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=0.05, atol=0.05)


def test_an_empty_cache_counts_as_a_cache():
    assert KVCache()
    assert KVCache().seen == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rms_norm_gives_the_dtype_that_it_takes(dtype):
    x = torch.full((4,), 300.0, dtype=dtype)
    for norm in (LlamaRMSNorm(4), LlamaRMSNorm(4).to(dtype)):
        assert norm(x).dtype == nn.RMSNorm(4).to(dtype)(x).dtype == dtype
        assert norm(x).tolist() == [1.0] * 4


@pytest.mark.parametrize("rotate", [llama.rotate_adjacent, llama.rotate_halves])
def test_positions_of_each_row(rotate):
    x = torch.randn(2, 3, 5, 8)
    rows = torch.stack([torch.arange(5), torch.arange(5) + 7])
    found = rotate(x, *rope_angles(rows[:, None], 8))
    for row in range(2):
        alone = rotate(x[row], *rope_angles(rows[row], 8))
        torch.testing.assert_close(found[row], alone)
    half = rotate(x.half(), *rope_angles(torch.arange(5), 8))  # angles in float32
    assert half.dtype == torch.float16


# what draws and searches


def test_masks_are_drawn_on_the_device_of_the_ids():
    on_meta = torch.randint(4, 100, (2, 8), device="meta")
    for found in bert.mask_tokens(on_meta, 100):
        assert found.device.type == "meta"
    assert bert_pretrain.rename(on_meta, 500).device.type == "meta"
    assert gpt.random_windows(on_meta[0], 2, 3).device.type == "meta"


READER = bert.BertForPreTraining(BERT).eval()
DRAWING = {
    "mask_tokens": lambda model, g: bert.mask_tokens(IDS, 11, generator=g)[0],
    "rename": lambda model, g: bert_pretrain.rename(IDS, 500, generator=g),
    "training_loss": lambda model, g: bert_pretrain.training_loss(
        READER, IDS, IDS * 0, torch.tensor([True, False]), g
    ),
    "random_windows": lambda model, g: gpt.random_windows(IDS.flatten(), 4, 3, g),
    "generate": lambda model, g: gpt.generate(model, IDS, 5, generator=g),
}


@pytest.mark.parametrize("name", DRAWING)
def test_what_draws_takes_a_generator_and_leaves_the_global_one(name):
    model = GPT(SMALL)
    before = torch.get_rng_state()
    one, same, other = (
        DRAWING[name](model, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def dropping() -> Transformer:
    torch.manual_seed(0)
    sizes = {"vocab_size": 13, "max_length": 16, "d_model": 64, "n_heads": 4}
    return Transformer(TransformerConfig(**sizes, n_layers=2, d_ff=128))


def test_greedy_search_drops_nothing_out():
    model, source = dropping(), torch.tensor([[5, 9, 4, 7]])
    found = [greedy_search(model, source, 1, 2, 6).tolist() for _ in range(6)]
    assert found == [greedy_search(model.eval(), source, 1, 2, 6).tolist()] * 6


def bert_evaluation() -> tuple[nn.Module, object]:
    model = bert.BertForPreTraining(BertConfig(100, 128, 16, 2, 1, 24))
    documents = [[[70 + d, 80 + s] for s in range(4)] for d in range(9)]
    return model, lambda: bert_pretrain.evaluate(model, documents, pairs=64)


def with_mode(model: nn.Module, call) -> tuple[nn.Module, object]:
    return model, lambda: call(model)


RUNNING = {
    "greedy_search": lambda: with_mode(
        dropping(), lambda m: greedy_search(m, IDS, 1, 2, 3)
    ),
    "gpt.generate": lambda: with_mode(GPT(SMALL), lambda m: gpt.generate(m, IDS, 3)),
    "llama.generate": lambda: with_mode(
        Llama(LLAMA), lambda m: llama.generate_with_cache(m, IDS, 3)
    ),
    "generate_rows": lambda: with_mode(
        GPT2(GPT_2), lambda m: sampling.generate_rows(m, IDS.tolist(), 3)
    ),
    "bert evaluate": bert_evaluation,
}


@pytest.mark.parametrize("name", RUNNING)
def test_what_runs_a_model_puts_it_back_as_it_was(name):
    model, call = RUNNING[name]()
    model.train()
    frozen = list(model.modules())[-1]
    frozen.eval()
    seen = []
    first = model.encoder[0] if name == "greedy_search" else model  # what is called
    first.register_forward_pre_hook(
        lambda module, given: seen.append(any(m.training for m in model.modules()))
    )
    call()
    assert seen and not any(seen)
    assert model.training and not frozen.training

    def fail(*given):
        raise MemoryError

    first.register_forward_pre_hook(fail)
    with pytest.raises(MemoryError):
        call()
    assert model.training and not frozen.training


def test_evaluation_mode_is_left_as_it_was_entered():
    model = nn.Sequential(nn.Dropout(), nn.Dropout())
    model[1].eval()
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [m.training for m in model.modules()] == [True, True, False]


SCORES = torch.tensor([[0.9, 0.05, 0.05]]).log()


def test_a_text_that_did_not_end_is_not_filed_as_finished():
    def logs(beams: Tensor) -> Tensor:
        return SCORES.expand(len(beams), 3)

    ids, score = beam_search(logs, 0, 2, 5, width=3)
    assert ids[-1] == 2
    assert ids == [2]
    assert score == pytest.approx(SCORES[0, 2].item())
    nothing_ends = torch.tensor([[0.6, 0.4, 0.0]]).log()
    ids, score = beam_search(lambda b: nothing_ends.expand(len(b), 3), 0, 2, 3, width=2)
    assert ids == [0, 0, 0]
    penalty = (8 / 6) ** 0.6
    assert score == pytest.approx(3 * nothing_ends[0, 0].item() / penalty)


def test_a_search_for_no_tokens_finds_none():
    assert beam_search(lambda beams: SCORES, 0, 2, most=0) == ([], 0.0)
    with pytest.raises(ValueError, match="most=-1"):
        beam_search(lambda beams: SCORES, 0, 2, most=-1)


def test_searches_stay_on_the_device_of_the_model():
    """Here that is the CPU, and what names no device would be made on another."""
    model = dropping().eval()

    def logs(beams: Tensor) -> Tensor:
        memory, mask = model.encode(IDS[:1])
        copies = memory.expand(len(beams), -1, -1), mask.expand(len(beams), -1, -1, -1)
        return model.decode(beams, *copies)[:, -1].log_softmax(dim=-1)

    expected = greedy_search(model, IDS, 1, 2, 4), beam_search(logs, 1, 2, 4)
    with torch.device("meta"):
        assert torch.equal(greedy_search(model, IDS, 1, 2, 4), expected[0])
        assert beam_search(logs, 1, 2, 4, device="cpu") == expected[1]
    asked = []

    def note(beams: Tensor) -> Tensor:
        asked.append(beams.device.type)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        beam_search(note, 1, 2, 4, device="meta")
    assert asked == ["meta"]


def test_generation_makes_all_tensors_on_the_device_of_the_model():
    small, big, shared = GPT(SMALL), Llama(LLAMA), GPT2(GPT_2)
    cases = (
        lambda: gpt.generate(small, IDS, 3, temperature=0),
        lambda: llama.generate_with_cache(big, IDS, 3),
        lambda: sampling.generate_rows(
            shared, IDS.tolist(), 3, sampling.Sampling(temperature=0)
        ),
    )
    for call in cases:
        expected = call()
        with torch.device("meta"):
            found = call()
        same = found == expected
        assert same if isinstance(same, bool) else same.all()


def test_llama_refuses_ids_where_they_enter():
    with pytest.raises(ValueError, match=r"ids from 11 to 11: they must lie in 0 … 10"):
        llama.generate_with_cache(Llama(LLAMA), torch.tensor([[11]]), 2)
    for ids in (torch.tensor([[0, 11]]), torch.tensor([[-1, 2]])):
        with pytest.raises(ValueError, match=f"ids from {ids.min()} to {ids.max()}"):
            gpt.generate(GPT(SMALL), ids, 2)


# bert


def test_words_are_scored_at_chosen_positions_only():
    torch.manual_seed(0)
    model = bert.BertForPreTraining(BERT).eval()
    inputs, labels = bert.mask_tokens(IDS, 11)
    chosen = labels != bert.NOT_CHOSEN
    shapes = []
    model.words.register_forward_hook(lambda m, given, out: shapes.append(out.shape))
    everywhere, following = model(inputs)
    few, same = model(inputs, chosen=chosen)
    assert shapes == [(2, 6, 11), (int(chosen.sum()), 11)]
    torch.testing.assert_close(few, everywhere[chosen])
    torch.testing.assert_close(same, following)
    loss = bert.masked_lm_loss(few, labels[chosen])
    torch.testing.assert_close(loss, bert.masked_lm_loss(everywhere, labels))


def test_state_dicts_of_all_attentions_fit():
    shared = attention.MultiHeadAttention(16, 2)
    for other in (
        transformer.CrossAttention(16, 2),
        mini_model.CausalSelfAttention(GPT_2),
        bert_pretrain.FusedAttention(16, 2),
    ):
        other.load_state_dict(shared.state_dict(), strict=True)
        assert isinstance(other, attention.MultiHeadAttention)


def test_cross_attention_to_itself_is_self_attention():
    cross, plain = (
        transformer.CrossAttention(16, 2),
        attention.MultiHeadAttention(16, 2),
    )
    cross.load_state_dict(plain.state_dict())
    torch.testing.assert_close(cross(X, X, MASK), plain(X, MASK))


def test_layers_without_biases_are_made_once():
    torch.manual_seed(0)
    attention.MultiHeadAttention(16, 2, bias=False)
    before = torch.get_rng_state()
    torch.manual_seed(0)
    config = GPT2Config(11, 12, 16, 2, 2, bias=False)
    found = mini_model.CausalSelfAttention(config)
    assert torch.equal(torch.get_rng_state(), before)
    assert [name for name, _ in found.named_parameters()] == [
        "qkv.weight",
        "out.weight",
    ]
