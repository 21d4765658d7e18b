"""Which pairs byte-level BPE merges, learned from counted words.

Sennrich et al. 2016 (arXiv:1508.07909, Algorithm 1).
"""

# --8<-- [start:imports]
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from snippets.tokenizers.bpe_words import BYTES
from snippets.tokenizers.pair_index import Ids, PairIndex

# --8<-- [end:imports]


# --8<-- [start:train]
Merge = tuple[bytes, bytes]
Ties = Literal["smaller ids", "greater pair"]


def learn_merges(
    words: Counter[bytes],
    count: int,
    min_frequency: int = 1,
    ties: Ties = "smaller ids",
) -> list[Merge]:
    """Up to `count` merges in order, each as the two tokens that it joins.

    Merges the most frequent pair, again and again. Of pairs with equal counts comes
    first the one with the smaller ids, or the one whose bytes are greater. Stops early
    when no pair occurs `min_frequency` times.
    """
    ids = {byte: number for number, byte in enumerate(BYTES)}
    tokens = list(BYTES)
    merges: list[Merge] = []
    spelled = [[ids[word[i : i + 1]] for i in range(len(word))] for word in words]

    def descending(pair: Ids) -> list[list[int]]:
        return [[-b for b in tokens[number]] + [1] for number in pair]

    if ties not in ("smaller ids", "greater pair"):
        raise ValueError(f"ties={ties!r}: give 'smaller ids' or 'greater pair'")
    order = descending if ties == "greater pair" else None
    index = PairIndex(spelled, list(words.values()), order)
    while len(merges) < count:
        pair = index.most_frequent()
        if pair is None or index.counts[pair] < min_frequency:
            break
        merges.append((tokens[pair[0]], tokens[pair[1]]))
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
        index.merge(pair, len(tokens) - 1)
    return merges


def rank_tokens(merges: Iterable[Merge]) -> dict[bytes, int]:
    """The ranks of the 256 bytes, and of what each merge makes, in order."""
    tokens = [*BYTES, *(a + b for a, b in merges)]
    return {token: rank for rank, token in enumerate(tokens)}


# --8<-- [end:train]
