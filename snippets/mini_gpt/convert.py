"""Write a trained model for others: `python -m snippets.mini_gpt.convert`.

`… export best.pt FOLDER` writes what `transformers.GPT2LMHeadModel.from_pretrained`
reads; `… pack best.pt small.safetensors` writes one file for sampling.
"""

# --8<-- [start:imports]
import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from snippets.checkpoint import CheckpointError
from snippets.mini_gpt.hugging_face import load_hugging_face, save_hugging_face
from snippets.mini_gpt.load import DTYPES_TO_SAVE, load_trained, save_plain

# --8<-- [end:imports]


# --8<-- [start:program]
ERRORS = (ValueError, OSError, CheckpointError)


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m snippets.mini_gpt.convert")
    commands = made.add_subparsers(dest="command", required=True)
    for name, target in (("export", "FOLDER"), ("pack", "FILE.safetensors")):
        command = commands.add_parser(name)
        command.add_argument("source", help="a checkpoint; a folder or name of GPT-2")
        command.add_argument("target", metavar=target)
        command.add_argument(
            "--dtype", default="float32", help=", ".join(DTYPES_TO_SAVE)
        )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and convert; returns the exit code, 2 for an error."""
    options = parser().parse_args(arguments)
    source = options.source
    try:
        known = Path(source).suffix in (".pt", ".safetensors")
        trained = load_trained(source) if known else load_hugging_face(source)
        if options.command == "export":
            save_hugging_face(options.target, trained, options.dtype)
        else:
            save_plain(options.target, trained, options.dtype)
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"written: {options.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
# --8<-- [end:program]
