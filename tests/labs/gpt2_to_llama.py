"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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

RIGHT = {
    1: [
        """
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        root = (wide.pow(2).mean(-1, keepdim=True) + eps).sqrt()
        return (wide / root * weight).to(x.dtype)
        """,
        """
        return F.rms_norm(x.double(), x.shape[-1:], weight.double(), eps).to(x.dtype)
        """,
        """
        wide = x.double()
        mean = torch.einsum("...c,...c->...", wide, wide) / x.size(-1)
        return ((wide * (mean + eps)[..., None] ** -0.5).type_as(x)) * weight
        """,
    ],
    2: [
        """
        D = x.size(-1)
        angles = positions[:, None] * base ** (-torch.arange(0, D, 2).double() / D)
        turns = torch.polar(torch.ones_like(angles), angles)
        pairs = torch.view_as_complex(x.double().reshape(*x.shape[:-1], -1, 2))
        return torch.view_as_real(pairs * turns).flatten(-2).to(x.dtype)
        """,
        """
        T, D = x.shape[-2:]
        out = torch.empty_like(x)
        for i in range(D // 2):
            angle = positions.to(x.dtype) * base ** (-2 * i / D)  # (T,)
            a, b = x[..., 2 * i], x[..., 2 * i + 1]
            out[..., 2 * i] = a * angle.cos() - b * angle.sin()
            out[..., 2 * i + 1] = a * angle.sin() + b * angle.cos()
        return out
        """,
        """
        D = x.size(-1)
        i = torch.arange(D, dtype=x.dtype) // 2
        angles = positions[:, None] * base ** (-2 * i / D)  # (T, D), each twice
        swapped = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).flatten(-2)
        return x * angles.cos() + swapped * angles.sin()
        """,
    ],
    3: [
        "return (F.silu(x @ gate.T) * (x @ up.T)) @ down.T",
        """
        g, u = F.linear(x, torch.cat([gate, up])).chunk(2, dim=-1)
        return F.linear(g * torch.sigmoid(g) * u, down)
        """,
        """
        gated = torch.einsum("...c,fc->...f", x, gate)
        gated = nn.SiLU()(gated) * torch.einsum("...c,fc->...f", x, up)
        return torch.einsum("...f,cf->...c", gated, down)
        """,
    ],
    4: [
        """
        B, H, T, D = q.shape
        G = k.size(1)
        q = q.reshape(B, G, H // G, T, D)
        k, v = k[:, :, None], v[:, :, None]  # (B, G, 1, T, D)
        k, v = k.expand(-1, -1, H // G, -1, -1), v.expand(-1, -1, H // G, -1, -1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.flatten(1, 2)
        """,
        """
        heads = []
        for h in range(q.size(1)):
            g = h * k.size(1) // q.size(1)
            mask = torch.ones(q.size(2), q.size(2), dtype=torch.bool).tril()
            scores = q[:, h] @ k[:, g].mT / q.size(-1) ** 0.5
            weights = scores.masked_fill(~mask, -torch.inf).softmax(-1)
            heads.append(weights @ v[:, g])
        return torch.stack(heads, dim=1)
        """,
        """
        group = torch.arange(q.size(1)) // (q.size(1) // k.size(1))
        return F.scaled_dot_product_attention(
            q, k[:, group], v[:, group], torch.ones(q.size(2), q.size(2)).tril().bool()
        )
        """,
    ],
    5: [
        """
        def heads(y, weight):
            return (y @ weight.T).unflatten(-1, (-1, D)).transpose(1, 2)

        a = rms_norm(x, p["norm1"])
        q, k = (rotate(heads(a, p[name]), positions) for name in ("wq", "wk"))
        mixed = grouped_attention(q, k, heads(a, p["wv"]))
        y = x + mixed.transpose(1, 2).flatten(2) @ p["wo"].T
        f = rms_norm(y, p["norm2"])
        return y + swiglu(f, p["gate"], p["up"], p["down"])
        """,
        """
        a = rms_norm(x, p["norm1"])
        sizes = [p[name].size(0) for name in ("wq", "wk", "wv")]
        joined = F.linear(a, torch.cat([p["wq"], p["wk"], p["wv"]]))
        q, k, v = (
            part.reshape(B, T, -1, D).permute(0, 2, 1, 3)
            for part in joined.split(sizes, dim=-1)
        )
        q, k = (rotate(part, positions) for part in (q, k))
        mixed = grouped_attention(q, k, v).permute(0, 2, 1, 3)
        x = x + F.linear(mixed.reshape(B, T, C), p["wo"])
        return x + swiglu(rms_norm(x, p["norm2"]), p["gate"], p["up"], p["down"])
        """,
        """
        a, out = rms_norm(x, p["norm1"]), x.clone()
        q = torch.stack((a @ p["wq"].T).split(D, dim=-1), dim=1)
        k = torch.stack((a @ p["wk"].T).split(D, dim=-1), dim=1)
        v = torch.stack((a @ p["wv"].T).split(D, dim=-1), dim=1)
        mixed = grouped_attention(rotate(q, positions), rotate(k, positions), v)
        out += torch.cat(mixed.unbind(dim=1), dim=-1) @ p["wo"].T
        out += swiglu(rms_norm(out, p["norm2"]), p["gate"], p["up"], p["down"])
        return out
        """,
    ],
}
