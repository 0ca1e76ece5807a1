"""The item tower's branch for pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headrace.pictures.pixels import MEAN, SCALE

# Of the blocks, each of which halves a picture's sides: 32 x 32 ends at 4 x 4.
_CHANNELS = (16, 32, 64)
_GROUP = 8
# So often an item has to do without its picture while training.
PICTURE_DROPOUT = 0.2


class PictureCnn(nn.Module):
    """Strided convolutions, and of what they see the mean and the greatest: how much there is of
    something, and whether it is there at all.

    Groups are normalised, not batches: a picture counts the same in any company, and averaged
    weights have no statistics of their own.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for before, after in zip((3, *_CHANNELS[:-1]), _CHANNELS, strict=True):
            blocks += [
                nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                nn.GroupNorm(after // _GROUP, after),
                nn.ReLU(),
            ]
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Linear(2 * _CHANNELS[-1], width)
        # As small as the rest of the content.
        nn.init.normal_(self.project.weight, std=0.02)
        nn.init.zeros_(self.project.bias)
        self.none = nn.Parameter(torch.zeros(width))
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", 255 * torch.tensor(MEAN), persistent=False)
        self.register_buffer("scale", 255 * torch.tensor(SCALE), persistent=False)

    def seen(self, picture: Tensor) -> Tensor:
        """What costs most. Shapes: picture [N,S,S,3] of 0 to 255 -> [N,F]."""
        normal = (picture.float() - self.mean) / self.scale
        maps = self.blocks(normal.permute(0, 3, 1, 2))  # [N,64,4,4]
        return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)

    def forward(self, seen: Tensor, has_picture: Tensor) -> Tensor:
        """Shapes: seen [N,F], has_picture [N] (1: it has one) -> [N,D]."""
        known = has_picture > 0
        if self.training:
            known = known & (torch.rand_like(has_picture) >= PICTURE_DROPOUT)
        out: Tensor = torch.where(known.unsqueeze(1), self.project(seen), self.none)
        return out
