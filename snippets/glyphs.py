"""Printed characters, drawn in many fonts: larger images than the handwritten digits.

The fonts come with matplotlib: DejaVu, STIX and Computer Modern. A seed gives the same
images again; another version of Pillow may draw some pixels differently.
"""

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor

from snippets.digits import Digits

STYLES = ("", "-Bold", "-Oblique", "-BoldOblique")
SERIF = ("", "-Bold", "-Italic", "-BoldItalic")
TRAIN_FONTS = (
    *(f"DejaVuSans{style}" for style in STYLES),
    *(f"DejaVuSansMono{style}" for style in STYLES),
    *(f"DejaVuSerif{style}" for style in SERIF),
    *("cmb10", "cmr10", "cmss10", "cmti10"),
)
STIX = ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta")
VALIDATION_FONTS = (*STIX, "cmtt10")

SIDE = 28  # pixels of an image
DRAWN = 2 * SIDE  # pixels of the drawing that it is made from
BOLDER = ImageFilter.MaxFilter(3)


def draw_character(character: str, font: str) -> list[Image.Image]:
    """A character in the middle of a square, with its own strokes and with bolder ones.

    Raises ValueError for a font that matplotlib does not ship or that draws nothing.
    """
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    if not path.is_file():
        raise ValueError(f"font {font!r}: there is no {path}")
    basic = ImageFont.Layout.BASIC
    loaded = ImageFont.truetype(path, round(0.9 * DRAWN), layout_engine=basic)
    left, top, right, bottom = loaded.getbbox(character)
    if right <= left or bottom <= top:
        raise ValueError(f"font {font!r} draws nothing for {character!r}")
    image = Image.new("L", (DRAWN, DRAWN))
    corner = ((DRAWN - left - right) / 2, (DRAWN - top - bottom) / 2)
    ImageDraw.Draw(image).text(corner, character, fill=255, font=loaded)
    return [image, image.filter(BOLDER)]


def placed(image: Image.Image, turn: float, size: float, x: float, y: float) -> Tensor:
    """Turn (degrees), scale and move (pixels) a drawing: (28, 28), bytes."""
    step = DRAWN / SIDE / size  # pixels of the drawing for one of the result
    cos, sin = (step * f(math.radians(turn)) for f in (math.cos, math.sin))
    to_x, to_y = SIDE / 2 + x, SIDE / 2 + y  # where its middle goes
    row_x = (cos, -sin, DRAWN / 2 - cos * to_x + sin * to_y)
    row_y = (sin, cos, DRAWN / 2 - sin * to_x - cos * to_y)
    affine, bilinear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    small = image.transform((SIDE, SIDE), affine, (*row_x, *row_y), bilinear)
    return torch.from_numpy(np.array(small))


def glyphs(
    fonts: tuple[str, ...] = TRAIN_FONTS,
    copies: int = 20,
    seed: int = 0,
    characters: str = "0123456789",
) -> Digits:
    """Each character in each font, `copies` times, each time placed a bit differently.

    Returns images (N, 1, 28, 28), 0 is paper and 1 is ink, and labels (N,), positions
    in `characters`. They are turned by up to 10 degrees, scaled by 0.85 to 1.15, moved
    by up to 2 pixels, about half of them bolder, and all noisy. Raises ValueError for
    an unknown font, a character that draws nothing, and if there is nothing to draw.
    """
    if not fonts or not characters or copies < 1:
        raise ValueError(f"nothing to draw: {fonts=}, {copies=}, {characters=}")
    drawn = [draw_character(c, font) for font in fonts for c in characters]
    generator = torch.Generator().manual_seed(seed)
    n = len(drawn) * copies
    change = 2 * torch.rand(n, 4, generator=generator) - 1  # -1 to 1
    change *= torch.tensor([10, 0.15, 2, 2])
    stroke = torch.randint(2, (n,), generator=generator).tolist()
    small = [
        placed(drawn[i % len(drawn)][stroke[i]], turn, 1 + grow, x, y)
        for i, (turn, grow, x, y) in enumerate(change.tolist())
    ]
    images = torch.stack(small)[:, None] / 255  # (N, 1, 28, 28)
    noise = 0.05 * torch.randn(images.shape, generator=generator)
    images = (255 * (images + noise).clamp(0, 1)).round() / 255
    return Digits(images, torch.arange(n) % len(characters))


def split_glyphs(seed: int = 0) -> tuple[Digits, Digits]:
    """Digits to train on and to choose by: 3,200 and 1,000, and no font in both."""
    validation = glyphs(VALIDATION_FONTS, copies=20, seed=seed + 1)
    return glyphs(TRAIN_FONTS, copies=20, seed=seed), validation
