"""Wrong solutions of the lab that run: each must fail the check of its task."""

WRONG = {
    1: [
        "return weight * x / (x.square().mean(dim=-1, keepdim=True).sqrt() + eps)",
        "return weight * x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + eps)",
        """
        wide = x.float() if x.dtype == torch.float16 else x
        wide = wide - wide.mean(dim=-1, keepdim=True)  # LayerNorm
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
        return weight * (wide * scale).to(x.dtype)
        """,
        """
        wide = x.float() if x.dtype == torch.float16 else x
        scale = torch.rsqrt(wide.square().sum(dim=-1, keepdim=True) + eps)  # no mean
        return weight * (wide * scale).to(x.dtype)
        """,
        """
        wide = x.float() if x.dtype == torch.float16 else x
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
        return (wide * scale).to(x.dtype)  # no weight
        """,
    ],
    2: [
        """
        D = x.size(-1)  # halves, not neighbours
        frequencies = base ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
        angles = positions[:, None].to(x.dtype) * frequencies
        a, b = x.chunk(2, dim=-1)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
        """,
        """
        D = x.size(-1)  # turned the other way
        frequencies = base ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
        angles = positions[:, None].to(x.dtype) * frequencies
        cos, sin = angles.cos(), angles.sin()
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos + b * sin, b * cos - a * sin], dim=-1).flatten(-2)
        """,
        """
        D, T = x.shape[-1], x.shape[-2]  # positions from 0
        frequencies = base ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
        angles = torch.arange(T)[:, None].to(x.dtype) * frequencies
        cos, sin = angles.cos(), angles.sin()
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
        """,
        """
        D = x.size(-1)  # the base is fixed
        frequencies = 10_000.0 ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
        angles = positions[:, None].to(x.dtype) * frequencies
        cos, sin = angles.cos(), angles.sin()
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
        """,
        """
        D = x.size(-1)  # the halves are put together in the wrong order
        frequencies = base ** (-torch.arange(0, D, 2, dtype=x.dtype) / D)
        angles = positions[:, None].to(x.dtype) * frequencies
        cos, sin = angles.cos(), angles.sin()
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
        """,
    ],
    3: [
        "return F.linear(F.gelu(F.linear(x, gate)) * F.linear(x, up), down)",
        "return F.linear(F.linear(x, gate) * F.silu(F.linear(x, up)), down)  # swapped",
        "return F.linear(F.silu(F.linear(x, gate)) + F.linear(x, up), down)  # added",
        "return F.linear(F.sigmoid(F.linear(x, gate)) * F.linear(x, up), down)  # GLU",
    ],
    4: [
        """
        times = q.size(1) // k.size(1)  # 0 1 0 1, not 0 0 1 1
        k, v = k.repeat(1, times, 1, 1), v.repeat(1, times, 1, 1)
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        """,
        """
        times = q.size(1) // k.size(1)  # not causal
        k, v = k.repeat_interleave(times, dim=1), v.repeat_interleave(times, dim=1)
        return F.scaled_dot_product_attention(q, k, v)
        """,
        """
        k, v = (t.mean(dim=1, keepdim=True).expand_as(q) for t in (k, v))  # all alike
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        """,
    ],
    5: [
        "return x",
        """
        normed = rms_norm(x, p["norm1"])  # values are turned too
        q, k, v = (
            F.linear(normed, p[name]).view(B, T, -1, D).transpose(1, 2)
            for name in ("wq", "wk", "wv")
        )
        mixed = grouped_attention(*(rotate(x, positions) for x in (q, k, v)))
        x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, C), p["wo"])
        return x + swiglu(rms_norm(x, p["norm2"]), p["gate"], p["up"], p["down"])
        """,
        """
        normed = rms_norm(x, p["norm1"])  # no positions
        q, k, v = (
            F.linear(normed, p[name]).view(B, T, -1, D).transpose(1, 2)
            for name in ("wq", "wk", "wv")
        )
        mixed = grouped_attention(q, k, v)
        x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, C), p["wo"])
        return x + swiglu(rms_norm(x, p["norm2"]), p["gate"], p["up"], p["down"])
        """,
        """
        normed = rms_norm(x, p["norm1"])
        q, k, v = (
            F.linear(normed, p[name]).view(B, T, -1, D).transpose(1, 2)
            for name in ("wq", "wk", "wv")
        )
        mixed = grouped_attention(rotate(q, positions), rotate(k, positions), v)
        x = F.linear(mixed.transpose(1, 2).reshape(B, T, C), p["wo"])  # not added
        return x + swiglu(rms_norm(x, p["norm2"]), p["gate"], p["up"], p["down"])
        """,
        """
        normed = rms_norm(x, p["norm1"])
        q, k, v = (
            F.linear(normed, p[name]).view(B, T, -1, D).transpose(1, 2)
            for name in ("wq", "wk", "wv")
        )
        mixed = grouped_attention(rotate(q, positions), rotate(k, positions), v)
        x = x + F.linear(mixed.reshape(B, T, C), p["wo"])  # heads and tokens mixed up
        return x + swiglu(rms_norm(x, p["norm2"]), p["gate"], p["up"], p["down"])
        """,
        """
        normed = rms_norm(x, p["norm1"])
        q, k, v = (
            F.linear(normed, p[name]).view(B, T, -1, D).transpose(1, 2)
            for name in ("wq", "wk", "wv")
        )
        mixed = grouped_attention(rotate(q, positions), rotate(k, positions), v)
        x = x + F.linear(mixed.transpose(1, 2).reshape(B, T, C), p["wo"])
        return x + swiglu(x, p["gate"], p["up"], p["down"])  # not normalised
        """,
    ],
}
