"""Pictures drawn for tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

Form = Literal["disc", "cross"]
RED, BLUE = (200, 40, 40), (40, 60, 200)


def drawn(colour: tuple[int, int, int], form: Form, seed: int = 0) -> Image.Image:
    """A thing of a colour and a form, somewhere before a noisy wall of any shade."""
    random = np.random.default_rng(seed)
    width, height = 96, 72
    wall = random.uniform(90, 220) + random.normal(0, 8, (height, width, 1))
    image = Image.fromarray(np.repeat(wall.clip(0, 255), 3, axis=2).astype(np.uint8))
    brush, size = ImageDraw.Draw(image), int(random.integers(36, 56))
    x = int(random.integers(0, width - size))
    y = int(random.integers(0, height - size))
    if form == "disc":
        brush.ellipse((x, y, x + size, y + size), fill=colour)
    else:
        third = size // 3
        brush.rectangle((x + third, y, x + 2 * third, y + size), fill=colour)
        brush.rectangle((x, y + third, x + size, y + 2 * third), fill=colour)
    return image


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """A file's content."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of some 100 bytes that says it is 30,000 pixels wide and high."""

    def part(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    parts = part(b"IHDR", header), part(b"IDAT", zlib.compress(bytes(64))), part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
