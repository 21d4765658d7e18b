"""Wrong solutions of the lab that run: each must fail the check of its task."""

WRONG = {
    1: [
        """
        found = Counter()  # words are not weighted
        for word in words:
            found.update(itertools.pairwise(word))
        return found
        """,
        """
        found = Counter()  # each pair once a word
        for word, count in zip(words, counts, strict=True):
            for pair in set(itertools.pairwise(word)):
                found[pair] += count
        return found
        """,
        """
        found = Counter()  # pairs across words
        joined = [i for word in words for i in word]
        for pair in itertools.pairwise(joined):
            found[pair] += 1
        return found
        """,
    ],
    2: [
        """
        for i in range(len(word) - 1):  # changes the word
            if tuple(word[i : i + 2]) == pair:
                word[i : i + 2] = [new]
        return word
        """,
        """
        merged = list(word)  # only the first
        for i in range(len(word) - 1):
            if tuple(word[i : i + 2]) == pair:
                merged[i : i + 2] = [new]
                break
        return merged
        """,
        """
        merged = []  # from right to left
        for part in reversed(word):
            if merged and (part, merged[-1]) == pair:
                merged[-1] = new
            else:
                merged.append(part)
        return merged[::-1]
        """,
    ],
    3: [
        """
        while len(learned) < merges:  # ties by the larger ids
            found = count_pairs(spelled, counts)
            if not found:
                break
            pair = max(found, key=lambda pair: (found[pair], pair))
            spelled = [merge(word, pair, 256 + len(learned)) for word in spelled]
            learned.append(pair)
        return learned
        """,
        """
        found = count_pairs(spelled, counts)  # counted once
        return sorted(found, key=lambda pair: (-found[pair], pair))[:merges]
        """,
        """
        counts = [1] * len(counts)  # frequent words count once
        while len(learned) < merges:
            found = count_pairs(spelled, counts)
            if not found:
                break
            pair = min(found, key=lambda pair: (-found[pair], pair))
            spelled = [merge(word, pair, 256 + len(learned)) for word in spelled]
            learned.append(pair)
        return learned
        """,
    ],
    4: [
        """
        for pair in itertools.pairwise(list(parts)):  # one pass from the left
            if pair in rank:
                parts = merge(parts, pair, 256 + rank[pair])
        """,
        """
        tokens = tokens_of(learned)  # the longest first
        numbers = {token: number for number, token in enumerate(tokens)}
        rest, parts = word.encode(), []
        while rest:
            n = next(n for n in range(len(rest), 0, -1) if rest[:n] in numbers)
            parts.append(numbers[rest[:n]])
            rest = rest[n:]
        """,
        """
        while True:  # the last learned first
            found = [p for p in itertools.pairwise(parts) if p in rank]
            if not found:
                break
            pair = max(found, key=rank.__getitem__)
            parts = merge(parts, pair, 256 + rank[pair])
        """,
    ],
    5: [
        """
        known = dict(enumerate(tokens))  # special tokens are left out
        if any(number > 336 or number < 0 for number in ids):
            raise ValueError
        kept = [known[number] for number in ids if number in known]
        return b"".join(kept).decode(errors="replace")
        """,
        """
        known = dict(enumerate(tokens))  # character by character
        known |= {number: name.encode() for name, number in special.items()}
        if any(number not in known for number in ids):
            raise ValueError
        return "".join(known[number].decode(errors="replace") for number in ids)
        """,
        """
        known = tokens + [name.encode() for name in special]  # -1 is the last
        if any(number >= len(known) for number in ids):
            raise ValueError
        return b"".join(known[number] for number in ids).decode(errors="replace")
        """,
        """
        known = dict(enumerate(tokens))  # loses what is no UTF-8
        known |= {number: name.encode() for name, number in special.items()}
        if any(number not in known for number in ids):
            raise ValueError
        return b"".join(known[number] for number in ids).decode(errors="ignore")
        """,
    ],
}
