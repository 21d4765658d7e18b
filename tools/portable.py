"""Runs the tests as other processors compute.

    python -m tools.portable                          all settings, all that computes
    python -m tools.portable avx2 docs/llm -x         one setting, arguments of pytest

Sums are rounded differently by vector units of another width, so what a page says must
hold with each of them. The settings are variables that every process of a run inherits:

- `native`: as this processor computes;
- `avx2`: as most laptops do, with vectors of 256 bits;
- `default`: without AVX, and MKL's sums in another order: the nearest to a processor
  of another make.

A run starts only if the libraries say that they do what was asked: a setting that
silently does nothing would prove nothing. The exit code is 0 if every run passed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from numpy._core import _multiarray_umath as numpy_build

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
SETTINGS = {
    "native": {},
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "default": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}
NUMPY = "NPY_DISABLE_CPU_FEATURES"
VARIABLES = {NUMPY}.union(*SETTINGS.values())
# What no library may say that it uses. X86_V3 is NumPy's name for AVX2 and its company,
# X86_V4 for AVX-512; OpenBLAS names the processor whose kernels it takes.
WIDE = r"AVX-?512|AVX10|AMX|X86_V4|SkylakeX|Cooperlake|SapphireRapids"
NOT_ALLOWED = {
    "native": r"(?!)",
    "avx2": WIDE,
    "default": rf"AVX|FMA|F16C|X86_V3|Haswell|Zen|{WIDE}",
}
# run with the verbose variables below, under which oneDNN and MKL print what they use
REPORT = """
import json, numpy, scipy.linalg, threadpoolctl, torch
from numpy._core import _multiarray_umath as build
torch.ones(8, 8) @ torch.ones(8, 8)
if torch.backends.mkldnn.is_available():
    torch.ones(8).to_mkldnn()
pools = threadpoolctl.threadpool_info()
print(json.dumps({
    "PyTorch": torch.backends.cpu.get_cpu_capability(),
    "NumPy": " ".join(f for f in build.__cpu_dispatch__ if build.__cpu_features__[f]),
    "OpenBLAS": " ".join({p["architecture"] for p in pools if "architecture" in p}),
}))
"""
VERBOSE = {"ONEDNN_VERBOSE": "1", "MKL_VERBOSE": "1"}
TOLD = {"oneDNN": re.compile(r"cpu,isa:(.*)"), "MKL": re.compile(r"oneMKL (.*)")}


class SettingError(Exception):
    """This processor, or a library on it, does not do what a setting asks."""


@dataclass
class Result:
    """What pytest found under one setting; `counts` by outcome."""

    setting: str
    processor: str
    seconds: float
    exit_code: int
    counts: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def environment(setting: str) -> dict[str, str]:
    """The variables of a process under a setting, those of other settings removed."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    off = os.environ.get(NUMPY, "").split()  # where this process runs under a setting
    features = [
        name
        for name in numpy_build.__cpu_dispatch__
        if numpy_build.__cpu_features__[name] or name in off
        if re.search(NOT_ALLOWED[setting], name)
    ]
    disabled = {NUMPY: " ".join(features)} if features else {}
    return kept | ONE_THREAD | disabled | SETTINGS[setting]


def report(variables: dict[str, str]) -> dict[str, str]:
    """What each library says that it computes with, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT],
        env=variables | VERBOSE,
        capture_output=True,
        encoding="utf8",
    )
    if done.returncode:
        raise SettingError(done.stderr.strip())
    found = json.loads(done.stdout.strip().splitlines()[-1])
    told = {library: line.search(done.stdout) for library, line in TOLD.items()}
    return found | {library: match[1] for library, match in told.items() if match}


def problem(setting: str, report: dict[str, str]) -> str:
    """What contradicts a setting in a report; empty if nothing does."""
    asked = SETTINGS[setting].get("ATEN_CPU_CAPABILITY", report["PyTorch"])
    if report["PyTorch"].lower() != asked.lower():
        return f"{setting}: PyTorch computes with {report['PyTorch']}"
    wrong = [
        f"{library} uses {uses}"
        for library, uses in report.items()
        if re.search(NOT_ALLOWED[setting], uses)
    ]
    return f"{setting}: {'; '.join(wrong)}" if wrong else ""


def computing() -> list[str]:
    """The pages, and the tests of what pages show and import."""
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    imports = re.compile(r"^(from|import) (snippets|proofs|tests\.labs)\b", re.M)
    chosen = [
        path
        for path in tests
        if path.name == "test_labs.py" or imports.search(path.read_text("utf8"))
    ]
    return ["docs", *(path.relative_to(ROOT).as_posix() for path in chosen)]


def arguments(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """The settings and the arguments of pytest in a command line.

    Without a setting all are taken, without a path all that computes.
    """
    settings = [name for name in given if name in SETTINGS]
    rest = [name for name in given if name not in SETTINGS]
    paths = [name for name in rest if (ROOT / name.partition("::")[0]).exists()]
    return settings or list(SETTINGS), rest if paths else [*rest, *computing()]


def run(setting: str, rest: Sequence[str]) -> Result:
    """Run pytest under a setting.

    Raises:
        SettingError: the setting is not in force.
    """
    variables = environment(setting)
    found = report(variables)
    if wrong := problem(setting, found):
        raise SettingError(wrong)
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts.xml"
        command = [sys.executable, "-m", "pytest", f"--junitxml={counts}", *rest]
        started = time.perf_counter()
        code = subprocess.run(command, cwd=ROOT, env=variables).returncode
        seconds = time.perf_counter() - started
        result = Result(setting, found["PyTorch"], seconds, code)
        if counts.exists():
            count(ElementTree.parse(counts), result)
    return result


def count(report: ElementTree.ElementTree, result: Result) -> None:
    """Add the outcomes in a file of JUnit's form to a result."""
    for case in report.iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        outcome = min(kinds, default="passed")
        result.counts[outcome] = result.counts.get(outcome, 0) + 1
        if kinds & {"failure", "error"}:
            result.failed.append(f"{case.get('classname')}::{case.get('name')}")


def table(results: Sequence[Result]) -> str:
    """A line for each setting, then each test that failed with where it failed."""
    columns = ("passed", "failure", "error", "skipped")
    head = f"{'setting':<9}{'PyTorch':<9}"
    lines = [head + "".join(f"{c:>9}" for c in columns) + f"{'exit':>6}{'minutes':>9}"]
    for r in results:
        counts = "".join(f"{r.counts.get(c, 0):>9}" for c in columns)
        end = f"{r.exit_code:>6}{r.seconds / 60:>9.1f}"
        lines.append(f"{r.setting:<9}{r.processor:<9}{counts}{end}")
    for name in sorted({name for r in results for name in r.failed}):
        where = ", ".join(r.setting for r in results if name in r.failed)
        lines.append(f"{name}: {where}")
    return "\n".join(lines)


def main(given: Sequence[str]) -> int:
    """Run what a command line asks for; 0 if every run passed."""
    settings, rest = arguments(given)
    results = []
    for setting in settings:
        try:
            results.append(run(setting, rest))
        except SettingError as error:
            print(f"error: {error}", file=sys.stderr)
            results.append(Result(setting, "–", 0.0, 2))
    print(table(results))
    return int(any(r.exit_code for r in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
