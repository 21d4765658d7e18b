"""Repairs of the lab: wrong ones, which fail their check, and right ones.

That the broken functions themselves fail is tested with the labs.
"""

WRONG = {
    1: [
        """
        order = torch.arange(len(labels)).flip(0)  # reversed
        return images[order], labels[order]
        """,
        """
        order = torch.randperm(len(labels))  # not by the generator
        return images[order], labels[order]
        """,
        """
        torch.manual_seed(0)  # the same order each time
        order = torch.randperm(len(labels))
        return images[order], labels[order]
        """,
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
        noise = 0.2 * torch.randn_like(images)  # not by the generator
        return (images + noise).clamp(0, 1)
        """,
        """
        noise = 0.6 * (torch.rand(images.shape, generator=generator) - 0.5)  # uniform
        return (images + noise).clamp(0, 1)
        """,
        """
        noise = 0.2 * 12**0.5 * (torch.rand(images.shape, generator=generator) - 0.5)
        return (images + noise).clamp(0, 1)  # uniform, of the right deviation
        """,
        """
        noise = 0.25 * torch.randn(images.shape, generator=generator)  # too much
        return (images + noise).clamp(0, 1)
        """,
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
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return F.cross_entropy(model(x), y).item()  # after the step
        """,
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
        mode, right, count = model.training, 0, 0
        model.eval()
        torch.set_grad_enabled(False)  # and never on again
        for x, y in batches:
            right += int((model(x).argmax(dim=1) == y).sum())
            count += len(y)
        model.train(mode)
        return right / count
        """,
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

RIGHT = {
    1: [
        """
        order = torch.rand(len(labels), generator=generator).argsort()
        return images[order], labels[order]
        """,
        """
        order = torch.randperm(len(images), generator=generator).tolist()
        return torch.stack([images[n] for n in order]), labels[order]
        """,
        """
        order = torch.randperm(len(labels), generator=generator)
        return images.index_select(0, order), labels.gather(0, order)
        """,
    ],
    2: [
        """
        noise = torch.normal(0.0, 0.2, images.shape, generator=generator)
        return torch.clamp(images + noise, min=0, max=1)
        """,
        """
        images = images.clone()
        images += 0.2 * torch.randn(images.shape, generator=generator)
        return images.clamp_(0, 1)
        """,
        """
        noise = torch.empty_like(images).normal_(std=0.2, generator=generator)
        given = noise.add(images)
        given = torch.where(given < 0, 0.0, given)
        return torch.where(given > 1, 1.0, given)
        """,
    ],
    3: [
        """
        std, mean = torch.std_mean(images, dim=-1, keepdim=True)
        return torch.where(std > 1e-6, (images - mean) / std.clamp(min=1e-6), 0.0)
        """,
        """
        centred = images - images.mean(1, True)
        return centred / (centred.std(1, keepdim=True) + 1e-7)
        """,
        """
        rows = []
        for image in images:
            std = image.std()
            rows.append((image - image.mean()) / std if std > 1e-5 else image * 0)
        return torch.stack(rows)
        """,
        """
        return F.layer_norm(images, (64,), eps=1e-12) * math.sqrt(63 / 64)
        """,
    ],
    4: [
        """
        self.hidden = nn.Linear(64, 32)
        self.heads = nn.ModuleDict()
        self.heads["digit"] = nn.Linear(32, 10)
        self.heads["even"] = nn.Linear(32, 2)
        """,
        """
        self.hidden = nn.Linear(64, 32)
        self.digit, self.even = nn.Linear(32, 10), nn.Linear(32, 2)
        self.heads = {"digit": self.digit, "even": self.even}
        """,
        """
        self.hidden = nn.Linear(64, 32)
        self.heads = {"digit": nn.Linear(32, 10), "even": nn.Linear(32, 2)}
        for name, head in self.heads.items():
            self.add_module(name, head)
        """,
    ],
    5: [
        """
        total = logits.logsumexp(dim=1)
        return (total - logits.gather(1, labels[:, None])[:, 0]).mean()
        """,
        """
        largest = logits.max(dim=-1, keepdim=True).values.detach()
        logs = (logits - largest) - (logits - largest).exp().sum(-1, True).log()
        return -(logs * F.one_hot(labels, logits.size(1))).sum() / len(labels)
        """,
        """
        true = logits[range(len(labels)), labels]
        return torch.stack(
            [torch.logsumexp(row, 0) - t for row, t in zip(logits, true)]
        ).mean()
        """,
    ],
    6: [
        "return F.mse_loss(predictions.flatten(), targets)",
        "return (predictions - targets[:, None]).square().mean()",
        "return ((predictions[:, 0] - targets) ** 2).sum() / len(targets)",
    ],
    7: [
        """
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss)
        """,
        """
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach().item()
        """,
        """
        for parameter in model.parameters():
            parameter.grad = None
        before = nn.CrossEntropyLoss()(model(x), y)
        before.backward()
        number = before.item()
        optimizer.step()
        return number
        """,
    ],
    8: [
        """
        model.zero_grad()
        loss.backward()
        parameters = [p for p in model.parameters() if p.grad is not None]
        norm = nn.utils.clip_grad_norm_(parameters, max_norm=limit)
        assert norm.isfinite()
        optimizer.step()
        """,
        """
        optimizer.zero_grad()
        loss.backward()
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        with torch.no_grad():
            for p in model.parameters():
                p.grad *= min(1.0, limit / float(norm))
        optimizer.step()
        """,
        """
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        for p, slope in zip(model.parameters(), slopes, strict=True):
            p.grad = slope
        norm = nn.utils.get_total_norm(slopes)
        nn.utils.clip_grads_with_norm_(model.parameters(), limit, norm)
        optimizer.step()
        """,
    ],
    9: [
        """
        best, kept = math.inf, {}
        for _ in range(epochs):
            epoch()
            if (current := score()) < best:
                best = current
                kept = {name: t.clone() for name, t in model.state_dict().items()}
        model.load_state_dict(kept)
        return best
        """,
        """
        scores, states = [], []
        for _ in range(epochs):
            epoch()
            scores.append(score())
            states.append(copy.deepcopy(model.state_dict()))
        best = min(range(epochs), key=scores.__getitem__)
        model.load_state_dict(states[best])
        return scores[best]
        """,
        """
        found = []
        for number in range(epochs):
            epoch()
            found.append((score(), number, copy.deepcopy(model)))
        best, _, other = min(found, key=lambda one: one[:2])
        with torch.no_grad():
            for own, kept in zip(model.parameters(), other.parameters(), strict=True):
                own.copy_(kept)
        return best
        """,
    ],
    10: [
        """
        mode, total, n = model.training, 0.0, 0
        model.eval()
        with torch.no_grad():  # as the chapters do: mean × size
            for x, y in batches:
                total += (model(x).argmax(1) == y).float().mean().item() * len(y)
                n += len(y)
        model.train(mode)
        return total / n
        """,
        """
        mode = model.training
        model.eval()
        with torch.inference_mode():
            hits = torch.cat([model(x).argmax(dim=1) == y for x, y in batches])
        model.train(mode)
        return hits.float().mean().item()
        """,
        """
        was_on, mode = torch.is_grad_enabled(), model.training
        torch.set_grad_enabled(False)
        model.eval()
        try:
            pairs = [(model(x).topk(1).indices.flatten().eq(y).sum(), len(y))
                     for x, y in batches]
        finally:
            model.train(mode)
            torch.set_grad_enabled(was_on)
        return float(sum(r for r, _ in pairs)) / sum(n for _, n in pairs)
        """,
    ],
}
