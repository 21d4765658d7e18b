"""Begin a page or a snippet: `python -m literate new docs/llm/day-3/name.md`.

A page comes with the parts that STYLE.md asks for and its place in the navigation; a
snippet (`snippets/name.py`) with its proof and its test, all of which run as they are.
What is to be replaced says so in capitals. All files are written, or none.
"""

import re
import sys

from literate.project import ROOT, PageError

PAGE = re.compile(
    r"docs/(?P<track>llm|pytorch)/day-(?P<day>[1-7])/(?P<name>[a-z0-9-]+)\.md"
)
SNIPPET = re.compile(r"snippets/(?P<name>[a-z][a-z0-9_]*)\.py")
PLACES = "docs/llm/day-3/some-name.md, or snippets/some_name.py"
PAGE_TEXT = """\
---
description: ONE SENTENCE FOR THOSE WHO SEARCH
tasks: [A-TASK-OF-THE-PLAN]
---

# {title}

After this page you can WHAT THE READER WILL BE ABLE TO DO.

/// opening
Know first: [A PAGE](/plan.md).
///

## The recipe

```python title="only for this page"
import torch

torch.arange(3)
```

## What goes wrong

```python raises="RuntimeError"
torch.ones(2) + torch.ones(3)
```

## Exercises

//// exercise | A TITLE
    id: {id}-exercise-NAME
WHAT TO WRITE.

/// solution
```python
assert torch.arange(3).sum() == 3
```
///
////

## Check yourself

/// question | A QUESTION?
    id: {id}-question-NAME

- [ ] A WRONG CHOICE.

    WHY NOT.

- [x] THE RIGHT ONE.

    WHY.
///

## Key facts

/// fact | A QUESTION?
    id: {id}-fact-NAME
ITS ANSWER.
///

## In five lines

1. WHAT TO KEEP.

**Next.** [WHERE](/plan.md).
"""
SNIPPET_TEXT = '''\
"""WHAT THIS FILE IS, IN A SENTENCE."""

# --8<-- [start:imports]
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:{name}]
def {name}(x: Tensor) -> Tensor:
    """WHAT IS COMPUTED, for x of shape (B, C); raises ValueError for another."""
    if x.dim() != 2:
        raise ValueError(f"x has shape {{tuple(x.shape)}}: it must be (B, C)")
    return x.sum(dim=-1)  # (B,)


# --8<-- [end:{name}]
'''
PROOF_TEXT = '''\
"""{title} against PyTorch's."""

import torch

from proofs import Pairs, proof
from snippets.{name} import {name}


@proof(
    "{title}",
    ours="snippets.{name}.{name}",
    theirs="torch.sum",
    page="llm/day-3/THE-PAGE.md",
    bound=1e-6,
)
def pairs() -> Pairs:
    """WHICH CASES."""
    torch.manual_seed(0)
    for shape in ((1, 1), (4, 7)):
        x = torch.randn(shape)
        yield {name}(x), torch.sum(x, dim=-1)
'''
TEST_TEXT = '''\
"""{title}: WHAT NO LIBRARY CAN PROVE."""

import pytest
import torch

from snippets.{name} import {name}


def test_another_shape_is_refused_with_its_size():
    with pytest.raises(ValueError, match=r"shape \\(3,\\)"):
        {name}(torch.ones(3))
'''


def new(asked: str) -> list[str]:
    """Write the files for a page or a snippet; returns what is left to do.

    Raises `PageError`, with nothing written, for a place where there can be none, and
    for files that are there already.
    """
    name = asked.replace("\\", "/").removeprefix("./")
    if match := PAGE.fullmatch(name):
        return _page(name, **match.groupdict())
    if match := SNIPPET.fullmatch(name):
        return _snippet(match["name"])
    raise PageError(f"{asked}: nothing of the book is there; write {PLACES}")


def _page(path: str, track: str, day: str, name: str) -> list[str]:
    title = name.replace("-", " ").capitalize()
    text = PAGE_TEXT.format(title=title, id=f"{track}-{day}-{name}")
    settings = (ROOT / "mkdocs.yml").read_text("utf8")
    entry = f"          - {title}: {path.removeprefix('docs/')}\n"
    here = re.compile(rf"^ +- .*\b{track}/day-{day}/.*\.md\"?\n", re.MULTILINE)
    lines = list(here.finditer(settings))
    if not lines:
        raise PageError(f"mkdocs.yml: the navigation has no page of {track} day {day}")
    end = lines[-1].end()
    listed = settings[:end] + entry + settings[end:]
    _write({path: text}, changed={"mkdocs.yml": listed})
    return [
        "docs/plan.md: add a task that links to the page, and name it in `tasks:`;"
        f" or end the day's page docs/{track}/day-{day}/index.md with a link",
        f"{path}: replace what stands in capitals, ids too, and run"
        f" `python -m pytest {path} --update-outputs`",
        "add its ids, by"
        " `python -m pytest tests/literate/test_frozen.py --update-outputs`",
    ]


def _snippet(name: str) -> list[str]:
    title = name.replace("_", " ").capitalize()
    _write(
        {
            f"snippets/{name}.py": SNIPPET_TEXT.format(name=name),
            f"proofs/{name}.py": PROOF_TEXT.format(name=name, title=title),
            f"tests/snippets/test_{name}.py": TEST_TEXT.format(name=name, title=title),
        }
    )
    return [
        "replace what stands in capitals, and the function that shows the form",
        f'embed it in its page: --8<-- "{name}.py:{name}"',
        "`python -m literate.catalogue --write` adds it to snippets/README.md",
        f"`python -m pytest tests/snippets/test_{name}.py` runs its test",
    ]


def _write(files: dict[str, str], changed: dict[str, str] | None = None) -> None:
    """Write new files and changed ones; nothing if one of the new ones is there."""
    there = [path for path in files if (ROOT / path).exists()]
    if there:
        raise PageError(f"{', '.join(there)}: there already; nothing was written")
    for path, text in {**files, **(changed or {})}.items():
        place = ROOT / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf8", newline="\n")
        print(f"{'changed' if path in (changed or {}) else 'written'}: {path}")


def main(asked: str) -> int:
    """What the command does; returns the exit code."""
    try:
        left = new(asked)
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    print("\nLeft to do:")
    print("\n".join(f"- {line}" for line in left))
    return 0
