"""Wrong solutions of the lab that run: each must fail the check of its task."""

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
