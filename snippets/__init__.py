"""The code of the book: one idea a file, plain PyTorch, to read, copy and import.

`README.md` beside this file lists them all. Some had other names once; imports from
those still work, with a `DeprecationWarning` that says the new name.
"""

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from types import CodeType, ModuleType
from typing import Any

RENAMED = {  # the name that a module of this package once had: the name that it has
    "digit_files": "digit_images",
    "image_files": "image_dataset",
    "init": "initialisation",
    "layer_watch": "hooks",
    "trace_file": "profiler_trace",
    "training": "digit_classifier",
}

NAMES: dict[str, dict[str, str]] = {  # names in a module: what each is called now
    "metrics": {"BatchAverage": "RunningMean", "accuracy": "accuracy_of"},
    "optimizers": {"Optimizer": "PerParameterOptimizer"},
    "transforms": {"standardise": "normalize", "to_tensor": "pil_to_tensor"},
    "bert": {"initialize": "initialize_weights"},
    "files": {"told_where": "naming_file"},
    "gpt": {"small_weights": "initialize_weights"},
    "llama": {"write": "generate_with_cache"},
    "mini_gpt.loop": {
        "asked_to_stop": "stop_signals",
        "check_in": "evaluate_and_save",
    },
    "mini_gpt.model": {
        "initialise": "initialize_weights",
    },
    "mini_gpt.modern": {"initialise": "initialize_weights"},
    "mini_gpt.parallel": {
        "from_all": "all_gather",
        "own_part": "to_local",
        "together": "rank0_first",
        "total": "all_reduce_sum",
    },
    "mini_gpt.run": {"look": "collect_losses"},
    "tokenizers.bpe": {  # with a dot: now in another module
        "Allowed": "tokenizers.bpe_encoding.Allowed",
        "BYTES": "tokenizers.bpe_words.BYTES",
        "CACHED": "tokenizers.bpe_encoding.CACHED",
        "LONG": "tokenizers.bpe_encoding.LONG",
        "PRINTABLE": "tokenizers.bpe_words.PRINTABLE",
        "any_of": "tokenizers.bpe_words.any_of",
        "compile_pattern": "tokenizers.bpe_words.compile_pattern",
        "merge_word": "tokenizers.bpe_encoding.merge_word",
        "split_words": "tokenizers.bpe_words.split_words",
    },
}


class RenamedModules(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds a module by the name that it once had, and warns.

    Both names then mean one module, not two copies.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """What to import for this name; None unless it is an old one."""
        package, _, module = name.partition(".")
        if package != __name__:
            return None
        if module in RENAMED:
            return importlib.util.spec_from_loader(name, self)
        found = importlib.machinery.PathFinder.find_spec(name, path)
        if module in NAMES and found and found.origin:
            found.loader = WithOldNames(name, found.origin)
            return found
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Let the old name mean the module of the new one."""
        old, new = module.__name__, new_name(module.__name__)
        message = f"{old} is now {new}: import it from there"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        sys.modules[old] = importlib.import_module(new)

    def get_code(self, fullname: str) -> CodeType | None:
        """The code that `python -m` runs for an old name."""
        spec = importlib.util.find_spec(new_name(fullname))
        loader = spec.loader if spec else None
        if isinstance(loader, importlib.abc.InspectLoader):
            return loader.get_code(new_name(fullname))
        return None

    def get_source(self, fullname: str) -> str | None:
        """Not kept: the new name has it."""
        return None


class WithOldNames(importlib.machinery.SourceFileLoader):
    """Loads a module in which names have changed; the old ones work, and warn."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, and answer for the names that it once had."""
        super().exec_module(module)
        changed = NAMES[module.__name__.partition(".")[2]]
        module.__getattr__ = functools.partial(old_name, module, changed)  # type: ignore[method-assign]


def old_name(module: ModuleType, changed: dict[str, str], name: str) -> Any:
    """What a module now has under another name; raises AttributeError if nothing."""
    full = f"{module.__name__}.{name}"
    if name not in changed:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    message = f"{full} is now {changed[name]}: use that name"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    place, _, new = changed[name].rpartition(".")
    owner = importlib.import_module(f"{__name__}.{place}") if place else module
    return getattr(owner, new)


def new_name(old: str) -> str:
    """The full name of a module by its full old name."""
    return f"{__name__}.{RENAMED[old.partition('.')[2]]}"


sys.meta_path.insert(0, RenamedModules())
