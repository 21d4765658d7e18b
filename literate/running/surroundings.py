"""What the code of pages and labs finds around it, the same whoever builds the book."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping

ENVIRONMENT = {  # for every process that runs code of the book
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    # A sum split over threads rounds differently: with one thread each, pages print the
    # same on machines with any number of cores, and as many pages run as there are.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
OF_PAGES = {
    "COLUMNS": "80",
    # what PyTorch logs below Python has the time and the process in each line: these
    # leave its errors, and nothing of the profiler's
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "KINETO_LOG_LEVEL": "99",
    "LINES": "24",
    "LC_ALL": "C",
    "NO_COLOR": "1",
    # what libraries in C and child processes of Python print stands in order
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "TERM": "dumb",
    "TZ": "UTC",
}
# settings of the person who builds; what tells where files are stays
PERSONAL = re.compile(
    r"PYTHON(?!PATH$|HOME$|PYCACHEPREFIX$|DONTWRITEBYTECODE$|PLATLIBDIR$)\w+"
    r"|LANG|LANGUAGE|LC_\w+|FORCE_COLOR|CLICOLOR\w*|PY_COLORS|TQDM_\w+"
    r"|MATPLOTLIBRC|TORCH_LOGS|TORCH_SHOW_CPP_STACKTRACES"
)


def for_pages(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment with its personal settings replaced by those of the book."""
    kept = {n: value for n, value in environment.items() if not PERSONAL.fullmatch(n)}
    return kept | ENVIRONMENT | OF_PAGES


@contextlib.contextmanager
def inherited_by_pages() -> Iterator[None]:
    """Let the processes that start meanwhile inherit the environment of pages."""
    before = dict(os.environ)
    _become(for_pages(before))
    try:
        yield
    finally:
        _become(before)


def _become(wanted: Mapping[str, str]) -> None:
    """Change this process's environment: only what differs, for threads read it."""
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
