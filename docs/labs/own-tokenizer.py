# %% [markdown] minutes=45 task="llm-5-own-tokenizer"
# # Lab: train your own tokenizer
#
# You choose a text and a size, train, and find out what you got: in five tasks, each
# with a check. You need the packages `tokenizers` and `tiktoken`, and matplotlib for
# the plots. Read [the chapter](../../llm/day-5/own-tokenizer/) first, or keep it open
# beside you.
#
# Put a text file of your own in place of the tales if you like, in the next cell; a few
# hundred kilobytes are enough. The checks work for any text.

# %%
import matplotlib.pyplot as plt
import tiktoken
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from snippets.corpus import load_text

OWN_FILE = ""  # the name of a text file, to use that in place of the tales
TEXT = load_text(OWN_FILE or "tales")
print(len(TEXT), "characters:", repr(TEXT[:60]))

# %% [markdown]
# ## Hold some back
#
# A vocabulary must be measured on text that it was not learned from. Cut the text into
# documents at two empty lines (`\n\n\n`), and hold back every eighth, starting with the
# first. Do not take them all from the end: neighbours are alike.


# %%
def hold_back(text: str) -> tuple[list[str], list[str]]:
    """The documents to learn from, and those held out; none of them empty."""
    # Task 1: cut at "\n\n\n", drop empty documents, hold out numbers 0, 8, 16, …
    ### BEGIN SOLUTION
    documents = [part for part in text.split("\n\n\n") if part.strip()]
    held_out = documents[::8]
    learn = [part for number, part in enumerate(documents) if number % 8]
    return learn, held_out
    ### END SOLUTION


# %% tags=["check-1"]
some = "\n\n\n".join(f"document {n}" for n in range(20)) + "\n\n\n\n\n\n"
learn, held_out = hold_back(some)
assert held_out == ["document 0", "document 8", "document 16"], held_out
assert len(learn) == 17 and not set(learn) & set(held_out), "20 documents in all"
assert learn[0] == "document 1", "the order of the documents stays"
learn, held_out = hold_back(TEXT)
assert learn and held_out, "the text needs eight documents at least"
print("Task 1 is right:", len(learn), "documents to learn from,", len(held_out), "not.")

# %% [markdown]
# ## Train
#
# A byte-level BPE of `tokenizers`: a `ByteLevel` pre-tokenizer without a space put in
# front, a `ByteLevel` decoder, all 256 bytes as alphabet, and one special token,
# `<|endoftext|>`.


# %%
def train(documents: list[str], vocab_size: int) -> Tokenizer:
    """A trained tokenizer of `vocab_size` tokens, `<|endoftext|>` among them."""
    tokenizer = Tokenizer(models.BPE())
    # Task 2: give it pre-tokenizer and decoder, and train it on the documents.
    ### BEGIN SOLUTION
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer
    ### END SOLUTION


# %% tags=["check-2"]
tokenizer = train(learn, 600)
assert tokenizer.get_vocab_size() == 600, tokenizer.get_vocab_size()
for text in ("naïve 猫 👍🏽\r\n\tx", " two  spaces ", "\x00\x7f", learn[0]):
    back = tokenizer.decode(tokenizer.encode(text).ids)
    assert back == text, f"{text!r} came back as {back!r}"
end = tokenizer.token_to_id("<|endoftext|>")
assert tokenizer.encode("<|endoftext|>").ids == [end]
assert len(tokenizer.encode(learn[0]).ids) < len(learn[0]) / 1.5, "it merges too little"
print("Task 2 is right.")

# %% [markdown]
# ## Measure
#
# How many bytes does a token carry, over all documents together? Not the mean of each
# document's own ratio, in which a short one counts as much as a long one. And bytes,
# not characters.


# %%
def bytes_per_token(encode, documents: list[str]) -> float:
    """Bytes of all documents, divided by their tokens; `encode` gives a text's ids."""
    # Task 3: divide the sum of the bytes by the sum of the tokens.
    ### BEGIN SOLUTION
    size = sum(len(document.encode()) for document in documents)
    return size / sum(len(encode(document)) for document in documents)
    ### END SOLUTION


# %% tags=["check-3"]
assert bytes_per_token(lambda text: text.split(), ["ab cd ef", "x"]) == 9 / 4
assert bytes_per_token(list, ["猫猫", "a"]) == 7 / 3, "bytes, not characters"
print("Task 3 is right.")

# %% [markdown]
# ## Choose
#
# Train at several sizes and look at held-out text. More tokens always help on the text
# that was learned from, and less and less on other text. Here the rule is: take the
# smallest size beyond which doubling it brings less than `least`, as a share.


