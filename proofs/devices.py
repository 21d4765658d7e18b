"""The number formats of day 4 against PyTorch's."""

import torch

from proofs import Pairs, proof
from snippets.devices import to_bfloat16


@proof(
    "Rounding to bfloat16",
    ours="snippets.devices.to_bfloat16",
    theirs="torch.Tensor.bfloat16",
    page="pytorch/day-4/devices.md",
    bound=0,
)
def bfloat16() -> Pairs:
    """Any pattern of 32 bits: infinities, NaN, subnormal numbers and ties too."""
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(-(2**31), 2**31, (100_000,), generator=generator)
    ties = torch.arange(-(2**31), 2**31, 2**17) + 2**15
    for pattern in (bits, ties, ties - 1, ties + 1):
        x = pattern.to(torch.int32).view(torch.float32)
        yield to_bfloat16(x), x.bfloat16()
