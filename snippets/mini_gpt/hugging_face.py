"""GPT-2 in the layout of Hugging Face: read a folder or a name, and write a folder.

Such a folder is what `transformers.GPT2LMHeadModel.from_pretrained` reads. Their linear
layers in the blocks (`Conv1D`) hold their weights as (in, out), ours as (out, in).
"""

# --8<-- [start:imports]
import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from snippets.checkpoint import CheckpointError, read_checkpoint
from snippets.files import write_whole
from snippets.mini_gpt.data import (
    GPT2Tokenizer,
    tokenizer_from,
    tokenizer_state,
    vocab_size_of,
)
from snippets.mini_gpt.load import (
    Trained,
    check_finite,
    read_safetensors,
    to_dtype,
)
from snippets.mini_gpt.model import GPT2, GPT2Config

# --8<-- [end:imports]


# --8<-- [start:names]
TOP_NAMES = {"token": "wte", "position": "wpe", "norm": "ln_f"}
BLOCK_NAMES = {
    "norm1": "ln_1",
    "attention.qkv": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "norm2": "ln_2",
    "up": "mlp.c_fc",
    "down": "mlp.c_proj",
}
MASKS = (".attn.bias", ".attn.masked_bias")  # in old files: the causal mask, no weights


def their_name(name: str) -> str:
    """`blocks.0.norm1.weight` is `h.0.ln_1.weight` there."""
    path, kind = name.rsplit(".", 1)
    if path in TOP_NAMES:
        return f"{TOP_NAMES[path]}.{kind}"
    _, layer, part = path.split(".", 2)
    return f"h.{layer}.{BLOCK_NAMES[part]}.{kind}"


def is_transposed(name: str) -> bool:
    """Whether their tensor is ours with rows and columns exchanged."""
    return name.startswith("blocks.") and name.endswith(
        ("qkv.weight", "out.weight", "up.weight", "down.weight")
    )


# --8<-- [end:names]


# --8<-- [start:config]
GELUS = {  # their names of the activation: ours
    "gelu_new": "tanh",
    "gelu_pytorch_tanh": "tanh",
    "gelu_fast": "tanh",
    "gelu": "none",
}
FIXED = {  # what our model has no switch for: the only value it can have
    "model_type": ("gpt2",),
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
}


def config_from(theirs: dict[str, Any]) -> GPT2Config:
    """Our configuration; raises ValueError for a model that ours cannot be."""
    for name, allowed in FIXED.items():
        if theirs.get(name, allowed[0]) not in allowed:
            raise ValueError(f"{name} is {theirs[name]!r}: only {allowed[0]!r} is here")
    gelu = theirs.get("activation_function", "gelu_new")
    if gelu not in GELUS:
        raise ValueError(f"activation {gelu!r}: there are {', '.join(GELUS)}")
    try:
        width = theirs["n_embd"]
        config = GPT2Config(
            vocab_size=theirs["vocab_size"],
            context_length=theirs["n_positions"],
            d_model=width,
            n_heads=theirs["n_head"],
            n_layers=theirs["n_layer"],
            gelu=GELUS[gelu],
        )
    except KeyError as error:
        raise ValueError(f"config.json has no {error.args[0]}") from error
    if (inner := theirs.get("n_inner") or 4 * width) != 4 * width:
        raise ValueError(f"n_inner is {inner}: only 4 · n_embd = {4 * width} is here")
    return config


