"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

WRONG = {
    1: [
        """
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= lr * parameter.grad  # the gradient stays
        """,
        """
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter += lr * parameter.grad  # uphill
                    parameter.grad = None
        """,
        """
        for module in model:
            for name, parameter in list(module.named_parameters()):
                if parameter.grad is not None:  # new objects, not in place
                    moved = parameter.detach() - lr * parameter.grad
                    setattr(module, name, nn.Parameter(moved))
        """,
        """
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter = parameter - lr * parameter.grad  # a new tensor
        model.zero_grad()
        """,
        """
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= 0.1 * parameter.grad  # a learning rate of its own
                    parameter.grad = None
        """,
    ],
    2: [
        """
        images, labels = data
        for start in range(0, len(labels), size):  # in order
            yield images[start : start + size], labels[start : start + size]
        """,
        """
        images, labels = data
        order = torch.randperm(len(labels), generator=generator)
        for chosen in order.split(size):
            if len(chosen) == size:  # the last ones are lost
                yield images[chosen], labels[chosen]
        """,
        """
        images, labels = data
        order = torch.randperm(len(labels), generator=generator)
        other = torch.randperm(len(labels), generator=generator)
        for chosen, wrong in zip(order.split(size), other.split(size), strict=True):
            yield images[chosen], labels[wrong]  # torn apart
        """,
        """
        images, labels = data
        for _ in range(0, len(labels), size):  # some twice, some never
            left = min(size, len(labels) - _)
            chosen = torch.randint(len(labels), (left,), generator=generator)
            yield images[chosen], labels[chosen]
        """,
        """
        images, labels = data
        order = torch.randperm(len(labels))  # not by the generator
        for chosen in order.split(size):
            yield images[chosen], labels[chosen]
        """,
    ],
    3: [
        """
        model.train()
        total, count = 0.0, 0
        for images, labels in data:
            F.cross_entropy(model(images), labels).backward()
            sgd_step(model, lr)
            with torch.no_grad():  # after the step
                total += F.cross_entropy(model(images), labels).item() * len(labels)
            count += len(labels)
        return total / count
        """,
        """
        total, count = 0.0, 0
        for images, labels in data:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            sgd_step(model, lr)
            total += loss.item() * len(labels)
            count += len(labels)
        model.train()  # too late
        return total / count
        """,
        """
        model.train()
        losses = []
        for images, labels in data:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            sgd_step(model, lr)
            losses.append(loss.item())
        return sum(losses) / len(losses)  # not weighted by size
        """,
        """
        total, count = 0.0, 0  # the mode stays what it was
        for images, labels in data:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            sgd_step(model, lr)
            total += loss.item() * len(labels)
            count += len(labels)
        return total / count
        """,
        """
        model.train()
        total, count = 0.0, 0
        for images, labels in data:
            loss = F.cross_entropy(model(images).softmax(dim=1), labels)  # twice
            loss.backward()
            sgd_step(model, lr)
            total += loss.item() * len(labels)
            count += len(labels)
        return total / count
        """,
        """
        model.train()
        total, count = 0.0, 0
        for images, labels in data:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            total += loss.item() * len(labels)
            count += len(labels)
        sgd_step(model, lr)  # one step for all
        return total / count
        """,
        """
        model.train()
        total, count = 0.0, 0
        for images, labels in data:
            sgd_step(model, lr)  # the gradient of the batch before
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            total += loss.item() * len(labels)
            count += len(labels)
        return total / count
        """,
        """
        model.train()
        total, count = torch.tensor(0.0), 0
        for images, labels in data:
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            sgd_step(model, lr)
            total = total + loss * len(labels)  # keeps every graph
            count += len(labels)
        return total / count
        """,
    ],
    4: [
        """
        model.eval()
        model.zero_grad()  # not its business
        total, right, count = 0.0, 0, 0
        with torch.no_grad():
            for images, labels in data:
                logits = model(images)
                total += F.cross_entropy(logits, labels).item() * len(labels)
                right += (logits.argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return total / count, right / count
        """,
        """
        model.eval()
        torch.set_grad_enabled(False)  # and never on again
        total, right, count = 0.0, 0, 0
        for images, labels in data:
            logits = model(images)
            total += F.cross_entropy(logits, labels).item() * len(labels)
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
        return total / count, right / count
        """,
        """
        model.eval().requires_grad_(False)  # frozen for good
        total, right, count = 0.0, 0, 0
        for images, labels in data:
            logits = model(images)
            total += F.cross_entropy(logits, labels).item() * len(labels)
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
        return total / count, right / count
        """,
        """
        total, right, count = 0.0, 0, 0  # dropout stays on
        with torch.no_grad():
            for images, labels in data:
                logits = model(images)
                total += F.cross_entropy(logits, labels).item() * len(labels)
                right += (logits.argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return total / count, right / count
        """,
        """
        model.eval()
        total, right, count = 0.0, 0, 0
        for images, labels in data:  # with a graph
            logits = model(images)
            total += F.cross_entropy(logits, labels).item() * len(labels)
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
        return total / count, right / count
        """,
        """
        model.eval()
        losses, rights = [], []
        with torch.no_grad():
            for images, labels in data:  # means of batches
                logits = model(images)
                losses.append(F.cross_entropy(logits, labels).item())
                rights.append((logits.argmax(1) == labels).float().mean().item())
        return sum(losses) / len(losses), sum(rights) / len(rights)
        """,
        """
        model.eval()
        total, right, count = 0.0, 0, 0
        with torch.no_grad():
            for images, labels in data:
                logits = model(images)
                total += F.cross_entropy(logits, labels).item() * len(labels)
                right += (logits.argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return total / count, 100 * right / count  # in percent
        """,
        """
        loss = train_epoch(model, data, 0.01)  # trains on it
        model.eval()
        right, count = 0, 0
        with torch.no_grad():
            for images, labels in data:
                right += (model(images).argmax(dim=1) == labels).sum().item()
                count += len(labels)
        return loss, right / count
        """,
    ],
    5: [
        """
        losses, best = [], None
        for _ in range(epochs):
            train_epoch(model, batches(train, 32, generator), lr)
            losses.append(evaluate(model, [validation])[0])
            if losses[-1] == min(losses):
                best = model.state_dict()  # not a copy
        model.load_state_dict(best)
        return losses
        """,
        """
        losses = []
        for _ in range(epochs):  # the last weights
            train_epoch(model, batches(train, 32, generator), lr)
            losses.append(evaluate(model, [validation])[0])
        return losses
        """,
        """
        losses, best = [], None
        for _ in range(epochs):
            train_epoch(model, batches(validation, 32, generator), lr)  # trains on it
            losses.append(evaluate(model, [validation])[0])
            if losses[-1] == min(losses):
                best = copy.deepcopy(model.state_dict())
        model.load_state_dict(best)
        return losses
        """,
        """
        losses, best = [], None
        walk = list(batches(train, 32, generator))  # one order for all epochs
        for _ in range(epochs):
            train_epoch(model, walk, lr)
            losses.append(evaluate(model, [validation])[0])
            if losses[-1] == min(losses):
                best = copy.deepcopy(model.state_dict())
        model.load_state_dict(best)
        return losses
        """,
        """
        losses, best = [], None
        for _ in range(epochs):
            train_epoch(model, batches(train, 32, generator), lr)
            losses.append(evaluate(model, [validation])[0])
            if losses[-1] == max(losses):  # the worst
                best = copy.deepcopy(model.state_dict())
        model.load_state_dict(best)
        return losses
        """,
    ],
}

