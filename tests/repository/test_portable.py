"""`tools/portable.py`: settings are in force, in pages too, and failures are told."""

import subprocess
import sys
from pathlib import Path

import pytest

from literate.project import ROOT
from tools import portable

WIDE = {"PyTorch": "AVX512", "NumPy": "X86_V3 X86_V4", "OpenBLAS": "SkylakeX"}
LAPTOP = {"PyTorch": "AVX2", "NumPy": "X86_V3", "OpenBLAS": "Haswell"}
PLAIN = {"PyTorch": "DEFAULT", "NumPy": "", "OpenBLAS": "Nehalem"}
A_PAGE = """
from literate.running import process
from literate.block import Block, Options

if __name__ == "__main__":
    code = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    result = process.run_page("page.md", [Block(0, 1, "top 1", code, (2,), Options())])
    print(result.outputs[0].text)
"""


@pytest.mark.parametrize(
    ("setting", "report"),
    [("native", WIDE), ("avx2", LAPTOP), ("default", PLAIN)],
)
def test_what_was_asked_is_no_problem(setting, report):
    assert portable.problem(setting, report) == ""


@pytest.mark.parametrize(
    ("setting", "report", "message"),
    [
        ("avx2", WIDE, "avx2: PyTorch computes with AVX512"),
        ("default", LAPTOP, "default: PyTorch computes with AVX2"),
        ("avx2", PLAIN, "avx2: PyTorch computes with DEFAULT"),
        ("avx2", LAPTOP | {"NumPy": "X86_V3 X86_V4"}, "avx2: NumPy uses X86_V3 X86_V4"),
        ("default", PLAIN | {"NumPy": "X86_V3"}, "default: NumPy uses X86_V3"),
        ("avx2", LAPTOP | {"OpenBLAS": "SkylakeX"}, "avx2: OpenBLAS uses SkylakeX"),
        ("avx2", LAPTOP | {"oneDNN": "Intel AVX-512"}, "oneDNN uses Intel AVX-512"),
        ("default", PLAIN | {"MKL": "Intel(R) AVX2"}, "MKL uses Intel(R) AVX2"),
    ],
)
def test_a_library_that_does_another_thing_is_a_problem(setting, report, message):
    assert message in portable.problem(setting, report)


def test_a_setting_without_effect_starts_no_tests(monkeypatch, capfd):
    monkeypatch.setattr(portable, "report", lambda variables: WIDE)
    assert portable.main(["default", "tests/repository/test_portable.py"]) == 1
    told = capfd.readouterr()
    assert "error: default: PyTorch computes with AVX512" in told.err
    assert "test session starts" not in told.out


def test_libraries_do_what_the_plainest_setting_asks():
    report = portable.report(portable.environment("default"))
    assert report["PyTorch"] == "DEFAULT"
    assert portable.problem("default", report) == ""


def test_pages_compute_as_their_run_was_asked(tmp_path):
    file = tmp_path / "a_page.py"
    file.write_text(A_PAGE, "utf8")
    done = subprocess.run(
        [sys.executable, str(file)],
        env=portable.environment("default") | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        encoding="utf8",
    )
    assert done.stdout == "DEFAULT\n", done.stderr


def test_variables_of_another_setting_are_removed(monkeypatch):
    for name, value in portable.SETTINGS["default"].items():
        monkeypatch.setenv(name, value)
    assert not portable.VARIABLES & set(portable.environment("native"))


def test_without_arguments_all_settings_run_all_that_computes():
    settings, rest = portable.arguments([])
    assert settings == ["native", "avx2", "default"]
    assert rest[0] == "docs"
    assert {"tests/snippets/test_proofs.py", "tests/literate/test_labs.py"} <= set(rest)
    assert "tests/site/test_browser.py" not in rest
    assert portable.arguments(["avx2", "-x", "docs/llm"]) == (
        ["avx2"],
        ["-x", "docs/llm"],
    )
    assert portable.arguments(["-k", "some"])[1][:3] == ["-k", "some", "docs"]


@pytest.mark.parametrize(
    ("body", "code", "counts"),
    [
        ("assert True", 0, "1        0        0        0"),
        ("assert False", 1, "0        1        0        0"),
        ("import pytest; pytest.skip()", 0, "0        0        0        1"),
    ],
)
def test_the_exit_code_and_the_table_say_what_happened(
    tmp_path: Path, capfd, body, code, counts
):
    file = tmp_path / "test_made.py"
    file.write_text(f"def test_made():\n    {body}\n", "utf8")
    assert portable.main(["native", str(file)]) == code
    told = capfd.readouterr().out
    assert counts in told
    assert ("test_made: native" in told) == bool(code)


def test_a_run_without_tests_has_not_passed(tmp_path):
    (tmp_path / "test_empty.py").write_text("", "utf8")
    assert portable.main(["native", str(tmp_path / "test_empty.py")]) == 1
