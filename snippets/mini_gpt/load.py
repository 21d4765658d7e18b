"""A trained model and its tokenizer, from a checkpoint or from one small file.

A checkpoint of the training program holds the optimizer, too. For a model that is only
to write there is a plain file: safetensors, whose notes say how to build the model.
"""

# --8<-- [start:imports]
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from snippets.checkpoint import CheckpointError, model_differences
from snippets.files import write_whole
from snippets.mini_gpt.checkpoints import read_run, renamed
from snippets.mini_gpt.data import Tokenizer, tokenizer_from, tokenizer_state
from snippets.mini_gpt.model import GPT2
from snippets.mini_gpt.presets import AnyGPT, build_model

# --8<-- [end:imports]


# --8<-- [start:trained]
@dataclass(frozen=True)
class Trained:
    """A model that can write, and the tokenizer of its text."""

    model: AnyGPT
    tokenizer: Tokenizer


PLAIN_FORMAT = "daybook-mini-gpt-1"


def load_trained(path: str | Path) -> Trained:
    """Read a checkpoint (`.pt`) or a plain file (`.safetensors`), onto the CPU.

    Weights are float32, whatever the file has. Raises FileNotFoundError, and
    CheckpointError for a damaged file and for one of another program.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        return load_plain(path)
    saved = read_run(path)
    architecture = saved["plan"].get("architecture")
    return put_together(
        path, architecture, saved["model_config"], saved["tokenizer"], saved["model"]
    )


def put_together(
    path: Path,
    architecture: str,
    sizes: dict[str, Any],
    tokenizer: dict[str, Any],
    weights: dict[str, Tensor],
) -> Trained:
    """Build what a file describes; raises CheckpointError if its parts do not fit."""
    try:
        model = build_model(architecture, sizes)
        made = tokenizer_from(tokenizer)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} describes no model: {error!r}") from error
    weights = {name: tensor.float() for name, tensor in weights.items()}
    if problems := model_differences(weights, model.state_dict()):
        raise CheckpointError(f"{path} has other weights: {'; '.join(problems)}")
    check_finite(path, weights)
    model.load_state_dict(weights)
    return Trained(model.eval(), made)


def check_finite(path: Path, weights: dict[str, Tensor]) -> None:
    """Raise CheckpointError for weights that are no numbers, and name them."""
    broken = [name for name, tensor in weights.items() if not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(f"{path} has weights that are not finite: {broken[0]}")


# --8<-- [end:trained]


# --8<-- [start:plain]
DTYPES_TO_SAVE = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def to_dtype(weights: dict[str, Tensor], dtype: str) -> dict[str, Tensor]:
    """Weights to be saved; raises ValueError for another dtype, or out of its range."""
    if dtype not in DTYPES_TO_SAVE:
        raise ValueError(f"no dtype {dtype!r}: there are {', '.join(DTYPES_TO_SAVE)}")
    made = {}
    for name, tensor in weights.items():
        made[name] = tensor.detach().to("cpu", DTYPES_TO_SAVE[dtype]).contiguous()
        if not made[name].isfinite().all():
            raise ValueError(f"{name} is not finite in {dtype}: use float32")
    return made


def save_plain(path: str | Path, trained: Trained, dtype: str = "float32") -> None:
    """Write a model and its tokenizer as one safetensors file, whole or not at all.

    `dtype` as for `to_dtype`, whose errors are raised.
    """
    notes = {
        "format": PLAIN_FORMAT,
        "architecture": "gpt2" if isinstance(trained.model, GPT2) else "modern",
        "model_config": json.dumps(asdict(trained.model.config)),
        "tokenizer": json.dumps(tokenizer_state(trained.tokenizer)),
    }
    weights = to_dtype(trained.model.state_dict(), dtype)
    content = safetensors.torch.save(weights, notes)
    write_whole(path, lambda file: file.write(content))


def load_plain(path: Path) -> Trained:
    """Read what `save_plain` wrote."""
    weights, notes = read_safetensors(path)
    if notes.get("format") != PLAIN_FORMAT:
        raise CheckpointError(f"{path} does not say how to build its model")
    try:
        sizes, tokenizer = (json.loads(notes[n]) for n in ("model_config", "tokenizer"))
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path} describes no model: {error!r}") from error
    kind = notes.get("architecture", "")
    return put_together(path, kind, sizes, tokenizer, renamed(weights))


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file, and its notes; raises CheckpointError for a damaged one.

    Raises FileNotFoundError where there is none.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return weights, file.metadata() or {}
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is damaged, or no safetensors") from error


# --8<-- [end:plain]
