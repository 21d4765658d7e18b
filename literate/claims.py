"""Numbers in prose that nothing on the page vouches for.

A decimal, a percentage or a factor is bound to a run or to a source. It is a value
(`{python} …`), or an output before it has it, or its sentence cites where it is from.
Settings that the reader can see in the code are written as code: `lr=0.1`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from literate.inline import VALUE
from literate.page import Problem
from literate.parse import Parsed

NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
WORDS = {"twelve": 12, "twenty": 20, "fifty": 50, "hundred": 100}
WORDS |= {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
COMPARED = r"times\s+(?:as|more|less|fewer|too|the|\w+er)\b"
CLAIM = re.compile(
    rf"(?<![\w.,])(?:(?P<percent>{NUMBER})\s*(?:%|percent\b|per cent\b)"
    rf"|(?P<factor>{NUMBER})\s*(?:{COMPARED}|×(?!\s*\d)|-?fold\b)"
    rf"|(?<!\d)(?<!\d )×\s*(?P<times>{NUMBER})"
    r"|(?P<decimal>\d+\.\d+(?:e[-+]?\d+)?)(?![\w.]*\d))"
    rf"|\b(?P<word>{'|'.join(WORDS)})\s+{COMPARED}",
    re.IGNORECASE,
)
SHOWN = re.compile(r"(?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d*)?(?:[eE][-+]?\d+)?")
PLACE = (
    r"sections?|§+|chapters?|tables?|figures?|figs?\.|equations?|eqs?\.|appendix|notes?"
    r"|lectures?|parts?|pages?|days?|weeks?|line|version|release|decision|since|before"
)
PRODUCT = (
    r"Python|PyTorch|torch|torchvision|NumPy|CUDA|Llama|LLaMA|GPT|Qwen|transformers"
    r"|tokenizers|tiktoken|sentencepiece|SentencePiece|TensorBoard|Unicode|safetensors"
    r"|scikit-learn|CC(?: BY)?(?:-SA)?|Apache|MkDocs|Material|Ubuntu|GCC"
)
NAMED = re.compile(
    rf"\b(?:(?i:{PLACE})|{PRODUCT})[- ]?v?[A-Z]?\.?\d+(?:\.\w+)*"
    r"(?:(?:\s*(?:[–,-]|and|to|or)\s*)+\d+(?:\.\w+)+)*|\bv?\d+(?:\.\d+){2,}"
)
CODE = re.compile(r"(?P<ticks>`+).+?(?P=ticks)(?!`)")
FORMULA = re.compile(r"\\\(.+?\\\)|(?<![\w\\$])\$[^$\s][^$]*\$(?!\w)")
TARGET = re.compile(r"\]\([^)]*\)")
TAG = re.compile(r"<(?!!--)[^>]*>|<!--.*?-->|\{:?[ #.][^}]*\}")
DESCRIBED = re.compile(r'(?:alt|aria-label|title)="([^"]*)"')
CITES = re.compile(
    r"\]\(https?:|\[\^[\w-]+\]|\bet al\.|§|\b(?:sections?|chapters?|tables?|figures?"
    r"|figs?\.|equations?|eqs?\.|appendix|lectures?)\s+[A-Z]?\.?\d|\bappendix [A-Z]\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(?<=[.!?:])[\s*_\"”)]+(?=[A-Z`\"“*(\[\\])")
VALUE_LINE = re.compile(r"^\[`.+`: (?=.*\]$)")
WRONG = re.compile(r"^\s*(?:$|- \[ \])")  # and lines without words
FORMULA_LINE = re.compile(r"^\s*(?:\\\[|\\\]|\$\$)\s*$")


@dataclass(frozen=True)
class Text:
    """A piece of prose, where it stands, and the blocks whose outputs came before."""

    line: int
    words: str
    cites: bool
    blocks: int  # the blocks of the page that stand before it


def unbound(parsed: Parsed, outputs: Iterable[str]) -> list[Problem]:
    """Each number in a page's prose that no output before it has, and no source.

    `outputs` are the texts that the page's blocks are held to.
    """
    shown: list[set[float]] = []
    for output in outputs:
        shown.append((shown[-1] if shown else set()) | numbers(output))
    found: list[Problem] = []
    for text in texts(parsed):
        known = shown[text.blocks - 1] if text.blocks else set()
        found += [
            Problem(text.line, _message(claim))
            for claim in ([] if text.cites else claims(text.words))
            if not _is_shown(claim, known)
        ]
    return found


def numbers(output: str) -> set[float]:
    """Every number that a block prints, and the values in the prose after it.

    Not those in what its figure is said to show, which is prose.
    """
    lines = [VALUE_LINE.sub("", line) for line in output.split("\n")]
    return {
        float(match[0].replace(",", ""))
        for line in lines
        if not line.startswith("[figure: ")
        for match in SHOWN.finditer(line)
    }


def claims(words: str) -> list[re.Match[str]]:
    """The decimals, percentages and factors in a sentence, code and names left out."""
    return list(CLAIM.finditer(NAMED.sub(" ", plain(words))))


def plain(text: str) -> str:
    """A line of Markdown without what is not prose: code, formulas, addresses, tags."""
    described = " ".join(DESCRIBED.findall(text))
    for left_out in (VALUE, CODE, FORMULA, TARGET, TAG):
        text = left_out.sub(" ", text)
    return f"{text} {described}"


def texts(parsed: Parsed) -> Iterator[Text]:
    """The prose of a page: sentences, rows of tables, alternative texts, captions.

    A row of a table cites what it or the rows above it cite. The wrong choices of a
    question claim nothing.
    """
    for block in parsed.blocks:
        for about in (block.options.alt, block.options.caption):
            if about:
                yield Text(block.line, about, _cites(about), block.index + 1)
    at, inside = parsed.python, parsed.fenced
    before, in_formula, above = 0, False, ""
    for index, (number, text) in enumerate(parsed.lines):
        before += index in at
        if FORMULA_LINE.match(text) and index not in inside:
            in_formula = not in_formula
        elif index not in inside and not in_formula and not WRONG.match(text):
            is_row = text.lstrip("> ").startswith("|")
            above = f"{above} {text}" if is_row else text
            for sentence in [above] if is_row else SENTENCE.split(text):
                words = text if is_row else sentence
                yield Text(number, words, _cites(sentence), before)


def _cites(sentence: str) -> bool:
    return bool(CITES.search(sentence))


def _is_shown(claim: re.Match[str], known: Iterable[float]) -> bool:
    written = next(filter(None, claim.groups()))
    written = str(WORDS.get(written.lower(), written)).replace(",", "")
    number, digits = float(written), len(written.partition(".")[2])
    scales = (1.0, 100.0) if claim["percent"] else (1.0,)
    half = 0.5000001 * 10**-digits
    return any(abs(abs(v) * scale - number) <= half for v in known for scale in scales)


def _message(claim: re.Match[str]) -> str:
    return (
        f"{claim[0].strip()!r} is bound to nothing: write it as a value of a block,"
        ' `{python} f"{x:.2f}"`, show it in an output before, or cite its source in'
        " this sentence (a setting is code: `lr=0.1`)"
    )
