"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

WRONG = {
    1: [
        """
        documents = text.split("\\n\\n\\n")  # empty ones stay
        return [d for n, d in enumerate(documents) if n % 8], documents[::8]
        """,
        """
        documents = [part for part in text.split("\\n\\n\\n") if part.strip()]
        cut = len(documents) * 7 // 8  # the last ones
        return documents[:cut], documents[cut:]
        """,
        """
        documents = [part for part in text.split("\\n\\n\\n") if part.strip()]
        return documents, documents[::8]  # held out and learned from
        """,
    ],
    2: [
        """
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()  # a space in front
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=["<|endoftext|>"],
            show_progress=False,
        )
        tokenizer.train_from_iterator(documents, trainer)
        return tokenizer
        """,
        """
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(  # only the bytes of the text
            vocab_size=vocab_size,
            special_tokens=["<|endoftext|>"],
            show_progress=False,
        )
        tokenizer.train_from_iterator(documents, trainer)
        return tokenizer
        """,
        """
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # loses spaces
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=["<|endoftext|>"],
            show_progress=False,
        )
        tokenizer.train_from_iterator(documents, trainer)
        return tokenizer
        """,
    ],
    3: [
        """
        size = sum(len(document) for document in documents)  # characters
        return size / sum(len(encode(document)) for document in documents)
        """,
        """
        ratios = [len(d.encode()) / len(encode(d)) for d in documents]
        return sum(ratios) / len(ratios)  # the mean of the ratios
        """,
    ],
    4: [
        "return sizes[values.index(max(values))]  # the best",
        """
        for number, size in enumerate(sizes[:-1]):
            if values[number + 1] - values[number] < least:  # not a share
                return size
        return sizes[-1]
        """,
        """
        for number, size in enumerate(sizes[:-1]):
            if values[number + 1] / values[number] - 1 < least:
                return sizes[number + 1]  # one too far
        return sizes[-1]
        """,
    ],
    5: [
        """
        ordered = sorted(vocabulary, key=vocabulary.get)[1:]
        ranks = {t.encode(): n for n, t in enumerate(ordered)}  # as written
        ranks |= {bytes([b]): len(ranks) + b for b in range(256)}
        return tiktoken.Encoding(
            "own", pat_str=PATTERN, mergeable_ranks=ranks,
            special_tokens={"<|endoftext|>": max(ranks.values()) + 1},
        )
        """,
        """
        ordered = sorted(vocabulary)  # by the alphabet
        ordered.remove("<|endoftext|>")
        ranks = {bytes(BYTE_OF[c] for c in t): n for n, t in enumerate(ordered)}
        return tiktoken.Encoding(
            "own", pat_str=PATTERN, mergeable_ranks=ranks,
            special_tokens={"<|endoftext|>": len(ranks)},
        )
        """,
        """
        ordered = sorted(vocabulary, key=vocabulary.get)[1:]
        ranks = {bytes(BYTE_OF[c] for c in t): n for n, t in enumerate(ordered)}
        return tiktoken.Encoding(
            "own", pat_str=r"\\S+|\\s+", mergeable_ranks=ranks,  # another split
            special_tokens={"<|endoftext|>": len(ranks)},
        )
        """,
    ],
}

RIGHT = {
    1: [
        """
        documents = list(filter(str.strip, text.split("\\n\\n\\n")))
        learn = documents.copy()
        del learn[::8]
        return learn, documents[::8]
        """,
        """
        learn, held_out = [], []
        number = 0
        for part in text.split("\\n\\n\\n"):
            if part.strip() != "":
                (learn if number % 8 else held_out).append(part)
                number += 1
        return learn, held_out
        """,
        """
        some = (p for p in text.split("\\n\\n\\n") if p and not p.isspace())
        parts = dict(enumerate(some))
        return (
            [part for n, part in parts.items() if n % 8 != 0],
            [parts[n] for n in range(0, len(parts), 8)],
        )
        """,
    ],
    2: [
        """
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.train_from_iterator(
            iter(documents),
            trainer=trainers.BpeTrainer(
                special_tokens=["<|endoftext|>"],
                vocab_size=vocab_size,
                show_progress=False,
                initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            ),
        )
        return tokenizer
        """,
        """
        from tokenizers import ByteLevelBPETokenizer

        made = ByteLevelBPETokenizer(add_prefix_space=False)
        made.train_from_iterator(
            documents,
            vocab_size=vocab_size,
            min_frequency=0,
            show_progress=False,
            special_tokens=["<|endoftext|>"],
        )
        return Tokenizer.from_str(made.to_str())
        """,
        """
        level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        own = Tokenizer(models.BPE())
        own.pre_tokenizer, own.decoder = level, decoders.ByteLevel()
        settings = dict(vocab_size=vocab_size, show_progress=False)
        settings["special_tokens"] = ["<|endoftext|>"]
        settings["initial_alphabet"] = level.alphabet()
        own.train_from_iterator(documents, trainers.BpeTrainer(**settings))
        return own
        """,
    ],
    3: [
        """
        size = tokens = 0
        for document in documents:
            size += len(document.encode("utf-8"))
            tokens += len(encode(document))
        return size / tokens
        """,
        """
        counts = [(len(bytes(d, "utf8")), len(encode(d))) for d in documents]
        return sum(a for a, _ in counts) / sum(b for _, b in counts)
        """,
        """
        tokens = sum(map(len, map(encode, documents)))
        return len("".join(documents).encode()) / tokens
        """,
    ],
    4: [
        """
        pairs = zip(sizes, values, values[1:])
        return next((s for s, a, b in pairs if b / a - 1 < least), sizes[-1])
        """,
        """
        n = 0
        while n < len(sizes) - 1 and values[n + 1] / values[n] - 1 >= least:
            n += 1
        return sizes[n]
        """,
        """
        worth = [b >= (1 + least) * a for a, b in zip(values, values[1:])]
        return sizes[worth.index(False)] if False in worth else sizes[-1]
        """,
    ],
    5: [
        """
        ranks = {}
        for token, number in sorted(vocabulary.items(), key=lambda one: one[1]):
            if token != "<|endoftext|>":
                ranks[bytes([BYTE_OF[c] for c in token])] = len(ranks)
        end = {"<|endoftext|>": len(ranks)}
        return tiktoken.Encoding(
            name="mine", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=end
        )
        """,
        """
        ranks = {
            bytes(BYTE_OF[c] for c in token): number - 1
            for token, number in vocabulary.items()
            if number > 0
        }
        return tiktoken.Encoding(
            "x",
            pat_str=PATTERN,
            mergeable_ranks=dict(sorted(ranks.items())),
            special_tokens={"<|endoftext|>": len(vocabulary) - 1},
            explicit_n_vocab=len(vocabulary),
        )
        """,
        """
        tokens = [tokenizer.id_to_token(n) for n in range(1, len(vocabulary))]
        ranks = {bytes(map(BYTE_OF.get, t)): n for n, t in enumerate(tokens)}
        special = {"<|endoftext|>": max(ranks.values()) + 1}
        return tiktoken.Encoding("own", pat_str=PATTERN, mergeable_ranks=ranks,
                                 special_tokens=special)
        """,
    ],
}
