"""Decoding a picture and making it small: the same in training, in commands and in services."""

from __future__ import annotations

import io
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from headrace.pictures.pixels import MEAN, SIDE, Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_BYTES = 20 * 2**20
# What a camera makes. With an alpha channel so many take 100 MB while they are read.
MAX_PIXELS = 25_000_000
# The convolutions see nothing there: it is 0 once it is normalised, as what lies around a picture.
_AROUND = tuple(round(255 * mean) for mean in MEAN)


class Flaw(StrEnum):
    """Why there is no picture where there should be one."""

    MISSING = "missing"
    TOO_LARGE = "too_large"
    OTHER_FORMAT = "other_format"
    BROKEN = "broken"


def read_picture(path: Path) -> Pixels | Flaw:
    """The picture in a file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Flaw.TOO_LARGE
        content = path.read_bytes()
    except (OSError, ValueError):  # a name may hold what no name can
        return Flaw.MISSING
    return reduced(content)


def reduced(content: bytes) -> Pixels | Flaw:
    """The picture in a file's content; of one that moves, the first frame.

    The whole of it, its sides in proportion, as EXIF turns it, on white where it is transparent.
    """
    if len(content) > MAX_BYTES:
        return Flaw.TOO_LARGE
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:  # told by the header
                return Flaw.TOO_LARGE
            return _small(image)
    except Image.DecompressionBombError:
        return Flaw.TOO_LARGE
    except UnidentifiedImageError:
        return Flaw.OTHER_FORMAT
    except Exception:  # decoders raise whatever a broken file makes them come across
        return Flaw.BROKEN


def _small(image: Image.Image) -> Pixels:
    """Letterboxed: of a shoe or a bottle that is cut off nobody knows the form."""
    # A JPEG can be read at an eighth of its sides, in a tenth of the time.
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    plain = upright if upright.mode == mode else upright.convert(mode)
    share = SIDE / max(plain.size)
    width, height = (max(1, round(share * side)) for side in plain.size)
    small = plain.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    if mode == "RGBA":
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small).convert("RGB")
    whole = Image.new("RGB", (SIDE, SIDE), _AROUND)
    whole.paste(small, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.array(whole, dtype=np.uint8)
