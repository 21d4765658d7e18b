"""What a training run does, wherever it runs: its text, its model, its recipe."""

# --8<-- [start:imports]
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from snippets.checkpoint import CheckpointError
from snippets.mini_gpt.presets import PRESETS, Recipe, learning_rate_factor

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
            recipe = dict(values["recipe"])
            if "min_lr" in recipe:  # its name in the first checkpoints
                recipe["min_lr_ratio"] = recipe.pop("min_lr")
            return cls(**{**values, "recipe": Recipe(**recipe)})
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"a plan of another program: {error}") from error

    def differences(self, other: "Plan", done: int = 0) -> list[str]:
        """What has changed in another plan, apart from where and how it runs.

        The path of the text may change; whether the text has, its digest tells. So may
        the number of steps, if the steps that are `done` had the same learning rates.
        """
        free = {"data", "dtype", "compile", "accumulate", "evaluate_every"}
        free |= {"evaluate_tokens", "steps", "cooldown"}
        mine, others = flat(self.as_dict()), flat(other.as_dict())
        found = [
            f"{name} was {mine.get(name)} and is {others.get(name)}"
            for name in {**mine, **others}
            if name not in free and mine.get(name) != others.get(name)
        ]
        return found or schedule_differences(self.recipe, other.recipe, done)


def schedule_differences(saved: Recipe, recipe: Recipe, done: int) -> list[str]:
    """What keeps a run from going on with another number of steps, after `done`."""
    found = [
        f"{name} was {getattr(saved, name)} and is {getattr(recipe, name)}"
        for name in ("steps", "cooldown")
        if getattr(saved, name) != getattr(recipe, name)
    ]
    if not found:
        return []
    if recipe.steps < done:
        return [*found, f"{done} steps are done"]
    for step in range(done):
        one, other = (learning_rate_factor(step, r) for r in (saved, recipe))
        if one != other:
            return [*found, PROLONGING[recipe.schedule].format(step + 1)]
    return []


PROLONGING = {
    "cosine": "a cosine is made for its number of steps, so the rates would have been"
    " others from step {} on; start a new run, and if it is to be prolonged later, with"
    " --schedule linear",
    "linear": "the rates would have been others from step {} on; only a checkpoint that"
    " was saved before the rate fell can go on, or a new run",
}


def flat(values: dict[str, Any]) -> dict[str, Any]:
    """Values by their last name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value) if isinstance(value, dict) else {name: value}
    return found


def make_plan(given: dict[str, Any], saved: Plan | None = None) -> Plan:
    """The plan of a preset, or a saved one, changed by the options that were given.

    `min_lr`, which could mean a rate or a part of `lr`, is taken where it can mean only
    one of them. Raises ValueError otherwise, and for an unknown preset.
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
    if "min_lr" in given:
        lr = recipe.get("lr", base.recipe.lr)
        recipe["min_lr_ratio"] = as_ratio(given["min_lr"], lr)
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


def as_ratio(min_lr: float, lr: float) -> float:
    """The part of `lr` that is meant; raises ValueError if it could be a rate, too."""
    if 0 < min_lr <= lr:
        raise ValueError(
            f"--min-lr {min_lr:g} is not clear: a rate of {min_lr:g} is"
            f" --min-lr-ratio {min_lr / lr:g}, and {min_lr:g} times --lr is"
            f" --min-lr-ratio {min_lr:g}"
        )
    return min_lr


# --8<-- [end:plan]
