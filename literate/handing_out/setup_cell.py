"""The cell that a notebook begins with: what it needs, installed where that is missing.

On Colab it installs the versions that `requirements.txt` pins, with which all pages are
tested. Everywhere else it installs nothing; it prints the versions that it found.
"""

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from literate.project import ROOT

TAG = "setup"
REQUIREMENTS = ROOT / "requirements.txt"
REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)")
STAYS = {"numpy"}  # Colab's kernel has it loaded, and what is loaded cannot be replaced
TOGETHER = {"torch": {"torchvision"}}  # the one on Colab fits the torch on Colab alone
CODE = """\
import importlib.metadata
import subprocess
import sys

if "google.colab" in sys.modules:  # the versions that this notebook was tested with
    needed = [
{pinned}
    ]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *needed], check=True)
for package in "{names}".split():
    print(package, importlib.metadata.version(package))"""


def cells(sources: Iterable[str]) -> list[NotebookNode]:
    """The cell for a notebook of these pieces of code; none if they need no package."""
    names = packages(sources)
    if not names:
        return []
    pinned = [
        line for name in sorted(installed(names)) for line in requirements()[name]
    ]
    code = CODE.format(
        pinned="\n".join(f'        "{line}",' for line in pinned),
        names=" ".join(sorted(names)),
    )
    return [new_code_cell(code, metadata={"tags": [TAG]})]


def installed(names: set[str]) -> set[str]:
    """What Colab has to install so that these packages are the right ones."""
    return names.union(*(TOGETHER.get(name, set()) for name in names)) - STAYS


def packages(sources: Iterable[str]) -> set[str]:
    """The packages, by the names in `requirements.txt`, that code imports."""
    modules = {name for source in sources for name in imported(source)}
    found = {_normal(p) for name in modules for p in _distributions().get(name, [])}
    return found & requirements().keys()


def requirements() -> dict[str, list[str]]:
    """The lines of `requirements.txt` by package: one for each kind of machine."""
    found: dict[str, list[str]] = {}
    for line in REQUIREMENTS.read_text("utf8").splitlines():
        if match := REQUIREMENT.match(line):
            found.setdefault(_normal(match["name"]), []).append(line)
    return found


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """The packages that bring each top-level module which is installed."""
    return {
        module: list(names)
        for module, names in packages_distributions().items()
        if module not in sys.stdlib_module_names
    }


def imported(source: str) -> Iterator[str]:
    """The top-level modules that code imports, and TensorBoard where torch needs it."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a block that must raise it
        return
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        yield from (module.partition(".")[0] for module in modules)
        yield from ("tensorboard" for m in modules if m == "torch.utils.tensorboard")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
