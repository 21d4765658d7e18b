"""Leave out tests that a change cannot break: `python -m tools.changed BASE`.

Prose is read by the tests of pages and of the site, and not by those of the code in
snippets/, which train models for minutes. Where nothing but prose differs from the
commit BASE, this prints the options of pytest that leave them out; else nothing.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROSE = re.compile(r"(docs/.*\.(md|svg)|[^/]+\.md|tests/expected/.*)")

# imports what is proved, and nothing that could lead to a page
PROVES_CODE = re.compile(r"^from (snippets|proofs)[. ]", re.MULTILINE)
READS_PAGES = re.compile(
    r"\bDOCS\b|\bdocs\b|from literate(?!\.project import (ROOT|SNIPPETS)$)"
    r"|from tests(\.\w+)? import (?!hard_strings)",
    re.MULTILINE,
)


def changed(base: str) -> list[str]:
    """The files that differ from where HEAD and the commit `base` parted.

    Raises CalledProcessError if git does not know the commit.
    """
    command = ["git", "diff", "--name-only", f"{base}...HEAD"]
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, encoding="utf8"
    )
    return done.stdout.splitlines()


def is_prose(files: Iterable[str]) -> bool:
    """Whether all of these files are text that only pages show, and there are any."""
    files = list(files)
    return bool(files) and all(PROSE.fullmatch(file) for file in files)


def proofs_of_code() -> list[str]:
    """The test files that no page can make fail."""
    texts = {
        path: path.read_text("utf8") for path in (ROOT / "tests").rglob("test_*.py")
    }
    found = [
        path.relative_to(ROOT).as_posix()
        for path, text in texts.items()
        if PROVES_CODE.search(text) and not READS_PAGES.search(text)
    ]
    return sorted(found)


def options(base: str) -> list[str]:
    """The options for pytest; none where it is not sure that prose alone differs."""
    try:
        files = changed(base)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"all tests, since the change is not known: {error}", file=sys.stderr)
        return []
    return [f"--ignore={file}" for file in proofs_of_code()] if is_prose(files) else []


if __name__ == "__main__":
    print(*options(sys.argv[1]) if sys.argv[1:] and sys.argv[1] else "")
