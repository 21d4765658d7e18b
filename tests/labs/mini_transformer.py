"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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
SOLVED = {
    "split": PARTS,
    "root": "math.sqrt(q.size(-1))",
    "triangle": "tril()",
    "joined": ".transpose(1, 2).flatten(2)",
}


def attention(**wrong: str) -> str:
    """The solution with something wrong."""
    return ATTENTION.format(**{**SOLVED, **wrong})


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
        x = x.clone()  # in place, which takes from autograd what it needs
        x += self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
        """,
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

RIGHT = {
    1: [
        """
        q, k, v = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(x.shape))
        """,
        """
        B, T, C = x.shape
        D = C // self.n_heads
        q, k, v = self.qkv(x).split(C, dim=2)
        heads = []
        for h in range(self.n_heads):
            own = slice(h * D, (h + 1) * D)
            scores = q[..., own] @ k[..., own].mT * D**-0.5
            scores = scores + torch.full((T, T), -torch.inf).triu(1)
            heads.append(scores.softmax(dim=2) @ v[..., own])
        return self.out(torch.cat(heads, dim=2))
        """,
        """
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.n_heads, -1).unbind(dim=2)
        scores = torch.einsum("bthd,bshd->bhts", q, k) / q.shape[-1] ** 0.5
        may = torch.arange(T)[:, None] >= torch.arange(T)
        weights = scores.where(may, torch.finfo(scores.dtype).min).softmax(-1)
        return self.out(torch.einsum("bhts,bshd->bthd", weights, v).flatten(2))
        """,
    ],
    2: [
        """
        y = x + self.attention(self.norm1(x))
        return y + self.down(nn.GELU(approximate="tanh")(self.up(self.norm2(y))))
        """,
        """
        x = self.attention(self.norm1(x)) + x
        h = self.up(self.norm2(x))
        h = 0.5 * h * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        return self.down(h) + x
        """,
        """
        x = x.add(self.attention(self.norm1(x)))
        feed = nn.Sequential(self.norm2, self.up, nn.GELU("tanh"), self.down)
        return torch.add(x, feed(x))
        """,
    ],
    3: [
        """
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.token(ids) + self.position(places)[None]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.token.weight)
        """,
        """
        x = F.embedding(ids, self.token.weight) + self.position.weight[: ids.size(1)]
        x = nn.Sequential(*self.blocks, self.norm)(x)
        return torch.einsum("btc,vc->btv", x, self.token.weight)
        """,
        """
        places = torch.arange(ids.size(-1)).expand_as(ids)
        x = self.token(ids) + self.position(places)
        for number in range(len(self.blocks)):
            x = self.blocks[number](x)
        return torch.matmul(self.norm(x), self.token.weight.t())
        """,
    ],
    4: [
        """
        small = 0.02 / (2 * L) ** 0.5
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(p)
            elif "norm" not in name:
                writes = name.endswith(("attention.out.weight", "down.weight"))
                nn.init.normal_(p, std=small if writes else 0.02)
        """,
        """
        def draw(module: nn.Module) -> None:
            if isinstance(module, (nn.Linear, nn.Embedding)):
                torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
                if getattr(module, "bias", None) is not None:
                    torch.nn.init.zeros_(module.bias)

        model.apply(draw)
        for block in model.blocks:
            block.attention.out.weight.div_(math.sqrt(2 * L))
            block.down.weight.div_(math.sqrt(2 * L))
        """,
        """
        writing = {id(b.attention.out) for b in model.blocks}
        writing |= {id(b.down) for b in model.blocks}
        for module in model.modules():
            if hasattr(module, "weight") and not isinstance(module, nn.LayerNorm):
                std = 0.02 / math.sqrt(2 * L) if id(module) in writing else 0.02
                module.weight.copy_(std * torch.randn(module.weight.shape))
            if isinstance(module, nn.Linear):
                module.bias.fill_(0)
        """,
    ],
    5: [
        """
        logits = model(ids)[:, :-1]
        return F.cross_entropy(logits.transpose(1, 2), ids[:, 1:])
        """,
        """
        logs = model(ids[:, :-1]).log_softmax(dim=-1)
        return -logs.gather(-1, ids[:, 1:, None]).mean()
        """,
        """
        labels = torch.full_like(ids, -100)
        labels[:, :-1] = ids[:, 1:]
        return F.cross_entropy(model(ids).flatten(0, 1), labels.flatten())
        """,
    ],
    6: [
        """
        rate = lr if step >= warmup else lr * (step + 1) / warmup
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = next_token_loss(model, ids)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=1)
        optimizer.step()
        losses += [float(loss)]
        """,
        """
        optimizer.param_groups[0].update(lr=min(lr, lr * (step + 1) / warmup))
        loss = next_token_loss(model, ids)
        losses.append(loss.detach().item())
        model.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        for p in model.parameters():
            p.grad *= (1 / (norm + 1e-6)).clamp(max=1)
        optimizer.step()
        """,
        """
        if step == 0:
            schedule = torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda s: min(1, (s + 1) / warmup)
            )
        loss = next_token_loss(model, ids)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=False)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        """,
    ],
    7: [
        """
        values, tokens = model(ids[:, -T_MAX:])[:, -1].topk(top_k)
        place = torch.multinomial(values.softmax(dim=-1), num_samples=1)
        ids = torch.cat((ids, tokens.gather(1, place)), dim=1)
        """,
        """
        seen = ids if ids.size(1) <= T_MAX else ids[:, ids.size(1) - T_MAX :]
        p = model(seen)[:, -1, :].softmax(-1)
        kept = torch.zeros_like(p).scatter_(1, p.topk(top_k).indices, 1.0)
        ids = torch.hstack([ids, torch.multinomial(p * kept, 1)])
        """,
        """
        rows = []
        for logits in model(ids[:, -T_MAX:])[:, -1]:
            order = logits.argsort(descending=True)
            logits = logits.clone()
            logits[order[top_k:]] = -torch.inf
            rows.append(torch.multinomial(logits.softmax(0), 1))
        ids = torch.cat([ids, torch.stack(rows)], dim=1)
        """,
    ],
}
