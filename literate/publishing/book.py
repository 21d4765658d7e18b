"""The whole book as one file: what `python -m literate book` does."""

import sys
from pathlib import Path

from literate.project import PageError
from literate.publishing import archive, paper


def make(site_dir: str, zipped: str | None, printed: str | None) -> int:
    """Make the files that were asked for, from a built site; returns the exit code."""
    site = Path(site_dir).absolute()
    if not (zipped or printed):
        print("Say what to make: --zip FILE, --pdf FILE or both", file=sys.stderr)
        return 2
    if not (site / "index.html").is_file():
        told = "there is no built site; python -m literate build makes one"
        print(f"{site_dir}: {told}", file=sys.stderr)
        return 1
    try:
        for name, write in ((zipped, archive.write), (printed, paper.write)):
            if name:
                write(site, Path(name))
                print(f"{name}: {Path(name).stat().st_size / 1e6:.1f} MB")
    except (OSError, PageError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
