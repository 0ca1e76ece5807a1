"""What is left of a picture: S x S pixels of red, green and blue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# At 32 x 32 in colour people still tell what a picture shows (Torralba, Fergus and Freeman, 80
# Million Tiny Images, 2008).
SIDE = 32
SHAPE = (SIDE, SIDE, 3)
BYTES = SIDE * SIDE * 3
# Mean and standard deviation of ImageNet's pixels, of 1, as torchvision's models take them.
MEAN, SCALE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Pixels = NDArray[np.uint8]
"""[S,S,3]"""


def stacked(pictures: Sequence[Pixels | None]) -> tuple[Pixels, NDArray[np.float32]]:
    """Shapes: N pictures -> pixels [N,S,S,3], zeros where there is none, and [N], 1 where there
    is one."""
    pixels = np.zeros((len(pictures), *SHAPE), dtype=np.uint8)
    given = np.zeros(len(pictures), dtype=np.float32)
    for row, picture in enumerate(pictures):
        if picture is not None:
            pixels[row], given[row] = picture, 1.0
    return pixels, given
