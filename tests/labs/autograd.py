"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

WRONG = {
    1: [
        """
        if operation == "×":
            return [a, b]  # each by itself
        if operation == "^":
            return [b * a ** (b - 1)]
        return [1 - math.tanh(a) ** 2]
        """,
        """
        if operation == "×":
            return [b, a]
        if operation == "^":
            return [b * a**b]  # the exponent is not lowered
        return [1 - math.tanh(a) ** 2]
        """,
        """
        if operation == "×":
            return [b, a]
        if operation == "^":
            return [b * a ** (b - 1)]
        return [1 - a**2]  # of the input, not of the result
        """,
    ],
    2: [
        """
        order = []  # as often as it is used

        def visit(value):
            for source, _ in value.inputs:
                visit(source)
            order.append(value)

        visit(last)
        return order
        """,
        """
        order, waiting = [], [last]  # the users first, then the inputs, turned round
        while waiting:
            value = waiting.pop(0)
            if value not in order:
                order.append(value)
                waiting += [source for source, _ in value.inputs]
        return order[::-1]
        """,
        """
        order, waiting = [], [last]  # from the end to the start
        while waiting:
            value = waiting.pop(0)
            if value in order:
                order.remove(value)
            order.append(value)
            waiting += [source for source, _ in value.inputs]
            if len(order) > 100:
                break
        return order
        """,
    ],
    3: [
        """
        gradients[id(last)] = 1.0  # the last use only
        for value in reversed(order):
            for source, slope in value.inputs:
                gradients[id(source)] = slope * gradients[id(value)]
        for value in order:
            value.grad += gradients[id(value)]
        """,
        """
        gradients[id(last)] = 1.0  # overwrites what was there
        for value in reversed(order):
            for source, slope in value.inputs:
                gradients[id(source)] += slope * gradients[id(value)]
        for value in order:
            value.grad = gradients[id(value)]
        """,
        """
        last.grad += 1.0  # hands on what earlier calls left
        for value in reversed(order):
            for source, slope in value.inputs:
                source.grad += slope * value.grad
        """,
        """
        gradients[id(last)] = 1.0  # from the start to the end
        for value in order:
            for source, slope in value.inputs:
                gradients[id(source)] += slope * gradients[id(value)]
        for value in order:
            value.grad += gradients[id(value)]
        """,
    ],
    4: [
        """
        found = []  # to one side only
        for place, number in enumerate(numbers):
            above = list(numbers)
            above[place] = number + h
            found.append((function(*above) - function(*numbers)) / h)
        return found
        """,
        """
        found = []  # divided by h
        for place, number in enumerate(numbers):
            above, below = list(numbers), list(numbers)
            above[place], below[place] = number + h, number - h
            found.append((function(*above) - function(*below)) / h)
        return found
        """,
        """
        found = []  # earlier numbers stay moved
        for place in range(len(numbers)):
            numbers[place] += h
            above = function(*numbers)
            numbers[place] -= 2 * h
            found.append((above - function(*numbers)) / (2 * h))
        return found
        """,
    ],
    5: [
        """
        current = loss()
        for weight in weights:
            weight.grad = 0.0
        backward(current)
        for weight in weights:
            weight.data -= 0.5 * weight.grad  # a rate of its own
        return current.data
        """,
        """
        current = loss()  # old gradients stay
        backward(current)
        for weight in weights:
            weight.data -= rate * weight.grad
        return current.data
        """,
        """
        current = loss()  # uphill
        for weight in weights:
            weight.grad = 0.0
        backward(current)
        for weight in weights:
            weight.data += rate * weight.grad
        return current.data
        """,
        """
        current = loss()  # reset after the way back
        backward(current)
        for weight in weights:
            weight.grad = 0.0
        for weight in weights:
            weight.data -= rate * weight.grad
        return current.data
        """,
    ],
}

