"""From a picture's file to the pixels that a tower reads."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headrace.pictures.pixels import SHAPE, SIDE, Pixels, stacked
from headrace.pictures.reading import MAX_BYTES, Flaw, read_picture, reduced
from tests.pictures import BLUE, RED, bomb, drawn, encoded

AROUND = (124, 116, 104)


def read(content: bytes) -> Pixels:
    pixels = reduced(content)
    assert not isinstance(pixels, Flaw), pixels
    assert pixels.shape == SHAPE
    assert pixels.dtype == np.uint8
    return pixels


def plain(size: tuple[int, int], colour: tuple[int, ...] = RED, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_format_gives_nearly_the_same_pixels(form: str) -> None:
    image = drawn(RED, "disc").resize((960, 720))
    expected = read(encoded(image, "PNG")).astype(int)
    assert np.abs(read(encoded(image, form)) - expected).mean() < 4


def test_a_wide_picture_keeps_its_form_between_two_bands() -> None:
    pixels = read(encoded(plain((400, 200))))
    assert (pixels[:8] == AROUND).all()
    assert (pixels[-8:] == AROUND).all()
    assert (pixels[8:24] == RED).all()


def test_a_picture_of_a_pixel_fills_the_whole() -> None:
    assert (read(encoded(plain((1, 1)))) == RED).all()


def test_of_a_line_there_is_a_line() -> None:
    pixels = read(encoded(plain((5_000, 1))))
    assert (pixels != AROUND).any(axis=2).sum() == SIDE


def test_what_is_transparent_lies_on_white() -> None:
    image = plain((32, 32), (0, 0, 0, 0), "RGBA")
    image.paste((*BLUE, 255), (0, 0, 16, 32))
    for content in (encoded(image), encoded(image, "WEBP", lossless=True)):
        pixels = read(content)
        assert (pixels[:, 24:] == 255).all()
        assert np.abs(pixels[:, :8] - np.array(BLUE)).max() <= 2


def test_exif_turns_a_picture() -> None:
    image = plain((64, 64))
    image.paste(BLUE, (0, 0, 64, 32))  # blue above
    turned = Image.Exif()
    turned[0x0112] = 3  # by half a turn
    pixels = read(encoded(image, "PNG", exif=turned))
    assert (pixels[-8:] == BLUE).all()


def test_of_a_picture_that_moves_the_first_frame_counts() -> None:
    frames = [plain((32, 32), colour) for colour in (BLUE, RED)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.abs(read(content) - np.array(BLUE)).max() <= 8


def test_grey_and_paletted_pictures_have_three_colours() -> None:
    assert (read(encoded(Image.new("L", (32, 32), 77))) == 77).all()
    assert (read(encoded(plain((32, 32)).quantize(4))) == RED).all()
    assert np.abs(read(encoded(plain((32, 32)).convert("CMYK"), "JPEG")) - np.array(RED)).max() < 9


def test_what_cannot_be_read_says_why() -> None:
    jpeg = encoded(drawn(RED, "cross").resize((600, 400)), "JPEG")
    assert reduced(jpeg[: len(jpeg) // 2]) is Flaw.BROKEN
    assert reduced(encoded(plain((32, 32)))[:60]) is Flaw.BROKEN
    assert reduced(encoded(plain((32, 32)), "BMP")) is Flaw.OTHER_FORMAT
    assert reduced(b"<html>not found</html>") is Flaw.OTHER_FORMAT
    assert reduced(b"") is Flaw.OTHER_FORMAT
    assert reduced(bomb()) is Flaw.TOO_LARGE
    assert reduced(encoded(Image.new("L", (5_001, 5_000)))) is Flaw.TOO_LARGE
    assert reduced(bytes(MAX_BYTES + 1)) is Flaw.TOO_LARGE


def test_a_file_is_read_as_its_content_is(tmp_path: Path) -> None:
    content = encoded(drawn(BLUE, "disc"))
    (tmp_path / "a.png").write_bytes(content)
    assert np.array_equal(read_picture(tmp_path / "a.png"), read(content))
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert read_picture(tmp_path / "huge") is Flaw.TOO_LARGE
    for nothing in (tmp_path / "b.png", tmp_path, tmp_path / "\x00", tmp_path / ("x" * 300)):
        assert read_picture(nothing) is Flaw.MISSING


def test_pictures_are_stacked_with_a_mark_for_each() -> None:
    picture = read(encoded(plain((9, 9))))
    pixels, given = stacked([None, picture])
    assert given.tolist() == [0.0, 1.0]
    assert not pixels[0].any()
    assert np.array_equal(pixels[1], picture)
