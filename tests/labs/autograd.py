"""Wrong solutions of the lab that run: each must fail the check of its task."""

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
