"""A convolution by hand, as a loop over the places of its output.

Axes: `B` images, `C` channels in, `O` channels out, `H` and `W` height and width of the
image, `K` and `L` those of the kernel.
"""

import torch.nn.functional as F
from torch import Tensor


# --8<-- [start:output-size]
def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    """Height or width after a convolution; for pooling, `stride` is `kernel`.

    Raises ValueError if the kernel does not fit into the padded image.
    """
    reach = dilation * (kernel - 1) + 1  # pixels from its first weight to its last
    room = size + 2 * padding - reach
    if room < 0:
        raise ValueError(
            f"a kernel that reaches over {reach} pixels does not fit into"
            f" {size + 2 * padding} (size={size}, padding={padding})"
        )
    return room // stride + 1


# --8<-- [end:output-size]


# --8<-- [start:conv2d]
def conv2d(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Tensor:
    """Images (B, C, H, W), weight (O, C, K, L) and bias (O,) to (B, O, H', W').

    Raises ValueError if the channels differ, or the kernel does not fit.
    """
    B, C, H, W = images.shape
    O, channels, K, L = weight.shape  # noqa: E741
    if channels != C:
        raise ValueError(f"images have {C} channels, and the kernel {channels}")
    rows = output_size(H, K, stride, padding, dilation)
    columns = output_size(W, L, stride, padding, dilation)
    padded = F.pad(images, (padding, padding, padding, padding))
    output = images.new_empty(B, O, rows, columns)
    for row in range(rows):
        for column in range(columns):
            window = padded[:, :, row * stride :, column * stride :]
            window = window[:, :, ::dilation, ::dilation][:, :, :K, :L]  # (B, C, K, L)
            products = window[:, None] * weight  # (B, O, C, K, L)
            output[:, :, row, column] = products.sum(dim=(2, 3, 4))
    return output if bias is None else output + bias[:, None, None]


# --8<-- [end:conv2d]
