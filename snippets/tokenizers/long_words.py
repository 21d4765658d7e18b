"""Merging a long word quickly, with a heap: a text without spaces is one word."""

import heapq


# --8<-- [start:long]
def merge_long_word(word: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """`merge_word` in O(n log n): a heap of pairs, and parts linked to neighbours."""
    n = len(word)
    end = list(range(1, n + 1))  # the part at i is word[i:end[i]]; 0: merged away
    before = list(range(-1, n))  # where the part before it starts
    heap = [
        (ranks[pair], i, i + 2)
        for i in range(n - 1)
        if (pair := word[i : i + 2]) in ranks
    ]
    heapq.heapify(heap)
    while heap:
        _, i, stop = heapq.heappop(heap)
        j = end[i]  # where the part after it starts
        if j in (0, n) or end[j] != stop:
            continue  # one of the two has been merged since
        end[i], end[j] = stop, 0
        before[stop] = i
        for left, right in ((before[i], stop), (i, end[stop] if stop < n else 0)):
            if left >= 0 and right and (pair := word[left:right]) in ranks:
                heapq.heappush(heap, (ranks[pair], left, right))
    starts = [i for i in range(n) if end[i]]
    return [word[i : end[i]] for i in starts]


# --8<-- [end:long]
