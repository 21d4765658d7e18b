"""The transforms of day 5 against torchvision's."""

import torch
from PIL import Image
from torchvision.transforms import v2

from proofs import Pairs, proof
from snippets.transforms import (
    channel_statistics,
    normalize,
    pil_to_tensor,
    to_unit,
)

PAGE = "pytorch/day-5/transforms.md"


def pictures() -> list[Image.Image]:
    """Gray and in colour, of odd sizes, with every byte in them."""
    torch.manual_seed(0)
    gray = torch.arange(256, dtype=torch.uint8).view(16, 16).numpy()
    colour = torch.randint(256, (13, 21, 3), dtype=torch.uint8).numpy()
    return [Image.fromarray(gray), Image.fromarray(colour)]


@proof(
    "From a picture to numbers",
    ours="snippets.transforms.normalize",
    theirs="torchvision.transforms.v2.Normalize",
    page=PAGE,
    bound=1e-6,
)
def numbers() -> Pairs:
    """ToImage, ToDtype and Normalize, each and together."""
    for picture in pictures():
        ours, theirs = pil_to_tensor(picture), v2.functional.to_image(picture)
        yield ours.dtype, theirs.dtype
        yield ours, theirs
        yield to_unit(ours), v2.ToDtype(torch.float32, scale=True)(theirs)
        mean, std = channel_statistics([to_unit(ours)])
        pipeline = v2.Compose(
            [
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(mean.tolist(), std.tolist()),
            ]
        )
        yield normalize(to_unit(ours), mean, std), pipeline(picture)


@proof(
    "Mean and standard deviation of channels",
    ours="snippets.transforms.channel_statistics",
    theirs="torch.std_mean",
    page=PAGE,
    bound=1e-6,
)
def statistics() -> Pairs:
    """Image by image, against all pixels at once; images of two sizes."""
    torch.manual_seed(0)
    images = [torch.rand(3, 5 + i, 9 - i) for i in range(5)]
    pixels = torch.cat([image.flatten(1) for image in images], dim=1).double()
    std, mean = torch.std_mean(pixels, dim=1, correction=0)
    yield torch.stack(channel_statistics(images)), torch.stack([mean, std])
