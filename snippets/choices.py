"""Questions with answers to choose from, put to a language model by log-probability.

Brown et al., "Language Models are Few-Shot Learners" (2020), section 2.4. Axes: `T`
tokens, `V` vocabulary.
"""

# --8<-- [start:imports]
from collections.abc import Sequence

import torch
from torch import Tensor

from snippets.gpt import GPT, shift, surprise
from snippets.modes import evaluating

# --8<-- [end:imports]


# --8<-- [start:choices]
@torch.no_grad()
def choice_log_probability(
    model: GPT, prompt: Sequence[int], choice: Sequence[int]
) -> float:
    """log P(choice | prompt) in nats: the sum over the tokens of the choice.

    Raises ValueError for a prompt or a choice without tokens, and, from the model, if
    both do not fit into its context.
    """
    if not prompt or not choice:
        raise ValueError(
            f"{len(prompt)} tokens of prompt, {len(choice)} of choice: at least 1 each"
        )
    device = model.token.weight.device
    inputs, targets = shift(torch.tensor([[*prompt, *choice]], device=device))
    with evaluating(model):
        nats = surprise(model(inputs), targets)[0]  # (T,)
    return -nats[-len(choice) :].sum().item()  # the prompt itself is not scored


def score_choices(
    model: GPT,
    prompt: Sequence[int],
    choices: Sequence[Sequence[int]],
    lengths: Sequence[int] | None = None,
) -> Tensor:
    """The log-probability of each choice (n,); the largest is the model's answer.

    With `lengths`, in tokens, characters or bytes, each is divided by its own: a long
    choice then does not lose for being long.
    """
    sums = torch.tensor([choice_log_probability(model, prompt, c) for c in choices])
    return sums if lengths is None else sums / torch.tensor(lengths)


# --8<-- [end:choices]
