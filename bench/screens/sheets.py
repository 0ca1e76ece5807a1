"""A page four times on one picture: desktop and phone, light and dark."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

HEIGHT = 720
_WIDTHS = {1280: 640, 390: 260}  # of a window, and of its picture
_GAP = 12
_BETWEEN = (128, 128, 128)
_QUALITY = 62


def shot(png: bytes, window: int, above: float = 0.0) -> Image.Image:
    """A picture of a page, as large as it is on a sheet.

    window: its width. above: pixels to leave out at the top.
    """
    whole = Image.open(io.BytesIO(png)).convert("RGB")
    width = _WIDTHS[window]
    tall = round(HEIGHT * window / width)
    top = min(round(above), max(0, whole.height - tall))
    cut = whole.crop((0, top, window, min(whole.height, top + tall)))
    return cut.resize((width, round(cut.height * width / whole.width)), Image.Resampling.LANCZOS)


def write_sheet(file: Path, shots: Sequence[Image.Image]) -> int:
    """Side by side, as WebP. Returns its size in bytes."""
    width = sum(one.width for one in shots) + _GAP * (len(shots) + 1)
    height = max(one.height for one in shots) + 2 * _GAP
    sheet = Image.new("RGB", (width, height), _BETWEEN)
    left = _GAP
    for one in shots:
        sheet.paste(one, (left, _GAP))
        left += one.width + _GAP
    sheet.save(file, "WEBP", quality=_QUALITY, method=6)
    return file.stat().st_size
