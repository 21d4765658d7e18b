"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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
        """
        fate = torch.rand(ids.shape)
        words = torch.randint(FIRST_WORD, vocab_size - 1, ids.shape)  # not the last
        inputs = torch.where(chosen & (fate < 0.8), MASK, ids)
        return torch.where(chosen & (fate >= 0.8) & (fate < 0.9), words, inputs)
        """,
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

RIGHT = {
    1: [
        """
        chosen = torch.zeros_like(ids, dtype=torch.bool)
        for row, words in enumerate(ids >= FIRST_WORD):
            places = words.nonzero()[:, 0]
            count = max(1, round(0.15 * len(places)))
            chosen[row, places[torch.randperm(len(places))[:count]]] = True
        return chosen
        """,
        """
        words = ids >= FIRST_WORD
        noise = torch.rand(ids.shape).where(words, torch.inf)
        count = (0.15 * words.sum(1)).round().long().clamp(min=1)
        least = noise.sort(dim=1).values.gather(1, count[:, None] - 1)
        return (noise <= least) & words
        """,
        """
        import random

        chosen = torch.zeros(ids.shape, dtype=torch.bool)
        for row, numbers in enumerate(ids.tolist()):
            places = [n for n, number in enumerate(numbers) if number > MASK]
            if places:
                some = random.sample(places, max(1, round(len(places) * 0.15)))
                chosen[row, some] = True
        return chosen
        """,
    ],
    2: [
        """
        inputs = ids.clone()
        fate = torch.rand(ids.shape)
        inputs[chosen & (fate < 0.8)] = MASK
        replaced = chosen & (fate > 0.9)
        inputs[replaced] = torch.randint(FIRST_WORD, vocab_size, (int(replaced.sum()),))
        return inputs
        """,
        """
        inputs = ids.clone()
        places = chosen.nonzero()
        places = places[torch.randperm(len(places))]
        masked, swapped = int(0.8 * len(places)), int(0.9 * len(places))
        rows, columns = places[:masked].unbind(1)
        inputs[rows, columns] = MASK
        rows, columns = places[masked:swapped].unbind(1)
        inputs[rows, columns] = torch.randint(FIRST_WORD, vocab_size, rows.shape)
        return inputs
        """,
        """
        fate = torch.multinomial(torch.tensor([0.8, 0.1, 0.1]), ids.numel(), True)
        fate = fate.view(ids.shape)
        made = [torch.full_like(ids, MASK)]
        made += [torch.randint_like(ids, FIRST_WORD, vocab_size), ids]
        return torch.where(chosen, torch.stack(made).gather(0, fate[None])[0], ids)
        """,
    ],
    3: [
        "return ids.masked_fill(~chosen, NOT_ASKED)",
        """
        labels = torch.full_like(ids, NOT_ASKED)
        labels[chosen] = ids[chosen]
        return labels
        """,
        "return ids * chosen + NOT_ASKED * ~chosen",
    ],
    4: [
        """
        asked = labels != NOT_ASKED
        logs = F.log_softmax(logits, dim=-1)
        true = logs.gather(-1, labels.clamp(min=0)[..., None])[..., 0]
        return -(true * asked).sum() / asked.sum()
        """,
        """
        rows, places = (labels >= 0).nonzero(as_tuple=True)
        some, true = logits[rows, places], labels[rows, places]
        return (some.logsumexp(1) - some[torch.arange(len(true)), true]).mean()
        """,
        """
        logs = logits.log_softmax(-1).flatten(0, 1)
        return F.nll_loss(logs, labels.flatten(), ignore_index=NOT_ASKED)
        """,
    ],
    5: [
        """
        a, b = len(first), len(second)
        while a + b + 3 > length:
            a, b = (a - 1, b) if a > b else (a, b - 1)
        ids = [CLS] + first[len(first) - a :] + [SEP] + second[:b] + [SEP]
        segments = [0] * (a + 2) + [1] * (b + 1)
        while len(ids) < length:
            ids.append(PAD)
            segments.append(0)
        return ids, segments
        """,
        """
        while len(first) + len(second) > length - 3:
            if len(second) >= len(first):
                second = second[:-1]
            else:
                first = first[1:]
        row = [(CLS, 0)] + [(i, 0) for i in first] + [(SEP, 0)]
        row += [(i, 1) for i in second] + [(SEP, 1)]
        row += [(PAD, 0)] * (length - len(row))
        return [i for i, _ in row], [s for _, s in row]
        """,
        """
        from collections import deque

        one, two = deque(first), deque(second)
        for _ in range(len(one) + len(two) + 3 - length):
            one.popleft() if len(one) > len(two) else two.pop()
        ids, segments = torch.zeros(2, length, dtype=torch.long)
        made = torch.tensor([CLS, *one, SEP, *two, SEP])
        ids[: len(made)] = made
        segments[len(one) + 2 : len(made)] = 1
        return ids.tolist(), segments.tolist()
        """,
    ],
}
