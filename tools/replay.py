"""Records a run of the book's GPT for the site: `python -m tools.replay`.

Writes `docs/assets/playground/replay.json`, which the element `<gpt-replay>` plays:
what the model writes with the settings below, and what else it might have written at
each place. The playground *A small GPT* writes the same with these settings.
"""

import json
from typing import Any

import torch

from literate.project import DOCS, SNIPPETS
from snippets.files import write_whole
from snippets.mini_gpt.generate import Reader, Sampling, probabilities
from snippets.mini_gpt.load import load_trained

TARGET = DOCS / "assets" / "playground" / "replay.json"
PROMPT, TOKENS, SEED = "ROMEO:\n", 149, 31
SAMPLING = Sampling(temperature=0.7)
LISTED = 5  # choices at each place
MASK = 2**32 - 1


def uniform(seed: int, n: int) -> float:
    """A number in [0, 1), the n-th of a seed: as `uniform` in `sampling.js`."""
    state = (seed + (n + 1) * 0x6D2B79F5) & MASK
    t = (state ^ state >> 15) * (state | 1) & MASK
    t ^= (t + ((t ^ t >> 7) * (t | 61) & MASK)) & MASK
    return (t ^ t >> 14) / 2**32


@torch.inference_mode()
def record() -> dict[str, Any]:
    """The run: prompt, settings, and each token with the likeliest ones there."""
    trained = load_trained(SNIPPETS / "data" / "mini-gpt.safetensors")
    characters = trained.tokenizer.characters
    reader = Reader(trained.model, trained.model.config.context_length, cached=True)
    ids = trained.tokenizer.encode(PROMPT)
    tokens = []
    for _ in range(TOKENS):
        logits = reader.next_logits([ids], len(ids))  # (1, V)
        odds = probabilities(logits, SAMPLING)[0]
        u = uniform(SEED, len(ids))
        ids.append(int((odds.double().cumsum(0) > u).nonzero()[0]))
        top = logits[0].softmax(dim=-1).topk(LISTED)
        choices = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        listed = [[characters[i], round(p, 4)] for i, p in choices]
        tokens.append([characters[ids[-1]], listed])
    settings = {"temperature": SAMPLING.temperature, "topK": 0, "topP": 1}
    return {"prompt": PROMPT, "seed": SEED, "sampling": settings, "tokens": tokens}


def main() -> None:
    """Record, write, and show the text."""
    recorded = record()
    lines = ",\n".join(json.dumps(token) for token in recorded["tokens"])
    head = json.dumps({**recorded, "tokens": []})
    text = head.replace('"tokens": []', f'"tokens": [\n{lines}\n]') + "\n"
    write_whole(TARGET, lambda file: file.write(text.encode()))
    print(PROMPT + "".join(character for character, _ in recorded["tokens"]))
    print(f"written: {TARGET}")


if __name__ == "__main__":
    main()
