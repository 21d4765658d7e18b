"""Turns of phrase that this book has fallen into, and what to write in their place.

Most came from other languages; some are words of our own for what the field has a word
for. A pattern is looked for in the prose of pages and what describes their drawings.
"""

import re

from literate.claims import plain
from literate.page import Problem
from literate.parse import Parsed

RELAPSES = {
    r"derivatives?\*{0,2} (?:of [^.,:;]{1,40} )?by\b(?! hand)": "with respect to",
    r"does not better": "does no better",
    r"belongs? into": "belong in",
    r"how many \w+ has": "how many … does it have",
    r"(?:which|that) [\w-]+ has not": "which … lacks",
    r"(?:is|are) told\b(?= where|\.|:)": "raises an error, is said",
    r"who (?:\w+ ){1,6}(?:gains|meets)": "if you …, you …",
    r"dear(?:er)? (?:things|operations|steps)": "expensive",
    r"with little ado": "without fuss",
    r"for ever\b": "forever",
    r"spares? (?:us|you|one|the|a)\b": "saves",
    r"against the great ones": "compared with the big ones",
    r"here words do\b": "whole words will do here",
    r"tosses a coin": "guesses",
    r"stands? before (?:its|his|your) eyes": "is in view",
    r"into proportion": "in proportion",
    r"what cannot be meant": "what makes no sense",
    r"beyond all reason": "far too large",
    r"1/\d+\.\d+\b": "a factor: 10 times, not 1/10.0",
}
PATTERNS = {
    re.compile(rf"(?<!\w)(?:{pattern})", re.IGNORECASE): instead
    for pattern, instead in RELAPSES.items()
}


def problems(parsed: Parsed) -> list[Problem]:
    """Each relapse in a page's prose, with what to write."""
    found: list[Problem] = []
    for line in parsed.outside():
        text = plain(line.text)
        found += [
            Problem(line.number, f"{match[0]!r}: write {instead}")
            for pattern, instead in PATTERNS.items()
            for match in pattern.finditer(text)
        ]
    return found
