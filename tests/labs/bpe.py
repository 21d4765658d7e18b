"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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

RIGHT = {
    1: [
        """
        found = Counter()
        for n in range(len(words)):
            for i in range(len(words[n]) - 1):
                found[words[n][i], words[n][i + 1]] += counts[n]
        return found
        """,
        """
        found = {}
        for word, count in zip(words, counts, strict=True):
            for pair in zip(word, word[1:]):
                found[pair] = found.get(pair, 0) + count
        return Counter(found)
        """,
        """
        total = Counter()
        for word, count in zip(words, counts, strict=True):
            own = Counter(itertools.pairwise(word))
            total.update({pair: number * count for pair, number in own.items()})
        return total
        """,
    ],
    2: [
        """
        merged = []
        rest = iter(range(len(word)))
        for i in rest:
            if word[i : i + 2] == list(pair):
                merged.append(new)
                next(rest)
            else:
                merged.append(word[i])
        return merged
        """,
        """
        merged = list(word)
        i = 0
        while i < len(merged) - 1:
            if (merged[i], merged[i + 1]) == pair:
                merged[i : i + 2] = [new]
            i += 1
        return merged
        """,
        """
        text = "".join(map(chr, word))  # as Python replaces in a text
        return [ord(c) for c in text.replace(chr(pair[0]) + chr(pair[1]), chr(new))]
        """,
        """
        merged = []
        for part in word:
            if merged and (merged[-1], part) == pair:
                merged[-1] = new
            else:
                merged.append(part)
        return merged
        """,
    ],
    3: [
        """
        for new in range(256, 256 + merges):
            found = count_pairs(spelled, counts)
            if not found:
                return learned
            most = max(found.values())
            learned.append(min(pair for pair in found if found[pair] == most))
            spelled = [merge(word, learned[-1], new) for word in spelled]
        return learned
        """,
        """
        while len(learned) < merges and (found := count_pairs(spelled, counts)):
            pair, _ = sorted(found.items(), key=lambda one: (-one[1], one[0]))[0]
            for n, word in enumerate(spelled):
                spelled[n] = merge(word, pair, 256 + len(learned))
            learned += [pair]
        return learned
        """,
        """
        for new in itertools.count(256):
            found = count_pairs(spelled, counts)
            if new == 256 + merges or len(found) == 0:
                break
            pair = max(found, key=lambda p: (found[p], -p[0], -p[1]))
            spelled = [merge(w, pair, new) if pair[0] in w else w for w in spelled]
            learned.append(pair)
        return learned
        """,
    ],
    4: [
        """
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda pair: rank.get(pair, len(rank)))
            if best not in rank:
                break
            parts = merge(parts, best, 256 + rank[best])
        """,
        """
        for number, pair in enumerate(learned):  # slow: each in its turn
            if pair[0] in parts:
                parts = merge(parts, pair, 256 + number)
        """,
        """
        last = len(rank)
        while True:  # the first of the best, again and again
            ranks = [rank.get(pair, last) for pair in itertools.pairwise(parts)]
            if min(ranks, default=last) == last:
                break
            i = ranks.index(min(ranks))
            parts = parts[:i] + [256 + ranks[i]] + parts[i + 2 :]
        """,
    ],
    5: [
        """
        names = {number: name for name, number in special.items()}
        data = b""
        for number in ids:
            if number in names:
                data += names[number].encode("utf-8")
            elif 0 <= number < len(tokens):
                data += tokens[number]
            else:
                raise ValueError(f"no token has the id {number}")
        return data.decode("utf-8", errors="replace")
        """,
        """
        known = dict(enumerate(tokens))
        known.update((number, name.encode()) for name, number in special.items())
        try:
            return str(b"".join(map(known.__getitem__, ids)), "utf8", "replace")
        except KeyError as error:
            raise ValueError(f"unknown id {error}") from None
        """,
        """
        data = bytearray()
        for number in ids:
            named = [name for name, own in special.items() if own == number]
            if not named and number not in range(len(tokens)):
                raise ValueError(number)
            data.extend(named[0].encode() if named else tokens[number])
        return data.decode("utf8", "replace")
        """,
    ],
}
