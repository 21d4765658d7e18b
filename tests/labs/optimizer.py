"""Wrong solutions of the lab that run: each must fail the check of its task."""

WRONG = {
    1: [
        "p = p - lr * g  # a new tensor",
        "p += lr * g  # uphill",
        "p -= g",
    ],
    2: [
        """
        old = state.get("velocity", torch.zeros_like(p))  # a mean
        state["velocity"] = momentum * old + (1 - momentum) * g
        p -= lr * state["velocity"]
        """,
        """
        state["velocity"] = g  # forgets
        p -= lr * g
        """,
        """
        if "velocity" in state:  # the gradient itself becomes the velocity
            g *= 1
            g += momentum * state["velocity"]
        state["velocity"] = g.clone()
        p -= lr * g
        """,
        """
        old = state.get("velocity", torch.zeros_like(p))  # Nesterov's
        state["velocity"] = momentum * old + g
        p -= lr * (g + momentum * state["velocity"])
        """,
    ],
    3: [
        """
        m = state["m"] = beta1 * state.get("m", torch.zeros_like(p)) + (1 - beta1) * g
        v = beta2 * state.get("v", torch.zeros_like(p)) + (1 - beta2) * g**2
        state["v"] = v
        p -= lr * m / (v.sqrt() + eps)  # no correction
        """,
        """
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = beta1 * state.get("m", torch.zeros_like(p)) + (1 - beta1) * g
        v = beta2 * state.get("v", torch.zeros_like(p)) + (1 - beta2) * g**2
        state["v"] = v
        p -= lr * (m / (1 - beta1**t)) / (v / (1 - beta2**t) + eps).sqrt()  # eps inside
        """,
        """
        t = state.get("t", 1)  # never counts
        m = state["m"] = beta1 * state.get("m", torch.zeros_like(p)) + (1 - beta1) * g
        v = beta2 * state.get("v", torch.zeros_like(p)) + (1 - beta2) * g**2
        state["v"] = v
        p -= lr * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
        """,
    ],
    4: [
        "adam(p, g + decay * p, state, lr)  # L2",
        """
        p *= 1 - decay  # without the rate
        adam(p, g, state, lr)
        """,
        """
        adam(p, g, state, lr)  # shrinks what has stepped
        p *= 1 - lr * decay
        """,
    ],
    5: [
        'return [{"params": list(model.parameters()), "weight_decay": decay}]',
        """
        named = dict(model.named_parameters())  # by name: norms have weights too
        weights = [p for name, p in named.items() if "weight" in name]
        others = [p for name, p in named.items() if "weight" not in name]
        return [
            {"params": weights, "weight_decay": decay},
            {"params": others, "weight_decay": 0.0},
        ]
        """,
        """
        matrices = [p for p in model.parameters() if p.dim() >= 2]
        vectors = [p for p in model.parameters() if p.dim() < 2]
        return [
            {"params": matrices, "weight_decay": 0.0},  # the wrong way round
            {"params": vectors, "weight_decay": decay},
        ]
        """,
    ],
}
