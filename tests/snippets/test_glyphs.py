"""Printed characters: their form, seeds, and fonts that keep apart."""

import pytest
import torch

from snippets.glyphs import (
    TRAIN_FONTS,
    VALIDATION_FONTS,
    draw_character,
    glyphs,
    split_glyphs,
)


@pytest.fixture(scope="module")
def split():
    return split_glyphs()


def test_images_are_ink_from_0_to_1(split):
    for (images, labels), n in zip(split, (3200, 1000), strict=True):
        assert images.shape == (n, 1, 28, 28)
        assert images.dtype == torch.float32
        assert (images.min(), images.max()) == (0, 1)
        assert labels.dtype == torch.int64
        assert labels.bincount().tolist() == [n // 10] * 10
    assert torch.equal(split[0].images, (255 * split[0].images).round() / 255)


def test_no_font_is_in_both_parts():
    assert not set(TRAIN_FONTS) & set(VALIDATION_FONTS)
    assert len(set(TRAIN_FONTS)) == len(TRAIN_FONTS) == 16
    assert len(set(VALIDATION_FONTS)) == len(VALIDATION_FONTS) == 5


def test_the_seed_decides():
    fonts = ("DejaVuSans", "cmr10")
    first, again, other = (glyphs(fonts, 2, seed) for seed in (3, 3, 4))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    assert torch.equal(first.labels, other.labels)


def test_copies_differ():
    images = glyphs(("DejaVuSans",), copies=5, characters="A").images
    assert len({image.numpy().tobytes() for image in images}) == 5


def test_ink_leaves_a_border_free(split):
    for images, _ in split:
        ink = images[:, 0] > 0.5
        assert (ink.flatten(1).sum(dim=1) > 10).all()
        border = torch.ones(28, 28, dtype=torch.bool)
        border[1:-1, 1:-1] = False
        assert ink[:, border].any(dim=1).float().mean() < 0.01


def test_labels_are_positions_in_the_characters():
    found = glyphs(("DejaVuSans", "cmr10"), copies=3, characters="XYZ")
    assert found.labels.tolist() == [0, 1, 2] * 6


def test_letters_are_drawn_as_they_look():
    plain = draw_character("I", "DejaVuSans")[0]
    left, top, right, bottom = plain.getbbox()
    assert bottom - top > 3 * (right - left)
    assert abs(left + right - plain.width) <= 2
    assert abs(top + bottom - plain.height) <= 2


def test_a_font_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"font 'Comic': there is no .*Comic\.ttf"):
        glyphs(("Comic",))


def test_a_character_that_draws_nothing_is_refused():
    with pytest.raises(ValueError, match="'cmr10' draws nothing for ' '"):
        glyphs(("cmr10",), characters="A ")


@pytest.mark.parametrize("nothing", [{"copies": 0}, {"fonts": ()}, {"characters": ""}])
def test_nothing_to_draw_is_refused(nothing):
    ((name, value),) = nothing.items()
    with pytest.raises(ValueError, match="nothing to draw: ") as caught:
        glyphs(**nothing)
    assert f"{name}={value!r}" in str(caught.value)
