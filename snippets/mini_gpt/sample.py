"""Let a model write: `python -m snippets.mini_gpt.sample best.pt --prompt The`."""

# --8<-- [start:imports]
import argparse
import os
import sys
from collections.abc import Sequence
from itertools import chain

from snippets.checkpoint import CheckpointError
from snippets.devices import pick_device
from snippets.mini_gpt.generate import (
    Sampling,
    default_prompt,
    one_after_the_other,
    stream_texts,
)
from snippets.mini_gpt.hugging_face import load_hugging_face
from snippets.mini_gpt.load import load_trained

# --8<-- [end:imports]


# --8<-- [start:program]
def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m snippets.mini_gpt.sample", description="Let a model write."
    )
    add = made.add_argument
    add("checkpoint", nargs="?", help="best.pt, or a file of `convert pack`")
    add("--from", dest="name", help="GPT-2 from a folder, or by name (gpt2)")
    add("--prompt", action="append", help="several are allowed (default: a new line)")
    add("--tokens", type=int, default=200, help="new ones in each text (default 200)")
    add("--temperature", type=float, default=0.8, help="default 0.8; 0: the likeliest")
    add("--top-k", type=int)
    add("--top-p", type=float, default=1.0)
    add("--seed", type=int, default=0)
    add("--batch", type=int, default=1, help="texts for each prompt")
    add("--stop", action="append", default=[], help="a text ends before this")
    add("--context", type=int, help="tokens to look back at (default: all it can)")
    add("--device", default="auto", help="auto, cpu, cuda, mps …")
    add("--no-cache", action="store_true", help="read the whole window for each token")
    return made


def write_texts(options: argparse.Namespace) -> None:
    """Load a model and print what it writes."""
    sampling = Sampling(options.temperature, options.top_k, options.top_p)
    if (options.checkpoint is None) == (options.name is None):
        raise ValueError("give a checkpoint, or --from with a folder or a name")
    if options.batch < 1:
        raise ValueError(f"--batch {options.batch}: it must be at least 1")
    device = pick_device(options.device)
    if options.name:
        trained = load_hugging_face(options.name)
    else:
        trained = load_trained(options.checkpoint)
    trained.model.to(device)
    given = options.prompt or [default_prompt(trained.tokenizer)]
    prompts = [prompt for prompt in given for _ in range(options.batch)]
    pieces = stream_texts(
        trained,
        prompts,
        options.tokens,
        sampling,
        options.stop,
        seed=options.seed,
        cached=not options.no_cache,
        context=options.context,
    )
    first = next(pieces)  # raises for bad input, before anything is printed
    texts = chain(enumerate(prompts), [first], pieces)
    for text in one_after_the_other(texts, len(prompts)):
        print(text, end="", flush=True)
    print()


ERRORS = (ValueError, OSError, CheckpointError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and write; returns the exit code, 2 for an error."""
    options = parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):  # a console may lack characters
        sys.stdout.reconfigure(errors="replace")
    try:
        write_texts(options)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
# --8<-- [end:program]
