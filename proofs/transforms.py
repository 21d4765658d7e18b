"""The transforms of day 5 against torchvision's."""

import torch
import torchvision.transforms.v2.functional as VF
from PIL import Image
from torchvision.transforms import InterpolationMode, v2

from proofs import Pairs, proof
from snippets.transforms import (
    channel_statistics,
    draw_crop,
    pil_to_tensor,
    resize_image,
    rotate_image,
    standardise,
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
    ours="snippets.transforms.standardise",
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
        yield standardise(to_unit(ours), mean, std), pipeline(picture)


@proof(
    "Mean and spread of channels",
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


@proof(
    "Resizing",
    ours="snippets.transforms.resize_image",
    theirs="torchvision.transforms.v2.functional.resize",
    page=PAGE,
    bound=1e-5,
)
def resizing() -> Pairs:
    """Smaller, larger, and one side each way; with antialias, as is the default."""
    torch.manual_seed(0)
    image = torch.rand(3, 20, 13)
    for height, width in ((7, 5), (41, 30), (9, 30), (20, 13), (1, 1)):
        yield resize_image(image, height, width), VF.resize(image, [height, width])


@proof(
    "Rotation",
    ours="snippets.transforms.rotate_image",
    theirs="torchvision.transforms.v2.functional.rotate",
    page=PAGE,
    bound=1e-4,
)
def rotation() -> Pairs:
    """Several angles, of images with odd and even sides."""
    torch.manual_seed(0)
    for shape in ((1, 8, 8), (3, 9, 14)):
        image = torch.rand(shape)
        for angle in (0.0, 10.0, 90.0, -33.3, 180.0):
            theirs = VF.rotate(image, angle, InterpolationMode.BILINEAR)
            yield rotate_image(image, angle), theirs


@proof(
    "A random crop",
    ours="snippets.transforms.draw_crop",
    theirs="torchvision.transforms.v2.RandomResizedCrop",
    page=PAGE,
    bound=0,
)
def crop() -> Pairs:
    """The same box from the same seed, also where none fits into a long image."""
    transform = v2.RandomResizedCrop(8)
    for seed in range(100):
        for height, width in ((40, 60), (4, 200), (200, 4)):
            torch.manual_seed(seed)
            ours = draw_crop(height, width)
            torch.manual_seed(seed)
            box = transform.make_params([torch.zeros(1, height, width)])
            yield ours, (box["top"], box["left"], box["height"], box["width"])
