"""A bundle that a training starts from, instead of from random weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from headrace.bundle import table, vocabulary, weights
from headrace.bundle.storage import BundleFolder
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import Vocabulary
from headrace.errors import BundleInvalid, DataInvalid, FailedPrecondition
from headrace.models.user_rnn import TowerKind
from headrace.training.settings import TrainingSettings

# Weights that are nearly right need smaller steps than random ones.
_LEARNING_RATE_SHARE = 0.5
_BLOCK = "towers.user.blocks."


@dataclass(frozen=True)
class Start:
    """What a bundle learned, and what each row of it stands for.

    `blocks` counts the user tower's; `event_types` is the manifest's.
    """

    model_version: str
    width: int
    tower: TowerKind
    blocks: int
    event_types: Mapping[str, int]
    table: ItemTable
    vocabulary: Vocabulary
    weights: Mapping[str, Tensor]

    @classmethod
    def read(cls, url: str) -> Start:
        """Raises:
        BundleInvalid: the bundle is none, or is damaged.
        FailedPrecondition: it has no weights, since an earlier version of Headrace wrote it.
        """
        folder = BundleFolder(url)
        manifest = folder.manifest
        if weights.FILE not in manifest.files:
            raise FailedPrecondition(
                f"{url}: has no {weights.FILE}, as bundles of earlier versions have none: nothing "
                "can start from it; train a new one"
            )
        tower = next((kind for kind in get_args(TowerKind) if kind == manifest.tower), None)
        if tower is None:
            raise BundleInvalid(f"{url}: its tower is {manifest.tower!r}, which is not known here")
        learned = {
            name: torch.from_numpy(array)
            for name, array in folder.read_arrays(weights.FILE).items()
        }
        numbers = {name[len(_BLOCK) :].split(".")[0] for name in learned if name.startswith(_BLOCK)}
        return cls(
            model_version=manifest.model_version,
            width=manifest.width,
            tower=tower,
            blocks=len(numbers),
            event_types=manifest.event_types,
            table=ItemTable.from_arrays(folder.read_arrays(table.FILE)),
            vocabulary=Vocabulary.from_json(folder.read(vocabulary.FILE)),
            weights=learned,
        )

    def settings(self, base: TrainingSettings) -> TrainingSettings:
        """The same for a model of this shape, in smaller steps."""
        return dataclasses.replace(
            base,
            width=self.width,
            tower=self.tower,
            blocks=self.blocks,
            learning_rate=_LEARNING_RATE_SHARE * base.learning_rate,
        )

    def knows_any(self, item_ids: Sequence[str]) -> bool:
        """Without a single item in common there is nothing to start from."""
        return bool(self.table.rows(item_ids).any())

    def refuse_other_shape(self, settings: TrainingSettings) -> None:
        """Raises: FailedPrecondition where the weights do not fit such a model."""
        for name in ("width", "tower", "blocks"):
            ours, asked = getattr(self, name), getattr(settings, name)
            if ours != asked:
                raise FailedPrecondition(
                    f"{self.model_version} has {name} {ours}, the model to train {asked}: it "
                    "cannot start from there; ask for the same, or train from the beginning"
                )

    def scaled(self, fresh: Vocabulary) -> Vocabulary:
        """The same vocabulary with numbers and embeddings scaled as this bundle scales them:
        with another scale, its weights would mean something else.

        Raises: DataInvalid where embeddings have another width.
        """
        before = self.vocabulary
        if before.embedding and fresh.embedding and before.embedding_width != fresh.embedding_width:
            raise DataInvalid(
                f"items have embeddings of {fresh.embedding_width} numbers, "
                f"{self.model_version} takes {before.embedding_width}: it cannot be started from; "
                "train from the beginning"
            )
        attributes = {
            name: before.attributes.get(name, counted) for name, counted in fresh.attributes.items()
        }
        embedding = before.embedding if fresh.embedding and before.embedding else fresh.embedding
        return dataclasses.replace(fresh, attributes=attributes, embedding=embedding)