RIGHT = {
    1: [
        """
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.data.sub_(lr * parameter.grad)
        model.zero_grad(set_to_none=True)
        """,
        """
        having = [p for p in model.parameters() if p.grad is not None]
        torch.optim.SGD(having, lr=lr).step()
        for parameter in having:
            parameter.grad = None
        """,
        """
        with torch.inference_mode(False), torch.no_grad():
            for parameter in filter(lambda p: p.grad is not None, model.parameters()):
                parameter.add_(parameter.grad, alpha=-lr)
        for parameter in model.parameters():
            parameter.grad = None
        """,
    ],
    2: [
        """
        images, labels = data
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(order), size):
            chosen = order[start : start + size].tolist()
            yield images[chosen], labels[chosen]
        """,
        """
        order = torch.randperm(len(data[1]), generator=generator)
        images, labels = (part[order] for part in data)
        yield from zip(images.split(size), labels.split(size))
        """,
        """
        order = torch.rand(len(data[1]), generator=generator).argsort()
        count = math.ceil(len(order) / size)
        return iter(
            [
                tuple(part[order[n * size : (n + 1) * size]] for part in data)
                for n in range(count)
            ]
        )
        """,
        """
        from torch.utils.data import DataLoader, TensorDataset

        return iter(
            DataLoader(TensorDataset(*data), size, shuffle=True, generator=generator)
        )
        """,
    ],
    3: [
        """
        model.train()
        sums, count = torch.zeros(()), 0
        for images, labels in data:
            loss = F.cross_entropy(model(images), labels, reduction="sum")
            (loss / len(labels)).backward()
            sums += loss.detach()
            count += len(labels)
            sgd_step(model, lr)
        return (sums / count).item()
        """,
        """
        losses, sizes = [], []
        for images, labels in data:
            model.train()
            model.zero_grad()
            each = F.cross_entropy(model(images), labels, reduction="none")
            each.mean().backward()
            losses.append(each.detach())
            sizes.append(len(each))
            sgd_step(model, lr)
        return torch.cat(losses).mean().item()
        """,
        """
        model.train(True)
        pairs = []
        for images, labels in data:
            loss = nn.CrossEntropyLoss()(model(images), labels)
            slopes = torch.autograd.grad(loss, list(model.parameters()))
            for parameter, slope in zip(model.parameters(), slopes, strict=True):
                parameter.grad = slope
            sgd_step(model, lr)
            pairs.append((float(loss), len(images)))
        return sum(l * n for l, n in pairs) / sum(n for _, n in pairs)
        """,
    ],
    4: [
        """
        model.eval()
        with torch.inference_mode():
            pairs = [(model(images), labels) for images, labels in data]
        logits = torch.cat([one for one, _ in pairs])
        labels = torch.cat([one for _, one in pairs])
        right = (logits.argmax(dim=-1) == labels).float().mean()
        return F.cross_entropy(logits, labels).item(), right.item()
        """,
        """
        model.train(False)
        losses, hits, sizes = [], [], []
        for images, labels in data:
            with torch.no_grad():
                logits = model(images)
                losses.append(float(F.cross_entropy(logits, labels)) * len(labels))
                same = logits.topk(1).indices[:, 0].eq(labels)
            hits.append(same.float().mean().item() * len(labels))
            sizes.append(len(labels))
        return sum(losses) / sum(sizes), sum(hits) / sum(sizes)
        """,
        """
        mode = model.training
        model.eval()

        @torch.no_grad()
        def measure() -> tuple[float, float]:
            total, right, count = 0.0, 0, 0
            for images, labels in data:
                logs = model(images).log_softmax(dim=1)
                total += F.nll_loss(logs, labels, reduction="sum").item()
                right += int(torch.sum(logs.max(dim=1).indices == labels))
                count += labels.numel()
            return total / count, right / count

        measured = measure()
        model.train(mode)
        return measured
        """,
    ],
    5: [
        """
        losses, kept = [], {}
        for _ in range(epochs):
            train_epoch(model, batches(train, 32, generator), lr)
            loss, _ = evaluate(model, [validation])
            if not losses or loss < min(losses):
                kept = {n: t.clone() for n, t in model.state_dict().items()}
            losses.append(loss)
        model.load_state_dict(kept)
        return losses
        """,
        """
        losses, states = [], []
        for _ in range(epochs):
            train_epoch(model, list(batches(train, 32, generator)), lr)
            losses.append(evaluate(model, [validation])[0])
            states.append(copy.deepcopy(model.state_dict()))
        model.load_state_dict(states[losses.index(min(losses))])
        return losses
        """,
        """
        losses, best, lowest = [], copy.deepcopy(model), math.inf
        for _ in range(epochs):
            train_epoch(model, batches(train, 32, generator), lr)
            pieces = zip(validation[0].split(64), validation[1].split(64))
            losses.append(evaluate(model, pieces)[0])
            if losses[-1] < lowest:
                lowest, best = losses[-1], copy.deepcopy(model)
        with torch.no_grad():
            for own, other in zip(model.parameters(), best.parameters(), strict=True):
                own.copy_(other)
        return losses
        """,
    ],
}
