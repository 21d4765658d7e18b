"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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

RIGHT = {
    1: [
        "p.sub_(lr * g)",
        "p.add_(g, alpha=-lr)",
        "p.copy_(p - lr * g)",
        "p[:] = p - g.clone().mul_(lr)",
    ],
    2: [
        """
        if "velocity" in state:
            state["velocity"].mul_(momentum).add_(g)
        else:
            state["velocity"] = g.clone()
        p.add_(state["velocity"], alpha=-lr)
        """,
        """
        velocity = state.setdefault("velocity", torch.zeros_like(g))
        velocity *= momentum
        velocity += g
        p.sub_(lr * velocity)
        """,
        """
        state["velocity"] = state.get("velocity", 0.0) * momentum + g
        p.data = p.data - lr * state["velocity"]
        """,
    ],
    3: [
        """
        if not state:
            state.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
        state["t"] += 1
        state["m"].lerp_(g, 1 - beta1)
        state["v"].mul_(beta2).addcmul_(g, g, value=1 - beta2)
        m = state["m"] / (1 - beta1 ** state["t"])
        v = state["v"] / (1 - beta2 ** state["t"])
        p.addcdiv_(m, v.sqrt() + eps, value=-lr)
        """,
        """
        t, m, v = state.get("all", (0, 0.0, 0.0))
        t += 1
        m = m + (1 - beta1) * (g - m)
        v = v + (1 - beta2) * (g.square() - v)
        state["all"] = t, m, v
        rate = lr / (1 - beta1**t)
        p -= rate * m / ((v**0.5) / (1 - beta2**t) ** 0.5 + eps)
        """,
        """
        history = state.setdefault("history", [])
        history.append(g.clone())
        m = v = torch.zeros_like(p)
        for old in history:
            m, v = beta1 * m + (1 - beta1) * old, beta2 * v + (1 - beta2) * old * old
        t = len(history)
        p.sub_(lr * m.div(1 - beta1**t) / (v.div(1 - beta2**t).sqrt() + eps))
        """,
    ],
    4: [
        """
        p.mul_(1 - lr * decay)
        adam(p, g, state, lr=lr)
        """,
        """
        before = p.clone()
        adam(p, g, state, lr)
        p -= lr * decay * before
        """,
        """
        p -= lr * decay * p.clone()
        adam(p, g.clone(), state, lr)
        """,
    ],
    5: [
        """
        groups = {True: [], False: []}
        for p in model.parameters():
            groups[p.ndim > 1].append(p)
        return [
            dict(params=groups[True], weight_decay=decay),
            dict(params=groups[False], weight_decay=0),
        ]
        """,
        """
        every = dict(model.named_parameters())
        small = [name for name, p in every.items() if len(p.shape) < 2]
        large = [p for name, p in every.items() if name not in small]
        return [
            {"weight_decay": decay, "params": large},
            {"weight_decay": 0.0, "params": [every[name] for name in small]},
        ]
        """,
        """
        return [
            {"params": (p for p in model.parameters() if p.dim() >= 2),
             "weight_decay": decay},
            {"params": (p for p in model.parameters() if not p.dim() >= 2),
             "weight_decay": 0.0},
        ]
        """,
    ],
}
