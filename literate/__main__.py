"""The book: `python -m literate build | serve | check | book | new`."""

import argparse
import os
import sys

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # an advertisement


def main() -> int:
    """Do what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser("python -m literate", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build the site, running what must run")
    build.add_argument("--site-dir", help="where to (default: site)")
    serve = commands.add_parser("serve", help="show the book; pages follow your edits")
    serve.add_argument("--port", type=int, default=8000)
    commands.add_parser("check", help="lint, types, and tests of what has changed")
    book = commands.add_parser("book", help="make one file of the site that was built")
    book.add_argument("--site-dir", default="site", help="the site (default: site)")
    book.add_argument("--zip", help="the site, to be read from files without a server")
    book.add_argument("--pdf", help="both tracks, to be printed; needs a browser")
    new = commands.add_parser("new", help="begin a page, or a snippet with its proof")
    new.add_argument(
        "path", help="docs/llm/day-3/some-name.md or snippets/some_name.py"
    )
    asked = parser.parse_args()
    if asked.command == "check":
        from literate.check import check

        return check()
    if asked.command == "new":
        from literate.new import main as begin

        return begin(asked.path)
    if asked.command == "build":
        from literate.build import build as build_site

        return build_site(asked.site_dir)
    if asked.command == "book":
        from literate.publishing.book import make

        return make(asked.site_dir, asked.zip, asked.pdf)
    from literate.serve import serve as serve_site

    return serve_site(asked.port)


if __name__ == "__main__":
    sys.exit(main())
