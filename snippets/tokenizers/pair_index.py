"""Counts of the pairs of neighbours in words, kept up to date while pairs merge."""

# --8<-- [start:index]
import heapq
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

Ids = tuple[int, int]


class PairIndex:
    """How often each pair of neighbours occurs, and in which words.

    A merge changes a few words only, so counts are updated where a merge happens. Of
    equally frequent pairs, the smallest by `order` comes first.
    """

    def __init__(
        self,
        words: list[list[int]],
        weights: list[int],
        order: Callable[[Ids], Any] | None = None,
    ) -> None:
        self.words, self.weights = words, weights
        self.order = order or (lambda pair: pair)
        self.counts: dict[Ids, int] = defaultdict(int)
        self.places: dict[Ids, set[int]] = defaultdict(set)
        for number, word in enumerate(words):
            for pair in pairwise(word):
                self.counts[pair] += weights[number]
                self.places[pair].add(number)
        self.heap: list[tuple[int, Any, Ids]] = []
        for pair in self.counts:
            self._push(pair)

    def _push(self, pair: Ids) -> None:
        entry = (-self.counts[pair], self.order(pair), pair)
        heapq.heappush(self.heap, entry)

    def most_frequent(self) -> Ids | None:
        """The pair to merge next. Entries of the heap may be out of date."""
        while self.heap:
            negative, _, pair = heapq.heappop(self.heap)
            count = self.counts.get(pair, 0)
            if count == -negative and count > 0:
                return pair
            if count > 0:
                self._push(pair)
        return None

    def merge(self, pair: Ids, new: int) -> None:
        """Replace the pair by the token `new` in every word, from left to right."""
        grown = set()
        for number in self.places.pop(pair):
            grown |= self._merge_in(number, pair, new)
        del self.counts[pair]
        for found in grown:
            if self.counts[found] > 0:
                self._push(found)

    def _merge_in(self, number: int, pair: Ids, new: int) -> set[Ids]:
        """Merge within one word; returns the pairs that now occur more often."""
        word, weight = self.words[number], self.weights[number]
        counts, places = self.counts, self.places
        first, second = pair
        grown, i = set(), 0
        while i < len(word) - 1:
            if word[i] != first or word[i + 1] != second:
                i += 1
                continue
            word[i : i + 2] = [new]
            if i > 0:
                counts[word[i - 1], first] -= weight
                grown.add(before := (word[i - 1], new))
                counts[before] += weight
                places[before].add(number)
            if i + 1 < len(word):
                counts[second, word[i + 1]] -= weight
                grown.add(after := (new, word[i + 1]))
                counts[after] += weight
                places[after].add(number)
            i += 1
        return grown


# --8<-- [end:index]
