"""The catalogue's vectors while the towers learn: ids anew in each step, content by turns."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from headrace.models.item_cnn import ItemInputs, ItemTower
from headrace.training.settings import TrainingSettings

# A third as dear as the rest of a step on 3,416 items: `python -m bench.pictures`.
_PICTURES_A_STEP = 128


class LearningCatalogue:
    """Item vectors with gradients.

    The convolutions over a whole catalogue in each step would cost more than the rest, so they
    run for a random share of the items; the others keep what was last made of them: of the texts
    `made` [N,D], of the pictures `seen` [N,F], which is projected anew in each step.
    """

    def __init__(self, tower: ItemTower, inputs: ItemInputs, settings: TrainingSettings) -> None:
        self._tower = tower
        # Pixels of a whole catalogue are not copied in each step: few of them are looked at.
        self._pictures = inputs.picture
        self._inputs = dataclasses.replace(inputs, picture=None)
        self._settings = settings
        rows = torch.arange(len(inputs.id_row), device=inputs.id_row.device)
        parts = torch.split(rows, 1024)
        with torch.no_grad():
            self.made = torch.cat([tower.cnn.convolved(inputs.tokens[part]) for part in parts])
            self.seen: Tensor | None = None
            if self._pictures is not None and tower.cnn.picture is not None:
                looked_at = [tower.cnn.picture.seen(self._pictures[part]) for part in parts]
                self.seen = torch.cat(looked_at)

    def vectors(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Shapes: columns [M] in the catalogue -> vectors [M,D], biases [M]."""
        # As many each time: a GPU prepares its convolutions for a shape.
        fresh = math.ceil(self._settings.content_refresh * len(columns))
        fresh_rows = torch.randperm(len(columns))[:fresh].to(columns.device)
        inputs = self._inputs.take(columns)
        made = self._tower.cnn.convolved(inputs.tokens[fresh_rows]).float()
        convolved = self.made[columns].index_copy(0, fresh_rows, made)
        self.made[columns[fresh_rows]] = made.detach()
        content = self._tower.cnn.join(inputs, convolved, self._looked_at(columns, inputs))
        # The fewer events, the more often an item has to do without its id.
        share = self._settings.id_dropout * self._tower.content_share(inputs.id_row).detach()
        id_row = inputs.id_row.masked_fill(self._some(columns, share), 0)
        return self._tower.join(id_row, content)

    def state(self) -> dict[str, Tensor]:
        """What was made of the items so far."""
        made = {"made": self.made}
        return made if self.seen is None else made | {"seen": self.seen}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.made.copy_(state["made"])
        if self.seen is not None:
            self.seen.copy_(state["seen"])

    def _looked_at(self, columns: Tensor, inputs: ItemInputs) -> Tensor | None:
        """Some pictures anew: [M,F]; None: there are none."""
        cnn = self._tower.cnn.picture
        if self.seen is None or self._pictures is None or cnn is None:
            return None
        assert inputs.has_picture is not None
        shown = torch.nonzero(inputs.has_picture).squeeze(1)
        chosen = torch.randperm(len(shown))[:_PICTURES_A_STEP].to(columns.device)
        rows = shown[chosen]
        seen = cnn.seen(self._pictures[columns[rows]]).float()
        known = self.seen[columns].index_copy(0, rows, seen)
        self.seen[columns[rows]] = seen.detach()
        return known

    @staticmethod
    def _some(columns: Tensor, share: Tensor) -> Tensor:
        """Marks a random share: [M]. Drawn on the CPU, so that every device draws the same."""
        return torch.rand(len(columns)).to(columns.device) < share