def config_to(config: GPT2Config) -> dict[str, Any]:
    """What goes into `config.json`."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_embd": config.d_model,
        "n_head": config.n_heads,
        "n_layer": config.n_layers,
        "activation_function": "gelu_new" if config.gelu == "tanh" else "gelu",
        **{f"{part}_pdrop": config.dropout for part in ("resid", "embd", "attn")},
        "bos_token_id": None,
        "eos_token_id": None,
        **{name: allowed[0] for name, allowed in FIXED.items()},
    }


# --8<-- [end:config]


# --8<-- [start:convert]
def weights_from(theirs: dict[str, Tensor], model: GPT2) -> dict[str, Tensor]:
    """Their tensors under our names, for a model of the same sizes.

    Rows that fill up the vocabulary are zero. Raises ValueError for tensors that are
    missing, too many, of other sizes, and for a head that is not the embedding.
    """
    found = {name.removeprefix("transformer."): t for name, t in theirs.items()}
    found = {name: t for name, t in found.items() if not name.endswith(MASKS)}
    head, V = found.pop("lm_head.weight", None), model.config.vocab_size
    made, problems = {}, []
    for name, own in model.state_dict().items():
        tensor = found.pop(their_name(name), None)
        rows = V if name == "token.weight" else len(own)
        wanted = (rows, *own.shape[1:])
        shape = wanted[::-1] if is_transposed(name) else wanted
        if tensor is None or tuple(tensor.shape) != shape:
            has = "missing" if tensor is None else f"{tuple(tensor.shape)}, not {shape}"
            problems.append(f"{their_name(name)} is {has}")
            continue
        made[name] = (tensor.T if is_transposed(name) else tensor).float()
    problems += [f"{name} is not in a GPT-2" for name in found]
    if problems:
        raise ValueError("; ".join(problems))
    if head is not None and not torch.equal(head.float(), made["token.weight"]):
        raise ValueError("lm_head.weight is not wte.weight: the head is not tied")
    padding = torch.zeros(model.config.padded_vocab_size - V, model.config.d_model)
    made["token.weight"] = torch.cat([made["token.weight"], padding])
    return made


def weights_to(model: GPT2) -> dict[str, Tensor]:
    """Our weights under their names; biases that we have not are zero."""
    made = {}
    for name, tensor in model.state_dict().items():
        if name == "token.weight":
            tensor = tensor[: model.config.vocab_size]
        theirs = f"transformer.{their_name(name)}"
        made[theirs] = tensor.T if is_transposed(name) else tensor
        if name.startswith(("blocks.", "norm.")) and not model.config.bias:
            bias = theirs.removesuffix("weight") + "bias"
            made[bias] = tensor.new_zeros(tensor.size(0))
    return made


# --8<-- [end:convert]


# --8<-- [start:read]
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; raises FileNotFoundError, and CheckpointError otherwise."""
    try:
        content = json.loads(path.read_text("utf8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds no JSON object")
    return content


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, from one file or from several with an index.

    Raises FileNotFoundError for a folder without weights, CheckpointError for damage.
    """
    for name in WEIGHT_FILES:
        files, index = [folder / name], folder / f"{name}.index.json"
        if index.is_file():
            names = read_json(index).get("weight_map", {}).values()
            files = [folder / Path(n).name for n in sorted(set(names))]
        elif not files[0].is_file():
            continue
        found: dict[str, Tensor] = {}
        for file in files:
            if file.suffix == ".safetensors":
                found |= read_safetensors(file)[0]
            else:
                found |= read_checkpoint(file)  # tensors only: weights_only=True
        return found
    raise FileNotFoundError(f"{folder} has none of {', '.join(WEIGHT_FILES)}")


def find_folder(name: str) -> Path:
    """A folder, or the one that a name has in the cache of `huggingface_hub`.

    What is not there is downloaded. Raises ConnectionError where that fails.
    """
    if Path(name).is_dir():
        return Path(name)
    import huggingface_hub

    try:
        found = huggingface_hub.snapshot_download(
            name, allow_patterns=["config.json", "model*.safetensors*"]
        )
    except Exception as error:  # of many kinds, from several libraries
        raise ConnectionError(
            f"{name!r} is no folder, and could not be downloaded: {error}"
        ) from error
    return Path(found)


def load_hugging_face(name: str) -> Trained:
    """A GPT-2 from a folder, or by its name: `gpt2`, `distilgpt2`, `gpt2-medium` ….

    The tokenizer is GPT-2's, unless the folder was written here. Raises what the
    functions above raise; CheckpointError for what is no GPT-2 or does not fit.
    """
    folder = find_folder(name)
    theirs = read_json(folder / "config.json")
    try:
        model = GPT2(config_from(theirs))
        weights = weights_from(read_weights(folder), model)
        check_finite(folder, weights)
        model.load_state_dict(weights)
        state = theirs.get("daybook_tokenizer")
        tokenizer = tokenizer_from(state) if state else GPT2Tokenizer()
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder}: {error}") from error
    if vocab_size_of(tokenizer) > model.config.vocab_size:
        raise CheckpointError(
            f"{folder}: {model.config.vocab_size} tokens, and its tokenizer has"
            f" {vocab_size_of(tokenizer)}"
        )
    return Trained(model.eval(), tokenizer)


# --8<-- [end:read]


# --8<-- [start:write]
def save_hugging_face(
    folder: str | Path, trained: Trained, dtype: str = "float32"
) -> None:
    """Write `config.json` and `model.safetensors`.

    Raises ValueError for a model that is no GPT-2, and for the dtype.
    """
    if not isinstance(trained.model, GPT2):
        raise ValueError(
            f"a {type(trained.model).__name__} is no GPT-2: transformers has no such"
            " model; `pack` writes it as one file"
        )
    weights = to_dtype(weights_to(trained.model), dtype)
    config = config_to(trained.model.config) | {"dtype": dtype}
    config["daybook_tokenizer"] = tokenizer_state(trained.tokenizer)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = safetensors.torch.save(weights, {"format": "pt"})
    write_whole(folder / "model.safetensors", lambda file: file.write(content))
    text = json.dumps(config, indent=2) + "\n"
    write_whole(folder / "config.json", lambda file: file.write(text.encode()))


# --8<-- [end:write]


if __name__ == "__main__":
    raise SystemExit("this program is now python -m snippets.mini_gpt.convert")
