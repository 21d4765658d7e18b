"""Wrong solutions of the lab that run: each must fail the check of its task."""

ATTENTION = """
B, T, C = x.shape
{split}
scores = q @ k.transpose(-2, -1) / {root}
may = torch.ones(T, T, dtype=torch.bool).{triangle}
weights = scores.masked_fill(~may, float("-inf")).softmax(dim=-1)
return self.out((weights @ v){joined})
"""
PARTS = """parts = self.qkv(x).view(B, T, 3, self.n_heads, C // self.n_heads)
q, k, v = parts.permute(2, 0, 3, 1, 4)"""
RIGHT = {
    "split": PARTS,
    "root": "math.sqrt(q.size(-1))",
    "triangle": "tril()",
    "joined": ".transpose(1, 2).flatten(2)",
}


def attention(**wrong: str) -> str:
    """The solution with something wrong."""
    return ATTENTION.format(**{**RIGHT, **wrong})


def sampling(
    least: str, after: str = "ids = torch.cat([ids, following], dim=1)"
) -> str:
    """The solution with other thresholds."""
    return f"""
logits = model(ids[:, -T_MAX:])[:, -1]
least = {least}
logits = logits.masked_fill(logits < least, float("-inf"))
following = torch.multinomial(logits.softmax(dim=-1), 1)
{after}
"""


WRONG = {
    1: [
        attention(root="math.sqrt(C)"),
        attention(triangle="tril(1)"),
        attention(joined=".flatten(1, 2).view(B, T, C)"),
        attention(
            split="parts = self.qkv(x).view(B, T, self.n_heads, 3, C // self.n_heads)\n"
            "q, k, v = parts.permute(3, 0, 2, 1, 4)"
        ),
    ],
    2: [
        """
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.relu(self.up(self.norm2(x))))
        """,
        """
        x = self.norm1(x + self.attention(x))  # post-LN
        return self.norm2(x + self.down(F.gelu(self.up(x), approximate="tanh")))
        """,
        """
        x = x + self.attention(self.norm1(x))
        return self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
        """,
        """
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(x), approximate="tanh"))
        """,
    ],
    3: [
        """
        x = self.token(ids)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.token.weight.T
        """,
        """
        x = self.token(ids) + self.position(torch.arange(ids.size(1)))
        for block in self.blocks:
            x = block(x)
        return x @ self.token.weight.T
        """,
        """
        x = self.token(ids) + self.position(torch.arange(ids.size(1)).flip(0))
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.token.weight.T
        """,
    ],
    4: [
        """
        for module in model.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                module.weight.normal_(std=0.02)
            if isinstance(module, nn.Linear):
                module.bias.zero_()
        """,
        """
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(std=0.02)
                module.bias.zero_()
        for block in model.blocks:
            for layer in (block.attention.out, block.down):
                layer.weight.normal_(std=0.02 / math.sqrt(2 * len(model.blocks)))
        """,
        """
        for p in model.parameters():
            p.normal_(std=0.02)
        """,
    ],
    5: [
        """
        logits = model(ids)
        return F.cross_entropy(logits.flatten(0, 1), ids.flatten())
        """,
        """
        logits = model(ids[:, :-1])
        return F.cross_entropy(
            logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="sum"
        )
        """,
        """
        logits = model(ids[:, 1:])  # backwards
        return F.cross_entropy(logits.flatten(0, 1), ids[:, :-1].flatten())
        """,
    ],
    6: [
        """
        loss = next_token_loss(model, ids)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        """,
        """
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, (step + 1) / warmup)
        loss = next_token_loss(model, ids)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        """,
        """
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, step / warmup)
        loss = next_token_loss(model, ids)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        """,
    ],
    7: [
        sampling("logits.topk(top_k, dim=-1).values[0, -1]  # the first row's"),
        sampling("logits.max(dim=-1, keepdim=True).values"),
        """
        logits = model(ids[:, -T_MAX:])[:, -1]
        least = logits.topk(top_k, dim=-1).values[:, -1:]
        logits.masked_fill(logits < least, float("-inf"))  # the result is thrown away
        following = torch.multinomial(logits.softmax(dim=-1), 1)
        ids = torch.cat([ids, following], dim=1)
        """,
    ],
}
