"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

WRONG = {
    1: [
        """
        (height, width), (h, w) = image.shape, kernel.shape
        out = image.new_zeros(height - h + 1, width - w + 1)
        flipped = kernel.flip(0, 1)  # as mathematicians do
        for row in range(out.shape[0]):
            for column in range(out.shape[1]):
                window = image[row : row + h, column : column + w]
                out[row, column] = (window * flipped).sum()
        return out
        """,
        """
        size = kernel.shape[0]
        out = image.new_zeros(image.shape[0] - size, image.shape[1] - size)
        for row in range(out.shape[0]):  # one place too few
            for column in range(out.shape[1]):
                window = image[row : row + size, column : column + size]
                out[row, column] = (window * kernel).sum()
        return out
        """,
        """
        (height, width), (h, w) = image.shape, kernel.shape
        out = image.new_zeros(height - h + 1, width - w + 1)
        for row in range(out.shape[0]):
            for column in range(out.shape[1]):
                window = image[row : row + h, column : column + w]
                out[row, column] = (window * kernel).mean()  # not the sum
        return out
        """,
        """
        (height, width), (h, w) = image.shape, kernel.shape
        for row in range(height - h + 1):
            for column in range(width - w + 1):
                window = image[row : row + h, column : column + w]
                image[row, column] = (window * kernel).sum()  # over its own input
        return image[: height - h + 1, : width - w + 1]
        """,
    ],
    2: [
        "return (size + padding - kernel) // stride + 1  # on one side only",
        "return (size + 2 * padding - kernel + 1) // stride",
        "return (size + 2 * padding - kernel) / stride + 1",
        "return -(-(size + 2 * padding - kernel) // stride) + 1  # rounded up",
        "return size - kernel + 1",
    ],
    3: [
        """
        x = F.max_pool2d(self.first(images), 2)  # no ReLU
        x = F.max_pool2d(self.second(x), 2)
        return self.out(x.flatten(1))
        """,
        """
        x = F.max_pool2d(self.first(images).relu(), 2)
        x = F.max_pool2d(self.second(x).relu(), 2)
        return self.out(x.flatten(1)).softmax(dim=1)
        """,
        """
        x = F.max_pool2d(self.first(images).relu(), 2)
        x = F.max_pool2d(self.second(x).relu(), 2)
        return self.out(x.flatten(1)).relu()  # logits may be negative
        """,
        """
        x = F.avg_pool2d(self.first(images).relu(), 2)
        x = F.avg_pool2d(self.second(x).relu(), 2)
        return self.out(x.flatten(1))
        """,
        """
        x = F.max_pool2d(self.first(images).relu(), 2)
        x = F.max_pool2d(self.second(x).relu(), 2)
        return self.out(x.permute(0, 2, 3, 1).flatten(1))  # channels last
        """,
        """
        x = F.max_pool2d(self.first(images).relu(), 2)
        x = F.max_pool2d(self.second(x).relu(), 2)
        return self.out(x.transpose(0, 1).reshape(len(images), -1))  # scrambled
        """,
    ],
    4: [
        """
        right = count = 0
        for images, labels in data:
            logits = model(images)
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
            F.cross_entropy(logits, labels).backward()  # gradients add up
            optimizer.step()
        return right / count
        """,
        """
        shares = []
        for images, labels in data:
            logits = model(images)
            shares.append((logits.argmax(dim=1) == labels).float().mean().item())
            optimizer.zero_grad()
            F.cross_entropy(logits, labels).backward()
            optimizer.step()
        return sum(shares) / len(shares)  # the last batch is smaller
        """,
        """
        right = count = 0
        for images, labels in data:
            optimizer.zero_grad()
            F.cross_entropy(model(images).softmax(dim=1), labels).backward()
            optimizer.step()
            right += (model(images).argmax(dim=1) == labels).sum().item()
            count += len(labels)
        return right / count
        """,
        """
        right = count = 0
        for images, labels in data:
            logits = model(images)
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.zero_grad()  # before they are used
            optimizer.step()
        return right / count
        """,
        """
        right = count = 0
        for images, labels in data:
            logits = model(images)
            right += (logits.argmax(dim=0) == 0).sum().item()  # the wrong axis
            count += len(labels)
            optimizer.zero_grad()
            F.cross_entropy(logits, labels).backward()
            optimizer.step()
        return right / count
        """,
    ],
    5: [
        "return images.roll(pixels, dims=3)  # what leaves comes in again",
        "return images.roll(pixels, dims=2)",
        """
        if pixels < 0:  # never to the left
            return images
        out = torch.zeros_like(images)
        out[..., pixels:] = images[..., : images.shape[-1] - pixels]
        return out
        """,
        """
        out = images.roll(pixels, dims=3)
        out[..., :pixels] = 0  # all of it, if pixels is negative or zero
        return out
        """,
        """
        width = images.shape[-1]
        return F.pad(images, (0, pixels))[..., pixels : width + pixels]  # to the left
        """,
        """
        width = images.shape[-1]
        old = images.clone()
        images.zero_()  # in place
        for column in range(width):
            if 0 <= column + pixels < width:
                images[..., column + pixels] = old[..., column]
        return images
        """,
    ],
    6: [
        """
        model.out = nn.Linear(model.out.in_features, n_classes)
        model.requires_grad_(False)  # the new layer as well
        return model, torch.optim.AdamW(model.out.parameters(), lr=lr)
        """,
        """
        model.out = nn.Linear(model.out.in_features, n_classes)  # nothing is frozen
        return model, torch.optim.AdamW(model.parameters(), lr=lr)
        """,
        """
        model.requires_grad_(False)
        optimizer = torch.optim.AdamW(model.out.parameters(), lr=lr)  # of the old one
        model.out = nn.Linear(model.out.in_features, n_classes)
        return model, optimizer
        """,
        """
        model.requires_grad_(False)
        model.out.requires_grad_(True)  # no new layer
        return model, torch.optim.AdamW(model.out.parameters(), lr=lr)
        """,
        """
        model.requires_grad_(False)
        model.out = nn.Linear(model.out.in_features, n_classes)
        return model, torch.optim.AdamW(model.out.parameters())  # its own rate
        """,
        """
        model.first.requires_grad_(False)  # and the second?
        model.out = nn.Linear(model.out.in_features, n_classes)
        return model, torch.optim.AdamW(model.out.parameters(), lr=lr)
        """,
    ],
}