RIGHT = {
    1: [
        """
        if operation == "×":
            return [b, a]
        return [b * a ** (b - 1.0) if operation == "^" else 1 / math.cosh(a) ** 2]
        """,
        """
        made = {"×": lambda: (b, a), "^": lambda: (b * math.pow(a, b - 1),)}
        made["tanh"] = lambda: ((1 - math.tanh(a)) * (1 + math.tanh(a)),)
        return list(made[operation]())
        """,
        """
        match operation:
            case "×":
                return [b, a]
            case "^":
                return [(b * complex(a) ** (b - 1)).real]
            case _:
                return [1 - ((math.exp(2 * a) - 1) / (math.exp(2 * a) + 1)) ** 2]
        """,
    ],
    2: [
        """
        users, found, waiting = {id(last): 0}, [last], [last]
        while waiting:  # how many use each number
            for source, _ in waiting.pop().inputs:
                if id(source) not in users:
                    users[id(source)] = 0
                    found.append(source)
                    waiting.append(source)
                users[id(source)] += 1
        order, free = [], [last]
        while free:  # all users first
            value = free.pop()
            order.append(value)
            for source, _ in value.inputs:
                users[id(source)] -= 1
                if users[id(source)] == 0:
                    free.append(source)
        return order[::-1]
        """,
        """
        order, done, stack = [], set(), [last]
        while stack:
            value = stack[-1]
            missing = [s for s, _ in value.inputs if id(s) not in done]
            if missing:
                stack.extend(missing)
            else:
                stack.pop()
                if id(value) not in done:
                    done.add(id(value))
                    order.append(value)
        return order
        """,
        """
        order, seen = [], {last}
        path = [(last, iter(last.inputs))]
        while path:
            value, rest = path[-1]
            for source, _ in rest:
                if source not in seen:
                    seen.add(source)
                    path.append((source, iter(source.inputs)))
                    break
            else:
                order.append(value)
                path.pop()
        return order
        """,
        """
        from graphlib import TopologicalSorter

        graph, waiting = {}, [last]
        while waiting:
            value = waiting.pop()
            if value not in graph:
                graph[value] = [source for source, _ in value.inputs]
                waiting += graph[value]
        return list(TopologicalSorter(graph).static_order())
        """,
    ],
    3: [
        """
        gradients[id(last)] += 1
        for value in order[::-1]:
            own = gradients[id(value)]
            value.grad = value.grad + own
            for source, slope in value.inputs:
                gradients[id(source)] += own * slope
        """,
        """
        gradients = {id(last): 1.0}
        while order:
            value = order.pop()
            value.grad += gradients.setdefault(id(value), 0.0)
            for source, slope in value.inputs:
                old = gradients.get(id(source), 0.0)
                gradients[id(source)] = old + slope * gradients[id(value)]
        """,
        """
        kept = [value.grad for value in order]
        for value in order:
            value.grad = float(value is last)
        for value in reversed(order):
            for source, slope in value.inputs:
                source.grad += slope * value.grad
        for value, old in zip(order, kept, strict=True):
            value.grad += old
        """,
    ],
    4: [
        """
        def at(place, by):
            return function(*(x + by * (n == place) for n, x in enumerate(numbers)))

        return [(at(n, h) - at(n, -h)) / (2 * h) for n in range(len(numbers))]
        """,
        """
        found = []
        for place, number in enumerate(list(numbers)):
            values = []
            for moved in (number + h, number - h):
                numbers[place] = moved
                values.append(function(*numbers))
            numbers[place] = number
            found.append((values[0] - values[1]) / h / 2)
        return found
        """,
        """
        found = []
        for n in range(len(numbers)):
            before, after = numbers[:n], numbers[n + 1 :]
            above = function(*before, numbers[n] + h, *after)
            below = function(*before, numbers[n] - h, *after)
            found.append(0.5 * (above - below) / h)
        return found
        """,
    ],
    5: [
        """
        for weight in weights:
            weight.grad = 0.0
        current = loss()
        backward(current)
        for weight in weights:
            weight.data = weight.data - rate * weight.grad
        return float(current.data)
        """,
        """
        current = loss()
        before = current.data
        for value in in_order(current):
            value.grad = 0.0
        backward(current)
        for weight in weights:
            weight.data += -rate * weight.grad
        return before
        """,
        """
        old = [weight.grad for weight in weights]
        current = loss()
        backward(current)
        for weight, left in zip(weights, old, strict=True):
            weight.grad -= left
            weight.data -= rate * weight.grad
            weight.grad = 0.0
        return current.data
        """,
    ],
}
