"""All that is learned, by name: as a bundle keeps it, and as a warm start finds it again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headrace.models.ncf import NcfHead
from headrace.models.rating import Taste
from headrace.training.towers import Towers


def tensors_of(towers: Towers, taste: Taste | None, head: NcfHead) -> dict[str, Tensor]:
    """The very tensors, without gradients: whoever writes into them changes the model."""
    modules = {"towers": towers, "taste": taste, "head": head}
    return {
        f"{part}.{name}": tensor
        for part, module in modules.items()
        if module is not None
        for name, tensor in module.state_dict().items()
    }


def arrays_of(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    """As a file keeps them."""
    return {name: tensor.numpy().astype(np.float32) for name, tensor in tensors.items()}
