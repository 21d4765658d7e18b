# %% [markdown] minutes=50 task="llm-4-bpe"
# # Lab: build a BPE tokenizer
#
# You write byte-level BPE in five tasks: counting pairs, merging, training, encoding,
# and decoding with special tokens. After each task stands a check against something
# outside this notebook: `tokenizers`, `tiktoken`, or Python's own UTF-8. You need the
# packages `regex`, `tokenizers` and `tiktoken`. Read [the
# chapter](../../llm/day-4/bpe/) first, or keep it open beside you.
#
# A word is a list of ids. The ids 0 to 255 are the bytes, in GPT-2's order; merged
# tokens follow.

# %%
import itertools
from collections import Counter

import regex
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

Pair = tuple[int, int]
PRINTABLE = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
BYTES = [bytes([b]) for b in PRINTABLE + sorted(set(range(256)) - set(PRINTABLE))]
BYTE_IDS = {byte[0]: number for number, byte in enumerate(BYTES)}
PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
)
TEXT = """
The keeper of the lighthouse kept a goat. The goat kept the grass short, and the keeper
kept the lamp bright, and neither thought much of the other's work. One night the lamp
went out. The keeper climbed the stairs. There stood the goat, who had eaten the wick.
"It's dark," said the keeper. The goat said nothing: it was still eating.
"""


def spell(word: str) -> list[int]:
    """The ids of a word's bytes."""
    return [BYTE_IDS[b] for b in word.encode()]


# %% [markdown]
# ## Count
#
# How often does each pair of neighbours occur? A word that occurs seven times counts
# seven times. In *aaa* the pair of two *a* occurs twice.


# %%
def count_pairs(words: list[list[int]], counts: list[int]) -> Counter:
    """The number of times each pair occurs; `words[i]` occurs `counts[i]` times."""
    # Task 1: count all pairs of neighbours, weighted by how often their word occurs.
    ### BEGIN SOLUTION
    found = Counter()
    for word, count in zip(words, counts, strict=True):
        for pair in itertools.pairwise(word):
            found[pair] += count
    return found
    ### END SOLUTION


# %% tags=["check-1"]
found = count_pairs([[1, 2, 3], [2, 3], [7]], [5, 2, 9])
assert found == {(1, 2): 5, (2, 3): 7}, found
assert count_pairs([[4, 4, 4]], [1]) == {(4, 4): 2}, "aaa has the pair twice"
letters = [spell(word) for word in TEXT.split()]
pairs = Counter(
    (word[i : i + 1], word[i + 1 : i + 2])
    for word in (w.encode() for w in TEXT.split())
    for i in range(len(word) - 1)
)
expected = {(BYTE_IDS[a[0]], BYTE_IDS[b[0]]): n for (a, b), n in pairs.items()}
assert count_pairs(letters, [1] * len(letters)) == expected, "not Python's own count"
print("Task 1 is right.")

# %% [markdown]
# ## Merge
#
# Replace every occurrence of a pair by a new id, from left to right. What has just been
# made is not part of the next occurrence: three *a* become *aa a*.


# %%
def merge(word: list[int], pair: Pair, new: int) -> list[int]:
    """The word with the pair replaced by `new`; the word itself must not change."""
    # Task 2: replace the pair, from left to right.
    ### BEGIN SOLUTION
    merged, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(word[i])
            i += 1
    return merged
    ### END SOLUTION


# %% tags=["check-2"]
word = [1, 1, 1, 2, 1, 1]
assert merge(word, (1, 1), 9) == [9, 1, 2, 9], merge(word, (1, 1), 9)
assert word == [1, 1, 1, 2, 1, 1], "the word itself was changed"
assert merge([1, 2, 1, 2, 3], (1, 2), 9) == [9, 9, 3]
assert merge([1, 2], (2, 1), 9) == [1, 2] and merge([], (1, 2), 9) == []
for size in range(1, 9):  # Python's own replace works from left to right too
    for letters in itertools.product("ab", repeat=size):
        expected = "".join(letters).replace("ab", "c")
        found = merge(["abc".index(c) for c in letters], (0, 1), 2)
        assert "".join("abc"[i] for i in found) == expected, letters
print("Task 2 is right.")

# %% [markdown]
# ## Train
#
# Again and again: count, take the most frequent pair, merge it everywhere. Of pairs
# with equal counts take the one with the smaller ids, as `tokenizers` does. The result
# is the list of merged pairs, in order; the first gets id 256.


# %%
def train(text: str, merges: int) -> list[Pair]:
    """The pairs to merge, in the order in which they are learned."""
    words = Counter(regex.findall(PATTERN, text))
    spelled, counts = [spell(word) for word in words], list(words.values())
    learned: list[Pair] = []
    # Task 3: fill `learned` with `merges` pairs, or fewer if no pair is left.
    ### BEGIN SOLUTION
    while len(learned) < merges:
        found = count_pairs(spelled, counts)
        if not found:
            break
        pair = min(found, key=lambda pair: (-found[pair], pair))
        new = 256 + len(learned)
        spelled = [merge(word, pair, new) for word in spelled]
        learned.append(pair)
    return learned
    ### END SOLUTION