RIGHT = {
    1: [
        """
        h, w = kernel.shape
        windows = image.unfold(0, h, 1).unfold(1, w, 1)
        return (windows * kernel).sum(dim=(-2, -1))
        """,
        """
        h, w = kernel.shape
        rows, columns = image.shape[0] - h + 1, image.shape[1] - w + 1
        return sum(
            kernel[i, j] * image[i : i + rows, j : j + columns]
            for i in range(h)
            for j in range(w)
        )
        """,
        """
        h, w = kernel.shape
        return torch.tensor(
            [
                [
                    float(torch.dot(image[r : r + h, c : c + w].flatten(),
                                    kernel.flatten()))
                    for c in range(image.shape[1] - w + 1)
                ]
                for r in range(image.shape[0] - h + 1)
            ]
        )
        """,
    ],
    2: [
        "return math.floor((size + 2 * padding - kernel) / stride) + 1",
        "return len(range(0, size + 2 * padding - kernel + 1, stride))",
        "return (size + 2 * padding - kernel + stride) // stride",
        """
        at, count = -padding, 0
        while at + kernel <= size + padding:
            at, count = at + stride, count + 1
        return count
        """,
    ],
    3: [
        """
        x = images
        for layer in (self.first, self.second):
            x = F.max_pool2d(F.relu(layer(x)), kernel_size=2)
        return self.out(torch.flatten(x, start_dim=1))
        """,
        """
        x = F.max_pool2d(self.first(images), 2).relu()  # the order does not matter
        x = F.max_pool2d(self.second(x), 2).relu()
        return self.out(x.reshape(x.shape[0], -1))
        """,
        """
        pool = nn.MaxPool2d(2)
        hidden = pool(torch.relu(self.first(images)))
        hidden = pool(self.second(hidden).clamp(min=0))
        return F.linear(hidden.view(len(images), -1), self.out.weight, self.out.bias)
        """,
    ],
    4: [
        """
        model.train()
        named_right = []
        for images, labels in data:
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            named_right += (logits.max(dim=1).indices == labels).tolist()
        return sum(named_right) / len(named_right)
        """,
        """
        criterion, right = nn.CrossEntropyLoss(), 0
        for images, labels in data:
            with torch.no_grad():
                right += int((model(images).argmax(1) == labels).sum())
            criterion(model(images), labels).backward()
            optimizer.step()
            optimizer.zero_grad()
        return right / sum(len(labels) for _, labels in data)
        """,
        """
        hits, total = torch.zeros(()), 0
        for images, labels in data:
            logits = model(images)
            model.zero_grad()
            F.nll_loss(logits.log_softmax(dim=1), labels).backward()
            optimizer.step()
            hits += logits.argmax(dim=1).eq(labels).sum()
            total += labels.numel()
        return (hits / total).item()
        """,
    ],
    5: [
        """
        width = images.shape[-1]
        if pixels >= 0:
            return F.pad(images, (pixels, 0))[..., :width]
        return F.pad(images, (0, -pixels))[..., -width:]
        """,
        "return F.pad(images, (pixels, -pixels))  # a negative padding cuts off",
        """
        out, width = images.roll(pixels, dims=-1), images.shape[-1]
        if pixels > 0:
            out[..., :pixels] = 0
        elif pixels < 0:
            out[..., width + pixels :] = 0
        return out
        """,
    ],
    6: [
        """
        for parameter in model.parameters():
            parameter.requires_grad = False
        model.out = nn.Linear(16 * 7 * 7, n_classes)
        learning = [p for p in model.parameters() if p.requires_grad]
        return model, torch.optim.AdamW(learning, lr)
        """,
        """
        model.out = nn.Linear(model.out.weight.shape[1], n_classes)
        for layer in (model.first, model.second):
            layer.requires_grad_(False)
        return model, torch.optim.AdamW(model.parameters(), lr=lr)  # skips the frozen
        """,
        """
        fresh = SmallCNN(n_classes)
        fresh.first, fresh.second = model.first, model.second
        for name, parameter in fresh.named_parameters():
            parameter.requires_grad_(name.startswith("out."))
        return fresh, torch.optim.AdamW([fresh.out.weight, fresh.out.bias], lr=lr)
        """,
    ],
}
