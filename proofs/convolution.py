"""The convolution of day 6 against PyTorch's."""

import torch
import torch.nn.functional as F

from proofs import Pairs, proof
from snippets.convolution import conv2d, output_size

PAGE = "pytorch/day-6/cnn.md"
SETTINGS = [
    {"stride": stride, "padding": padding, "dilation": dilation}
    for stride in (1, 2, 3)
    for padding in (0, 1, 2)
    for dilation in (1, 2)
]


@proof(
    "Convolution",
    ours="snippets.convolution.conv2d",
    theirs="torch.nn.functional.conv2d",
    page=PAGE,
    bound=1e-12,
)
def convolution() -> Pairs:
    """Outputs and gradients, with every stride, padding and dilation, float64."""
    torch.manual_seed(0)
    images, weight, bias = (
        torch.randn(shape, dtype=torch.float64, requires_grad=True)
        for shape in ((2, 3, 9, 8), (4, 3, 3, 2), (4,))
    )
    for setting in SETTINGS:
        pair = [
            function(images, weight, bias, **setting) for function in (conv2d, F.conv2d)
        ]
        yield pair[0], pair[1]
        gradients = (
            torch.autograd.grad(y.square().sum(), (images, weight, bias)) for y in pair
        )
        yield from zip(*gradients, strict=True)
    yield conv2d(images, weight), F.conv2d(images, weight)


@proof(
    "The shape after a convolution or pooling",
    ours="snippets.convolution.output_size",
    theirs="torch.nn.functional.max_pool2d",
    page=PAGE,
    bound=0,
)
def shapes() -> Pairs:
    """What PyTorch returns for many sizes, kernels and settings."""
    for size in range(7, 13):
        image = torch.zeros(1, 1, size, size)
        for kernel in (1, 2, 3):
            pooled = F.max_pool2d(image, kernel)
            yield output_size(size, kernel, stride=kernel), pooled.shape[-1]
            weight = torch.zeros(1, 1, kernel, kernel)
            for setting in SETTINGS:
                convolved = F.conv2d(image, weight, **setting)
                yield output_size(size, kernel, **setting), convolved.shape[-1]
