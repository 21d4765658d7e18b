"""A `SummaryWriter` that refuses what TensorBoard would draw wrongly."""

# --8<-- [start:imports]
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

# --8<-- [end:imports]


# --8<-- [start:image]
def check_image(image: Tensor) -> None:
    """Raise ValueError for an image that `add_image` would refuse or change.

    An image is (C, H, W) with one, three or four channels: uint8 from 0 to 255, or
    floats from 0 to 1.
    """
    if image.dim() != 3 or image.size(0) not in (1, 3, 4):
        hint = ": are the channels last? permute(2, 0, 1)"
        last = image.dim() == 3 and image.size(2) in (1, 3, 4)
        raise ValueError(
            f"an image is {tuple(image.shape)}, not (C, H, W) with 1, 3 or 4"
            f" channels{hint if last else ''}"
        )
    if image.dtype == torch.uint8:
        return
    if not image.is_floating_point():
        raise ValueError(f"an image of {image.dtype}: make it uint8, or float 0 to 1")
    low, high = image.min().item(), image.max().item()
    if not 0 <= low <= high <= 1:
        raise ValueError(
            f"a float image goes from {low:.3g} to {high:.3g}, not from 0 to 1:"
            " divide by 255, or undo the normalisation"
        )


# --8<-- [end:image]


# --8<-- [start:log]
class RunLog:
    """The log of one run, in a folder of its own.

    Raises FileExistsError for a folder that holds event files already. Close it, or
    use it in a `with` statement: what is in the queue still is lost with the process.
    """

    def __init__(self, folder: str | Path) -> None:
        if any(Path(folder).glob("*tfevents*")):
            raise FileExistsError(
                f"{folder} holds a run: a second one would be drawn as the same line"
            )
        self.writer = SummaryWriter(str(folder))
        self.last: dict[str, int] = {}  # the last step of each scalar
        self.not_finite: dict[str, int] = {}  # the first step that was NaN or infinite

    def scalar(self, tag: str, value: Tensor | float, step: int) -> None:
        """Write one number.

        Raises TypeError for a step that is no whole number, ValueError for a tensor
        of more than one number, and for a step that is not after the last.
        """
        if isinstance(step, bool) or not isinstance(step, int):
            raise TypeError(f"{tag}: the step is {step!r}, not a whole number")
        if step <= self.last.get(tag, -1):
            before = self.last.get(tag, "nothing")
            raise ValueError(f"{tag}: step {step} after {before}: the line turns back")
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(f"{tag}: {tuple(value.shape)} is not one number; a mean?")
        number = value.item() if isinstance(value, Tensor) else float(value)
        if not math.isfinite(number):
            self.not_finite.setdefault(tag, step)
        self.writer.add_scalar(tag, number, step)
        self.last[tag] = step

    def image(self, tag: str, image: Tensor, step: int) -> None:
        """Write an image (C, H, W); raises ValueError as `check_image` does."""
        check_image(image)
        self.writer.add_image(tag, image, step)

    def parameters(self, model: nn.Module, step: int) -> None:
        """A histogram of each parameter, and of its gradient if it has one.

        Raises ValueError for one that holds NaN or infinity: it has no histogram.
        """
        for name, parameter in model.named_parameters():
            for kind, numbers in (("weight", parameter), ("grad", parameter.grad)):
                if numbers is None:
                    continue
                if not numbers.isfinite().all():
                    raise ValueError(f"{kind}/{name} is not finite at step {step}")
                self.writer.add_histogram(f"{kind}/{name}", numbers.detach(), step)

    def close(self) -> None:
        """Write what is still in the queue, and close the file."""
        self.writer.close()

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


# --8<-- [end:log]