# %% tags=["check-3"]
def tokens_of(learned: list[Pair]) -> list[bytes]:
    """The bytes of every token."""
    tokens = list(BYTES)
    for first, second in learned:
        tokens.append(tokens[first] + tokens[second])
    return tokens


theirs = Tokenizer(models.BPE())
theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(
    vocab_size=336, initial_alphabet=alphabet, show_progress=False
)
theirs.train_from_iterator([TEXT], trainer)
shown = {b: chr(b) for b in PRINTABLE}
shown |= {byte[0]: chr(256 + n) for n, byte in enumerate(BYTES[len(PRINTABLE) :])}
learned = train(TEXT, 80)
ours = ["".join(shown[b] for b in token) for token in tokens_of(learned)]
vocabulary = theirs.get_vocab()
assert len(learned) == 80, f"{len(learned)} merges, not 80"
expected = sorted(vocabulary, key=vocabulary.get)
differ = [n for n in range(336) if ours[n] != expected[n]]
assert not differ, (
    f"token {differ[0]}: {ours[differ[0]]!r}, not {expected[differ[0]]!r}"
)
assert len(train("ab ab", 50)) == 2, "no pair is left: stop"
print("Task 3 is right: the same", len(learned), "merges as 🤗 tokenizers.")

# %% [markdown]
# ## Encode
#
# A new word is merged in the order of training: of all pairs in it that were learned,
# the one that was learned first, then again, until none is left. Not the longest token
# first.


# %%
def encode(text: str, learned: list[Pair]) -> list[int]:
    """The ids of a text."""
    rank = {pair: number for number, pair in enumerate(learned)}
    ids: list[int] = []
    for word in regex.findall(PATTERN, text):
        parts = spell(word)
        # Task 4: merge `parts` by rank until no learned pair is left in it.
        ### BEGIN SOLUTION
        while True:
            found = [p for p in itertools.pairwise(parts) if p in rank]
            if not found:
                break
            pair = min(found, key=rank.__getitem__)
            parts = merge(parts, pair, 256 + rank[pair])
        ### END SOLUTION
        ids += parts
    return ids


# %% tags=["check-4"]
HARD = [
    TEXT,
    "The goat's naïve lighthouse keepers…  don't\n\n\tknow 猫 👍🏽 12345!",
    "thethethe keeperkeeper  ",
]
for text in HARD:
    assert encode(text, learned) == theirs.encode(text).ids, text
by_rank = encode("abc", [(BYTE_IDS[98], BYTE_IDS[99]), (BYTE_IDS[97], BYTE_IDS[98])])
assert by_rank == [BYTE_IDS[97], 256], "bc was learned before ab: a + bc"
print("Task 4 is right: the same ids as 🤗 tokenizers.")

# %% [markdown]
# ## Decode, with special tokens
#
# Ids become bytes, bytes become text. A special token such as `<|endoftext|>` has an id
# of its own, after all others, and is written by its name. Bytes that are no UTF-8
# become �. An id that no token has is a `ValueError`.


# %%
def decode(ids: list[int], learned: list[Pair], special: dict[str, int]) -> str:
    """The text of the ids."""
    tokens = tokens_of(learned)
    # Task 5: join the bytes of all ids, special ones by name; raise ValueError for an
    # id that is no token's; read the bytes as UTF-8, with � for what is none.
    ### BEGIN SOLUTION
    known = dict(enumerate(tokens))
    known |= {number: name.encode() for name, number in special.items()}
    unknown = [number for number in ids if number not in known]
    if unknown:
        raise ValueError(f"id {unknown[0]} is no token's")
    return b"".join(known[number] for number in ids).decode(errors="replace")
    ### END SOLUTION


# %% tags=["check-5"]
import tiktoken

END = {"<|endoftext|>": 336}
ranks = {token: number for number, token in enumerate(tokens_of(learned))}
reference = tiktoken.Encoding(
    "lab", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=END
)
for text in HARD:
    ids = encode(text, learned)
    assert ids == reference.encode(text), text
    assert decode(ids, learned, END) == text, "the text did not come back"
    for cut in range(0, len(ids), 7):
        assert decode(ids[cut:], learned, END) == reference.decode(ids[cut:])
ids = reference.encode("The end.<|endoftext|>猫", allowed_special="all")
assert decode(ids, learned, END) == "The end.<|endoftext|>猫"
assert decode(ids[:-1], learned, END) == reference.decode(ids[:-1])
for bad in (337, -1):
    try:
        decode([0, bad], learned, END)
    except ValueError:
        continue
    raise AssertionError(f"id {bad} is no token's: raise ValueError")
print("Task 5 is right: tiktoken agrees with all of it.")

# %% [markdown]
# That is the tokenizer of GPT-2, but for speed. [Going
# deeper](../../llm/day-4/bpe-deeper/) has the version that counts only what a merge
# changes.
