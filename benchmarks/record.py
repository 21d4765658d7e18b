"""What was measured, kept as data: the command, the machine, and what was found.

Records are `snippets/data/NAME.json`, from which pages draw.
"""

import argparse
import json
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

DATA = Path(__file__).parents[1] / "snippets" / "data"


def machine() -> dict[str, Any]:
    """What the numbers hold for."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def processor() -> str:
    """The processor's name, and its matrix units if it has some."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text("utf8").splitlines()
        named = [line.split(":")[1].strip() for line in lines if "model name" in line]
        name = named[0] if named else name
    units = " with AMX" if torch.cpu._is_amx_tile_supported() else ""
    return f"{name}{units}"


def keep(name: str, found: dict[str, Any], part: str = "") -> None:
    """Write a record, or a part of one and leave its other parts as they are."""
    path = DATA / f"{name}.json"
    if part:
        old = json.loads(path.read_text("utf8")) if path.exists() else {}
        found = old | {part: found}
    path.write_text(json.dumps(found, indent=1) + "\n", "utf8", newline="\n")


def main(name: str, about: str, measure: Callable[[], object]) -> None:
    """The program of a benchmark: measure on one thread, and keep it if asked to."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--record", action="store_true", help=f"write {name}.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs = measure()
    if options.record:
        command = f"python -m benchmarks.{name} --record"
        keep(name, {"command": command, "machine": machine(), "runs": runs})
