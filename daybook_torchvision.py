"""Lets torchvision be imported where its compiled part does not fit torch.

On Linux, PyPI's torchvision is built for CUDA. Beside a build of torch for the CPU its
compiled part cannot be loaded, and then `import torchvision` fails with "operator
torchvision::nms does not exist", as does all that imports it, `transformers` among
others. Only the declarations of two operators are missing, which nothing here uses.

`install` is an entry point in pyproject.toml, in the group that torch calls at the end
of `import torch`, in every process. It reads nothing and imports nothing; only when
torchvision has tried to load its compiled part, and failed, are the operators declared.
It stands alone, so that it works where nothing else of the project can be imported.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

# the module of torchvision that asks for the operators, just after `extension`
ASKS = "torchvision._meta_registrations"
OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


class Finder(MetaPathFinder):
    """Finds no module; declares the operators when the one that asks is looked for."""

    library = None  # torch forgets what is declared when this object goes

    def find_spec(self, name: str, path: Sequence[str] | None, target=None) -> None:
        """Called by Python for each module that is not imported yet."""
        if name == ASKS and Finder.library is None:
            Finder.library = declare()


def declare():
    """Declare the operators, unless the compiled part has; returns their library."""
    extension = sys.modules["torchvision.extension"]
    if extension._has_ops():
        return None
    from torch.library import Library

    library = Library("torchvision", "FRAGMENT")
    for schema in OPERATORS:
        library.define(schema)
    return library


def install() -> None:
    """Be asked first for every module; called by torch, once a process."""
    sys.meta_path.insert(0, Finder())
