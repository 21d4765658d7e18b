"""Repairs that do not repair: each must fail the check of its task.

That the broken functions themselves fail is tested with the labs.
"""

WRONG = {
    1: [
        "return images, labels  # no order at all",
        """
        chosen = torch.randint(len(labels), (len(labels),), generator=generator)
        return images[chosen], labels[chosen]  # some twice
        """,
        """
        n = len(labels)  # labels stay
        return images[torch.randperm(n, generator=generator)], labels
        """,
    ],
    2: [
        """
        images = images.detach()  # the same memory
        images += 0.2 * torch.randn(images.shape, generator=generator)
        return images.clamp(0, 1)
        """,
        """
        noise = 0.2 * torch.randn(images.shape, generator=generator)
        return images + noise  # not clamped
        """,
        """
        generator.manual_seed(0)  # the same noise each time
        noise = 0.2 * torch.randn(images.shape, generator=generator)
        return (images + noise).clamp(0, 1)
        """,
        "return images.clone()",
    ],
    3: [
        """
        mean, std = images.mean(dim=0), images.std(dim=0)  # of each pixel
        return (images - mean) / std.clamp(min=1e-6)
        """,
        """
        mean = images.mean(dim=1, keepdim=True)
        return (images - mean) / images.std(dim=1, keepdim=True)  # 0 / 0
        """,
        """
        mean = images.mean(dim=1, keepdim=True)
        return (images - mean) / images.std().clamp(min=1e-6)  # of all images
        """,
    ],
    4: [
        """
        self.hidden = nn.Linear(64, 32)
        self.digit = nn.Linear(32, 10)
        self.heads = {"digit": self.digit, "even": nn.Linear(32, 2)}  # one of two
        """,
        """
        self.hidden = nn.Linear(64, 32)
        self.heads = nn.ModuleDict({"digit": nn.Linear(32, 10)})  # one is gone
        """,
        """
        self.hidden = nn.Linear(64, 32)
        heads = {"digit": nn.Linear(32, 10), "even": nn.Linear(32, 2)}
        self.heads = nn.ModuleDict(heads).requires_grad_(False)  # frozen
        """,
    ],
    5: [
        """
        powers = logits.clamp(max=80).exp()  # no overflow, and another loss
        p = powers / powers.sum(dim=1, keepdim=True)
        return -p.log()[torch.arange(len(labels)), labels].mean()
        """,
        """
        powers = (logits - logits.max()).exp()  # underflow in the other rows
        p = powers / powers.sum(dim=1, keepdim=True)
        return -p.log()[torch.arange(len(labels)), labels].mean()
        """,
        """
        powers = (logits - logits.amax(dim=1, keepdim=True)).exp()
        p = powers / powers.sum(dim=1, keepdim=True)
        return -(p + 1e-9).log()[torch.arange(len(labels)), labels].mean()
        """,
        """
        return torch.nan_to_num(  # NaN hidden, not avoided
            -(logits.exp() / logits.exp().sum(1, keepdim=True)).log()[
                torch.arange(len(labels)), labels
            ].mean()
        )
        """,
    ],
    6: [
        "return (predictions - targets[None]).square().mean()  # still (B, B)",
        "return (predictions.mean() - targets.mean()).square()",
        "return (predictions.squeeze(1) - targets).square().sum()  # no mean",
        "return (predictions.squeeze(1) - targets).abs().mean()",
    ],
    7: [
        """
        loss = F.cross_entropy(model(x), y)
        loss.backward()  # old gradients stay
        optimizer.step()
        return loss.item()
        """,
        """
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        optimizer.step()
        return loss.item()
        """,
        """
        loss = F.cross_entropy(model(x).softmax(dim=1), y)  # twice
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()
        """,
    ],
    8: [
        """
        optimizer.zero_grad()
        nn.utils.clip_grad_norm_(model.parameters(), limit)  # nothing to clip yet
        loss.backward()
        optimizer.step()
        """,
        """
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), limit)  # each number
        optimizer.step()
        """,
        """
        optimizer.zero_grad()
        loss.backward()
        for p in model.parameters():  # each tensor on its own
            nn.utils.clip_grad_norm_([p], limit)
        optimizer.step()
        """,
        """
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.get_total_norm([p.grad for p in model.parameters()])
        for p in model.parameters():  # short gradients are stretched
            p.grad *= limit / norm
        optimizer.step()
        """,
    ],
    9: [
        """
        best, kept = math.inf, None
        for _ in range(epochs):
            epoch()
            current = score()
            if current < best:
                best, kept = current, dict(model.state_dict())  # the same tensors
        model.load_state_dict(kept)
        return best
        """,
        """
        best, kept = math.inf, None
        for _ in range(epochs):
            kept = copy.deepcopy(model.state_dict())  # before the epoch
            epoch()
            best = min(best, score())
        model.load_state_dict(kept)
        return best
        """,
        """
        best, kept = -math.inf, None
        for _ in range(epochs):
            epoch()
            current = score()
            if current > best:  # the worst
                best, kept = current, copy.deepcopy(model.state_dict())
        model.load_state_dict(kept)
        return best
        """,
        """
        best = math.inf
        for _ in range(epochs):  # stops at the best, which nobody knows yet
            epoch()
            current = score()
            if current > best:
                break
            best = current
        return best
        """,
    ],
    10: [
        """
        model.eval()  # and stays so
        right, count = 0, 0
        with torch.no_grad():
            for x, y in batches:
                right += int((model(x).argmax(dim=1) == y).sum())
                count += len(y)
        return right / count
        """,
        """
        mode = model.training
        model.eval()
        shares = []
        with torch.no_grad():
            for x, y in batches:
                shares.append((model(x).argmax(dim=1) == y).float().mean().item())
        model.train(mode)
        return sum(shares) / len(shares)  # a mean of means
        """,
        """
        mode, right, count = model.training, 0, 0
        model.eval()
        for x, y in batches:  # with graphs
            right += int((model(x).argmax(dim=1) == y).sum())
            count += len(y)
        model.train(mode)
        return right / count
        """,
        """
        mode, right, count = model.training, 0, 0
        with torch.no_grad():
            for x, y in batches:  # dropout stays on
                right += int((model(x).argmax(dim=1) == y).sum())
                count += len(y)
        model.train(mode)
        return right / count
        """,
        """
        right, count = 0, 0
        model.eval()
        with torch.no_grad():
            for x, y in batches:
                right += int((model(x).argmax(dim=1) == y).sum())
                count += len(y)
        model.train()  # also one that came in evaluation mode
        return right / count
        """,
    ],
}
