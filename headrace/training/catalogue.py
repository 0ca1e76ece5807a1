"""The catalogue's vectors while the towers learn: ids anew in each step, content by turns."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.training.settings import TrainingSettings


class LearningCatalogue:
    """Item vectors with gradients.

    The convolutions over a whole catalogue in each step would cost more than the rest, so they
    run for a random share of the items; the others keep what was last made of them: `made` [N,D].
    """

    def __init__(self, tower: ItemTower, inputs: ItemInputs, settings: TrainingSettings) -> None:
        self._tower = tower
        self._inputs = inputs
        self._settings = settings
        with torch.no_grad():
            rows = torch.arange(len(inputs.id_row), device=inputs.id_row.device)
            self.made = torch.cat(
                [tower.cnn.convolved(inputs.tokens[part]) for part in torch.split(rows, 1024)]
            )

    def vectors(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: columns [M] in the catalogue -> vectors [M,D], biases [M]."""
        # As many each time: a GPU prepares its convolutions for a shape.
        fresh = math.ceil(self._settings.content_refresh * len(columns))
        fresh_rows = torch.randperm(len(columns))[:fresh].to(columns.device)
        inputs = self._inputs.take(columns)
        made = self._tower.cnn.convolved(inputs.tokens[fresh_rows]).float()
        convolved = self.made[columns].index_copy(0, fresh_rows, made)
        self.made[columns[fresh_rows]] = made.detach()
        content = self._tower.cnn.join(inputs, convolved)
        # The fewer events, the more often an item has to do without its id.
        share = self._settings.id_dropout * self._tower.content_share(inputs.id_row).detach()
        id_row = inputs.id_row.masked_fill(self._some(columns, share), 0)
        return self._tower.join(id_row, content)

    @staticmethod
    def _some(columns: Tensor, share: Tensor) -> Tensor:
        """Marks a random share: [M]. Drawn on the CPU, so that every device draws the same."""
        return torch.rand(len(columns)).to(columns.device) < share
