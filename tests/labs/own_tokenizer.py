"""Wrong solutions of the lab that run: each must fail the check of its task."""

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
