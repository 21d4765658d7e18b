"""What a training run does, wherever it runs: its text, its model, its recipe."""

# --8<-- [start:imports]
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from snippets.checkpoint import CheckpointError
from snippets.mini_gpt.presets import PRESETS, Recipe

# --8<-- [end:imports]


# --8<-- [start:plan]
@dataclass(frozen=True)
class Plan:
    """What a run does, wherever it runs; a checkpoint holds it."""

    data: str
    tokenizer: str
    vocab_size: int  # for `bpe`
    architecture: str
    sizes: dict[str, Any]  # of the model, without its vocabulary
    recipe: Recipe
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Plan":
        """The reverse; raises CheckpointError for values of another program."""
        try:
            return cls(**{**values, "recipe": Recipe(**values["recipe"])})
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"a plan of another program: {error}") from error

    def differences(self, other: "Plan") -> list[str]:
        """What has changed in another plan, apart from where and how it runs.

        The path of the text may change; whether the text has, its digest tells.
        """
        free = ("data", "dtype", "compile", "accumulate", "evaluate_every")
        mine, others = flat(self.as_dict()), flat(other.as_dict())
        return [
            f"{name} was {mine.get(name)} and is {others.get(name)}"
            for name in {**mine, **others}
            if name not in free and mine.get(name) != others.get(name)
        ]


def flat(values: dict[str, Any]) -> dict[str, Any]:
    """Values by their last name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value) if isinstance(value, dict) else {name: value}
    return found


def make_plan(given: dict[str, Any], saved: Plan | None = None) -> Plan:
    """The plan of a preset, or a saved one, changed by the options that were given.

    Raises ValueError for an unknown preset.
    """
    name = given.get("preset", "nano")
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}: there are {', '.join(PRESETS)}")
    preset = PRESETS[name]
    base = Plan(
        "tales", "char", 512, preset.architecture, preset.model, preset.recipe, 0
    )
    if saved and "preset" not in given:
        base = saved
    recipe = {f.name: given[f.name] for f in fields(Recipe) if f.name in given}
    sizes = ("context_length", "d_model", "n_heads", "n_layers", "dropout")
    return replace(
        base,
        **{
            n: given[n]
            for n in ("data", "tokenizer", "vocab_size", "seed")
            if n in given
        },
        sizes={**base.sizes, **{name: given[name] for name in sizes if name in given}},
        recipe=replace(base.recipe, **recipe),
    )


# --8<-- [end:plan]
