"""How a model is trained: sizes and settings by name."""

# --8<-- [start:imports]
import math
from dataclasses import dataclass, field, replace
from typing import Any

from snippets.mini_gpt.model import GPT2, GPT2Config
from snippets.mini_gpt.modern import ModernConfig, ModernGPT

# --8<-- [end:imports]


# --8<-- [start:recipe]
CHOICES = {
    "optimizer": ("adamw", "muon"),
    "schedule": ("cosine", "linear"),
    "dtype": ("auto", "float32", "bfloat16"),
}


@dataclass(frozen=True)
class Recipe:
    """All that decides how weights change, apart from the data and the seed."""

    steps: int
    batch_size: int  # windows a step, of all processes and micro-batches together
    lr: float  # of AdamW
    optimizer: str = "adamw"  # or "muon": Muon for matrices, AdamW for the rest
    matrix_lr: float = 0.02  # of Muon
    schedule: str = "cosine"  # or "linear": constant, then down to zero
    min_lr_ratio: float = 0.0  # where the cosine ends, as part of lr
    warmup: int = 0  # steps
    cooldown: float = 0.5  # the part of the steps in which "linear" goes down
    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.0
    clip: float = 0.0  # largest norm of the gradient; 0: any
    accumulate: int = 1  # micro-batches a step
    evaluate_every: int = 250  # steps
    evaluate_tokens: int = 2**20  # of the validation text, at most
    dtype: str = "auto"
    compile: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for settings that make no sense."""
        counts = ("steps", "batch_size", "accumulate")
        for name in (*counts, "evaluate_every", "evaluate_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: it must be at least 1")
        for name in ("lr", "matrix_lr", "weight_decay", "clip", "warmup"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)}: it must be 0 or more")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                found = getattr(self, name)
                raise ValueError(f"no {name} {found!r}: there are {', '.join(known)}")
        if not 0 < self.cooldown <= 1:
            raise ValueError(f"cooldown={self.cooldown}: it must be in (0, 1]")
        if not 0 <= self.min_lr_ratio <= 1:
            raise ValueError(
                f"min_lr_ratio={self.min_lr_ratio}: it must be in [0, 1], a part of lr"
            )


def learning_rate_factor(step: int, recipe: Recipe) -> float:
    """What the learning rates are multiplied by in a step, counted from 0.

    A line from 0 to 1 over the warm-up, then either a cosine to `min_lr_ratio`, or 1
    and a line to 0 over the last `cooldown` of all steps.
    """
    if step < recipe.warmup:
        return (step + 1) / (recipe.warmup + 1)
    if recipe.schedule == "linear":
        return min(1.0, (1 - step / recipe.steps) / recipe.cooldown)
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    end, wave = recipe.min_lr_ratio, (1 + math.cos(math.pi * done)) / 2
    return end + (1 - end) * wave


# --8<-- [end:recipe]


# --8<-- [start:presets]
@dataclass(frozen=True)
class Preset:
    """A model's sizes, and how it is trained."""

    architecture: str  # "gpt2" or "modern"
    recipe: Recipe
    model: dict[str, Any] = field(default_factory=dict)


NANO = Recipe(  # nanoGPT's settings for a CPU
    steps=2000,
    batch_size=12,
    lr=1e-3,
    min_lr_ratio=0.1,
    warmup=100,
    beta2=0.99,
    weight_decay=0.1,
    clip=1.0,
    dtype="float32",
)
MINUTE = Recipe(
    steps=1150,
    batch_size=16,
    lr=3e-3,
    optimizer="muon",
    schedule="linear",
    cooldown=0.7,
    evaluate_every=250,
    compile=True,
)
PRESETS = {
    "nano": Preset(
        "gpt2",
        NANO,
        {
            "context_length": 64,
            "d_model": 128,
            "n_heads": 4,
            "n_layers": 4,
            "bias": False,
            "gelu": "none",
            "vocab_multiple": 1,
        },
    ),
    "laptop-seconds": Preset(  # to nanoGPT's loss, and no further
        "modern",
        replace(
            MINUTE,
            steps=90,
            lr=0.02,
            matrix_lr=0.04,
            cooldown=1.0,
            compile=False,  # which takes longer than the run
            dtype="float32",
        ),
        {
            "context_length": 64,
            "d_model": 128,
            "n_heads": 2,
            "n_layers": 2,
            "ngrams": 4,
        },
    ),
    "laptop-minute": Preset(
        "modern",
        MINUTE,
        {"context_length": 128, "d_model": 128, "n_heads": 2, "n_layers": 4},
    ),
    "laptop": Preset(
        "modern",
        replace(
            MINUTE, steps=1600, batch_size=32, weight_decay=0.1, evaluate_every=100
        ),
        {
            "context_length": 256,
            "d_model": 256,
            "n_heads": 2,
            "n_layers": 4,
            "dropout": 0.2,
        },
    ),
    "playground": Preset(  # the model that runs in a browser
        "gpt2",
        replace(MINUTE, steps=2500, batch_size=16, compile=False, dtype="float32"),
        {
            "context_length": 256,
            "d_model": 128,
            "n_heads": 4,
            "n_layers": 4,
            "vocab_multiple": 1,
        },
    ),
    "gpt2-124m": Preset(
        "gpt2",
        Recipe(
            steps=600_000,
            batch_size=480,
            accumulate=40,
            lr=6e-4,
            min_lr_ratio=0.1,
            warmup=2000,
            weight_decay=0.1,
            clip=1.0,
            evaluate_every=2000,
            compile=True,
        ),
    ),
}
# --8<-- [end:presets]


# --8<-- [start:build]
AnyGPT = GPT2 | ModernGPT


def build_model(architecture: str, sizes: dict[str, Any]) -> AnyGPT:
    """A model with new weights; raises ValueError for sizes it cannot have."""
    if architecture == "gpt2":
        return GPT2(GPT2Config(**sizes))
    if architecture == "modern":
        return ModernGPT(ModernConfig(**sizes))
    raise ValueError(f"no architecture {architecture!r}: there are gpt2, modern")


# --8<-- [end:build]
