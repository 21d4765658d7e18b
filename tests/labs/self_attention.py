"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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

RIGHT = {
    1: [
        'return torch.einsum("...td,...sd->...ts", q, k) * q.size(-1) ** -0.5',
        "return torch.matmul(q / q.shape[-1] ** 0.5, k.mT)",
        "return q.matmul(k.swapaxes(-1, -2)).div(math.sqrt(k.size(-1)))",
    ],
    2: [
        """
        if mask is None:
            return F.softmax(scores, -1)
        weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
        return weights.nan_to_num(0.0)
        """,
        """
        allowed = torch.ones_like(scores) if mask is None else mask.to(scores.dtype)
        largest = scores.amax(dim=-1, keepdim=True)
        if mask is not None:
            low = scores.where(mask, -torch.inf).amax(dim=-1, keepdim=True)
            largest = low.where(low > -torch.inf, 0.0)
        powers = (scores - largest).clamp(max=0.0).exp() * allowed
        return powers / powers.sum(dim=-1, keepdim=True).clamp(min=1e-300)
        """,
        """
        if mask is not None:
            scores = torch.where(mask, scores, -1e300)
        weights = torch.softmax(scores, dim=scores.dim() - 1)
        if mask is not None:
            weights = weights * mask
        return weights
        """,
    ],
    3: [
        "return torch.arange(T)[:, None] >= torch.arange(T)",
        "return ~torch.ones((T, T), dtype=torch.bool).triu(diagonal=1)",
        "return torch.tensor([[s <= t for s in range(T)] for t in range(T)])",
    ],
    4: [
        "return x.unflatten(-1, (n_heads, -1)).transpose(-2, -3)",
        "return torch.stack(x.chunk(n_heads, dim=-1), dim=1)",
        """
        B, T, C = x.size()
        return x.reshape(B, T, n_heads, -1).permute(0, 2, 1, 3).contiguous()
        """,
    ],
    5: [
        """
        q, k, v = self.qkv(x).split(x.size(-1), dim=-1)
        q, k, v = (split_heads(part, self.n_heads) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(join_heads(mixed))
        """,
        """
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        weights = attention_weights(attention_scores(q, k), mask)
        return self.out(torch.einsum("bhts,bhsd->bthd", weights, v).reshape(B, T, C))
        """,
        """
        C = x.size(-1)
        weight, bias = self.qkv.weight.split(C), self.qkv.bias.split(C)
        q, k, v = (
            split_heads(F.linear(x, w, b), self.n_heads)
            for w, b in zip(weight, bias, strict=True)
        )
        heads = []
        for h in range(self.n_heads):
            scores = attention_scores(q[:, h], k[:, h])
            heads.append(attention_weights(scores, mask) @ v[:, h])
        return self.out(torch.cat(heads, dim=-1))
        """,
    ],
}
