"""Pin what the project asks for: `python -m tools.lock`, or `make lock`.

requirements.in becomes requirements.txt, and requirements-test.in becomes
requirements-test.txt, with what only the tests need. A version that is pinned already
stays, unless `--upgrade` is given. uv resolves for all Pythons and systems at once.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
READING = ROOT / "requirements.txt"
TESTING = ROOT / "requirements-test.txt"

# CUDA packages are left out: they come with torch where torch needs them
LEFT_OUT = re.compile(r"(nvidia-|cuda-|triton|cffi|pycparser)")


def pins_of(file: Path) -> list[str]:
    """The lines of a requirements file that pin something."""
    return [line for line in file.read_text("utf8").splitlines() if "==" in line]


def resolve(
    asked: Path, pinned: list[str], given: list[str], options: list[str]
) -> list[str]:
    """The pins of all that the file `asked` needs, a line each.

    `given` is fixed; what `pinned` pins is kept, unless `options` say otherwise.
    Raises CalledProcessError if there are no versions that fit together.
    """
    with tempfile.TemporaryDirectory() as folder:
        output, fixed = Path(folder, "output.txt"), Path(folder, "fixed.txt")
        output.write_text("\n".join(pinned), "utf8")
        fixed.write_text("\n".join(given), "utf8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet"]
        command += ["--universal", "--python-version", "3.11", "--no-annotate"]
        command += ["--no-header", "--constraint", str(fixed), *options]
        command += ["--output-file", str(output), str(asked)]
        subprocess.run(command, check=True)
        return [line for line in pins_of(output) if not LEFT_OUT.match(line)]


def write(file: Path, asked: Path, lines: list[str]) -> None:
    """Write a requirements file that says what it was made from."""
    first = f"# Made from {asked.name} by `make lock`."
    file.write_text("\n".join([first, *lines]) + "\n", "utf8", newline="\n")


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take new versions")
    options = ["--upgrade"] if parser.parse_args().upgrade else []
    asked = READING.with_suffix(".in")
    reading = resolve(asked, pins_of(READING), [], options)
    write(READING, asked, [*reading, "-e ."])
    asked = TESTING.with_suffix(".in")
    testing = resolve(asked, pins_of(TESTING), reading, options)
    only = [pin for pin in testing if not {pin, pin.split(" ;")[0]} & set(reading)]
    write(TESTING, asked, ["-r requirements.txt", *only])


if __name__ == "__main__":
    main()