# %%
def choose(sizes: list[int], values: list[float], least: float) -> int:
    """The first size whose successor is better by less than `least`, or the last."""
    # Task 4: compare each value with the next: next / value - 1 < least.
    ### BEGIN SOLUTION
    for number, size in enumerate(sizes[:-1]):
        if values[number + 1] / values[number] - 1 < least:
            return size
    return sizes[-1]
    ### END SOLUTION


# %% tags=["check-4"]
assert choose([1, 2, 4, 8], [1.0, 2.0, 2.4, 2.5], 0.1) == 4
assert choose([1, 2, 4, 8], [1.0, 2.0, 2.4, 2.5], 0.3) == 2
assert choose([1, 2], [1.0, 2.0], 0.1) == 2, "if all are worth it: the last"
sizes = [300, 600, 1200, 2400, 4800]
trained = [train(learn, size) for size in sizes]
seen = [bytes_per_token(lambda x, t=t: t.encode(x).ids, learn) for t in trained]
unseen = [bytes_per_token(lambda x, t=t: t.encode(x).ids, held_out) for t in trained]
chosen = choose(sizes, unseen, 0.1)
print(f"Task 4 is right. For this text: {chosen} tokens.")

# %%
fig, ax = plt.subplots(figsize=(5.6, 3))
ax.plot(sizes, seen, "o-", label="learned from")
ax.plot(sizes, unseen, "s--", label="held out")
ax.axvline(chosen, color="grey", linestyle=":")
ax.set_xscale("log")
ax.set(xlabel="vocabulary", ylabel="bytes a token")
ax.legend()
plt.show()

# %% [markdown]
# ## Into tiktoken
#
# The same vocabulary as a `tiktoken.Encoding`. It wants the bytes of each token with
# its rank. `tokenizers` writes bytes as printable characters; `BYTE_OF` leads back.
# Ranks must be in the order of the ids, without the special token, whose id is 0 here:
# so tiktoken's ids are one less. Give `<|endoftext|>` the first free id.

# %%
PRINTABLE = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
OTHERS = sorted(set(range(256)) - set(PRINTABLE))
BYTE_OF = {chr(b): b for b in PRINTABLE} | {
    chr(256 + n): b for n, b in enumerate(OTHERS)
}
PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
)


def to_tiktoken(tokenizer: Tokenizer) -> tiktoken.Encoding:
    """The same merges in tiktoken, special token last."""
    vocabulary = tokenizer.get_vocab()
    # Task 5: build the ranks and return the encoding, with PATTERN.
    ### BEGIN SOLUTION
    ordered = sorted(vocabulary, key=vocabulary.get)[1:]
    ranks = {bytes(BYTE_OF[c] for c in t): n for n, t in enumerate(ordered)}
    return tiktoken.Encoding(
        "own",
        pat_str=PATTERN,
        mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": len(ranks)},
    )
    ### END SOLUTION


# %% tags=["check-5"]
best = trained[sizes.index(chosen)]
encoding = to_tiktoken(best)
assert encoding.n_vocab == chosen, encoding.n_vocab
for text in [*held_out, "naïve 猫 👍🏽\r\n\tx  y"]:
    theirs = [number - 1 for number in best.encode(text).ids]
    assert encoding.encode(text) == theirs, f"other ids for {text[:40]!r}"
    assert encoding.decode(theirs) == text
end = encoding.encode("<|endoftext|>", allowed_special="all")
assert end == [chosen - 1], end
print("Task 5 is right: tiktoken gives the same ids.")

# %% [markdown]
# ## Against the great ones
#
# What your vocabulary does well and what it does not, beside those of OpenAI's models.

# %%
others = {
    name: tiktoken.get_encoding(name) for name in ("gpt2", "cl100k_base", "o200k_base")
}
texts = {
    "held out": held_out,
    "German": ["Der Hund schläft unter dem Tisch, und die Katze sieht ihm dabei zu."],
    "Python": ["def mean(xs: list[float]) -> float:\n    return sum(xs) / len(xs)\n"],
    "Chinese": ["我喜欢读书。今天天气很好，我们去公园吧！"],
}
fig, ax = plt.subplots(figsize=(6.4, 3))
for place, (name, some) in enumerate({"yours": encoding, **others}.items()):
    heights = [bytes_per_token(some.encode_ordinary, part) for part in texts.values()]
    at = [x + 0.2 * place for x in range(len(texts))]
    ax.bar(at, heights, 0.2, label=f"{name}, {some.n_vocab:,}")
    print(f"{name:12}", [round(height, 2) for height in heights])
ax.set(xticks=[x + 0.3 for x in range(len(texts))], ylabel="bytes a token")
ax.set_xticklabels(texts)
ax.legend()
plt.show()
