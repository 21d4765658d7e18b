"""Wrong solutions of the lab that run: each must fail the check of its task."""

WRONG = {
    1: [
        "return torch.rand(ids.shape) < 0.15  # special tokens too",
        "return (torch.rand(ids.shape) < 0.15) & (ids >= FIRST_WORD)  # on average",
        """
        words = ids >= FIRST_WORD  # the first words of each row
        rank = words.cumsum(dim=1) - 1
        count = (0.15 * words.sum(dim=1, keepdim=True)).round().clamp(min=1)
        return (rank < count) & words
        """,
        """
        words = ids >= FIRST_WORD  # 15 % of the row, with padding
        noise = torch.rand(ids.shape).masked_fill(~words, 2.0)
        rank = noise.argsort(dim=1).argsort(dim=1)
        return (rank < round(0.15 * ids.size(1))) & words
        """,
        """
        words = ids >= FIRST_WORD  # one argsort is an order, not a rank
        noise = torch.rand(ids.shape).masked_fill(~words, 2.0)
        count = (0.15 * words.sum(dim=1, keepdim=True)).round().clamp(min=1)
        return (noise.argsort(dim=1) < count) & words
        """,
    ],
    2: [
        "return torch.where(chosen, MASK, ids)  # all of them",
        """
        words = torch.randint(FIRST_WORD, vocab_size, ids.shape)  # drawn twice
        inputs = torch.where(chosen & (torch.rand(ids.shape) < 0.8), MASK, ids)
        second = chosen & (inputs != MASK) & (torch.rand(ids.shape) < 0.1)
        return torch.where(second, words, inputs)
        """,
        """
        fate = torch.rand(ids.shape)
        words = torch.randint(0, vocab_size, ids.shape)  # special ones too
        inputs = torch.where(chosen & (fate < 0.8), MASK, ids)
        return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, inputs)
        """,
        """
        fate = torch.rand(ids.shape)
        words = torch.randint(FIRST_WORD, vocab_size, ids.shape)
        ids[chosen & (fate < 0.8)] = MASK  # in place
        return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, ids)
        """,
        """
        fate = torch.rand(ids.shape)  # chosen or not
        words = torch.randint(FIRST_WORD, vocab_size, ids.shape)
        inputs = torch.where(fate < 0.8, MASK, ids)
        return torch.where((fate >= 0.8) & (fate < 0.9), words, inputs)
        """,
        """
        fate = torch.rand(ids.shape)
        inputs = torch.where(chosen & (fate < 0.8), MASK, ids)  # one word for all
        word = torch.randint(FIRST_WORD, vocab_size, (1,))
        return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), word, inputs)
        """,
    ],
    3: [
        "return ids",
        "return torch.where(chosen, NOT_ASKED, ids)  # the wrong way round",
        "return torch.where(chosen, ids, PAD)  # padding is an id",
        """
        ids[~chosen] = NOT_ASKED  # in place
        return ids
        """,
    ],
    4: [
        """
        asked = labels != NOT_ASKED  # the mean of all positions
        logs = logits.log_softmax(dim=-1)
        right = logs.gather(2, labels.clamp(min=0)[..., None]).squeeze(2)
        return -(right * asked).mean()
        """,
        """
        asked = labels != NOT_ASKED  # a sum
        logs = logits[asked].log_softmax(dim=-1)
        return -logs.gather(1, labels[asked][:, None]).sum()
        """,
        """
        asked = labels != NOT_ASKED  # not logarithms
        p = logits[asked].softmax(dim=-1)
        return -p.gather(1, labels[asked][:, None]).mean()
        """,
        """
        asked = labels != NOT_ASKED  # underflows to log 0
        p = logits[asked].softmax(dim=-1)
        return -p.gather(1, labels[asked][:, None]).log().mean()
        """,
        """
        logs = logits.log_softmax(dim=-1)  # all positions, with padding as label
        return -logs.gather(2, labels.clamp(min=0)[..., None]).mean()
        """,
    ],
    5: [
        """
        ids = [CLS, *first, SEP, *second, SEP][:length]  # cut at the end
        segments = ([0] * (len(first) + 2) + [1] * (len(second) + 1))[:length]
        filling = [0] * (length - len(ids))
        return ids + filling, segments + filling
        """,
        """
        while len(first) + len(second) > length - 3:
            (first if len(first) > len(second) else second).pop()  # both at the end
        ids = [CLS, *first, SEP, *second, SEP]
        segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
        filling = [0] * (length - len(ids))
        return ids + filling, segments + filling
        """,
        """
        first, second = list(first), list(second)
        while len(first) + len(second) > length - 3:
            second.pop()  # always the second
        ids = [CLS, *first, SEP, *second, SEP]
        segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
        filling = [0] * (length - len(ids))
        return ids + filling, segments + filling
        """,
        """
        first, second = list(first), list(second)
        while len(first) + len(second) > length - 3:
            if len(first) > len(second):
                first.pop(0)
            else:
                second.pop()
        ids = [CLS, *first, SEP, *second, SEP]
        segments = [0] * (len(first) + 1) + [1] * (len(second) + 2)  # [SEP] is moved
        filling = [0] * (length - len(ids))
        return ids + filling, segments + filling
        """,
        """
        while len(first) + len(second) > length - 3:
            if len(first) > len(second):
                first.pop(0)  # changes the caller's list
            else:
                second.pop()
        ids = [CLS, *first, SEP, *second, SEP]
        segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
        filling = [0] * (length - len(ids))
        return ids + filling, segments + filling
        """,
    ],
}
