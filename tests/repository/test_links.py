"""Links to elsewhere: all in one list, each by an address that stays.

`tests/frozen/links.txt` lists them, so that a new one is seen when it is reviewed; the
weekly workflow asks whether they still answer.
"""

import re

import pytest

from literate.project import DOCS, ROOT, SNIPPETS

HERE = "tests/repository/test_links.py"
LIST = ROOT / "tests" / "frozen" / "links.txt"
ADDRESS = re.compile(r"https?://[\w.-]+\.[a-z]{2,}(?:[/?#][^\s<>\"'`\])}|]*)?")
# of one's own machine, or made up for an example
MADE_UP = re.compile(r"https?://(?:127\.0\.0\.1|localhost|example\.|[\w.-]+\.test\b)")
UNSTABLE = {
    r"http://": "write https://",
    r"https://arxiv\.org/(?!abs/)": "link a paper's abstract: https://arxiv.org/abs/…",
    r"https://arxiv\.org/abs/[\w./-]+v\d+$": "leave the version out",
    r"https://www\.arxiv\.org": "leave www out",
    r"https://dx\.doi\.org": "write https://doi.org/…",
    r"https://(?:www\.)?aclweb\.org/anthology": "write https://aclanthology.org/…",
    r"https://github\.com/[^#]*/blob/(?:main|master)/[^#]*#L\d": "link a commit's line",
}


def addresses(text: str) -> set[str]:
    """The addresses in a text, without the marks that end a sentence."""
    found = (address.rstrip(".,;:*_)") for address in ADDRESS.findall(text))
    return {address for address in found if not MADE_UP.match(address)}


def linked() -> set[str]:
    """All links of pages, labs, snippets and documents."""
    files = [*DOCS.rglob("*.md"), *DOCS.glob("labs/*.py")]
    files += [*SNIPPETS.rglob("*.py"), *ROOT.glob("*.md")]
    return set().union(*(addresses(path.read_text("utf8")) for path in files))


def wrong(address: str) -> list[str]:
    """What to do about an address that may lead elsewhere tomorrow."""
    return [told for bad, told in UNSTABLE.items() if re.match(bad, address)]


def test_all_links_are_in_the_list(request):
    """With --update-outputs, the list is written anew."""
    text = "\n".join(sorted(linked())) + "\n"
    if request.config.getoption("--update-outputs"):
        LIST.write_text(text, "utf8", newline="\n")
    told = f"read what has changed: python -m pytest {HERE} --update-outputs"
    assert LIST.read_text("utf8") == text, told


def test_every_link_is_by_an_address_that_stays():
    assert {address: wrong(address) for address in linked() if wrong(address)} == {}


@pytest.mark.parametrize(
    "address",
    [
        "http://plain.org/",
        "https://arxiv.org/pdf/1706.03762",
        "https://arxiv.org/abs/1706.03762v5",
        "https://github.com/a/b/blob/main/c.py#L10",
    ],
)
def test_an_address_that_changes_is_found(address):
    assert len(wrong(address)) == 1


def test_addresses_end_where_the_text_goes_on():
    text = (
        "See [a](https://a.org/b_(c)), https://b.org/x. `https://c.org/y` https://d.org"
    )
    assert addresses(text) == {
        *("https://a.org/b_(c", "https://b.org/x"),
        *("https://c.org/y", "https://d.org"),
    }
    assert addresses("http://127.0.0.1:8000 https://example.com/a") == set()
