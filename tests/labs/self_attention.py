"""Wrong solutions of the lab that run: each must fail the check of its task."""

WRONG = {
    1: [
        "return q @ k.transpose(-2, -1)  # not divided",
        "return q @ k.transpose(-2, -1) / q.size(-1)  # divided by D",
        "return q @ k.transpose(-2, -1) / math.sqrt(k.size(-2))  # by the keys",
        "return q @ k.transpose(-2, -1) / 8**0.5  # the size of the first example",
    ],
    2: [
        """
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        return scores.softmax(dim=-1)  # a row of NaN
        """,
        """
        weights = scores.softmax(dim=-1)  # the mask comes too late
        return weights if mask is None else weights.masked_fill(~mask, 0.0)
        """,
        """
        if mask is not None:
            scores = scores.masked_fill(mask, -1e9)  # the wrong way round
        weights = scores.softmax(dim=-1)
        return weights if mask is None else weights.masked_fill(mask, 0.0)
        """,
        "return scores.softmax(dim=-2)  # along the wrong axis",
        """
        if mask is not None:
            scores = scores.masked_fill(~mask, -30.0)  # low, but not the lowest
        weights = scores.softmax(dim=-1)
        return weights if mask is None else weights.masked_fill(~mask, 0.0)
        """,
        """
        if mask is not None:
            scores.masked_fill_(~mask, torch.finfo(scores.dtype).min)  # in place
        weights = scores.softmax(dim=-1)
        return weights if mask is None else weights.masked_fill(~mask, 0.0)
        """,
        """
        powers = scores.exp()  # overflows
        if mask is not None:
            powers = powers.masked_fill(~mask, 0.0)
        return (powers / powers.sum(dim=-1, keepdim=True)).nan_to_num()
        """,
    ],
    3: [
        "return torch.ones(T, T, dtype=torch.bool).triu()",
        "return torch.ones(T, T, dtype=torch.bool).tril(-1)",
        "return torch.ones(T, T).tril()",
    ],
    4: [
        """
        B, T, C = x.shape
        return x.view(B, n_heads, T, C // n_heads)  # mixes tokens and heads
        """,
        """
        B, T, C = x.shape
        return x.view(B, T, C // n_heads, n_heads).permute(0, 3, 1, 2)
        """,
        """
        B, T, C = x.shape
        return x.view(B, T, n_heads, C // n_heads)  # H is not before T
        """,
        """
        B, T, C = x.shape
        return x.reshape(B, T, -1, 4).transpose(1, 2)  # the D of the first example
        """,
    ],
    5: [
        """
        parts = self.qkv(x).chunk(3, dim=-1)
        k, q, v = (split_heads(part, self.n_heads) for part in parts)  # exchanged
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(join_heads(weights @ v))
        """,
        """
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_heads) for part in parts)
        weights = attention_weights(attention_scores(q, k))  # without the mask
        return self.out(join_heads(weights @ v))
        """,
        """
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_heads) for part in parts)
        weights = attention_weights(attention_scores(q, k), mask)
        return join_heads(weights @ v)  # without the last layer
        """,
        """
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (split_heads(part, 1) for part in parts)  # one head
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(join_heads(weights @ v))
        """,
        """
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (split_heads(part, 3) for part in parts)  # the H of the example
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(join_heads(weights @ v))
        """,
        """
        parts = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.n_heads) for part in parts)
        mask = None if mask is None else causal_mask(x.size(1))  # any mask is causal
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(join_heads(weights @ v))
        """,
        """
        parts = self.qkv(x).detach().chunk(3, dim=-1)  # nothing can be learned
        q, k, v = (split_heads(part, self.n_heads) for part in parts)
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(join_heads(weights @ v))
        """,
    ],
}
