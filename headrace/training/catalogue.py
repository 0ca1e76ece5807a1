"""The catalogue's vectors while the towers learn: ids anew in each step, content by turns."""

from __future__ import annotations

import torch
from torch import Tensor

from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.training.settings import TrainingSettings


class LearningCatalogue:
    """Item vectors with gradients.

    The CNN over a whole catalogue in each step would cost more than the rest, so it runs for a
    random share of the items; the others keep what it last made of them: `made` [N,D].
    """

    def __init__(self, tower: ItemTower, inputs: ItemInputs, settings: TrainingSettings) -> None:
        self._tower = tower
        self._inputs = inputs
        self._settings = settings
        with torch.no_grad():
            rows = torch.arange(len(inputs.id_row))
            self.made = torch.cat([tower.content(inputs.take(r)) for r in torch.split(rows, 1024)])

    def vectors(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: columns [M] in the catalogue -> vectors [M,D], biases [M]."""
        fresh = torch.rand(len(columns)) < self._settings.content_refresh
        fresh_rows = torch.nonzero(fresh).squeeze(1)
        made = self._tower.content(self._inputs.take(columns[fresh_rows]))
        content = self.made[columns].index_copy(0, fresh_rows, made)
        self.made[columns[fresh_rows]] = made.detach()
        id_row = self._inputs.id_row[columns]
        if torch.rand(()) < self._settings.id_dropout_batches:
            # Only items whose content has a gradient now: it has to take over.
            share = self._settings.id_dropout_items / self._settings.content_refresh
            dropped = fresh & (torch.rand(len(columns)) < share)
            id_row = id_row.masked_fill(dropped, 0)
        return self._tower.join(id_row, content)
