"""Loading a bundle: all of it, or the parts that a process needs."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Literal

from headrace.bundle import known, table, vocabulary
from headrace.bundle.features import FEATURES
from headrace.bundle.graph import Graph
from headrace.bundle.items import ItemEncoder
from headrace.bundle.known import KnownItems, Neighbours
from headrace.bundle.manifest import FILE, Manifest
from headrace.bundle.ranker import Ranker
from headrace.bundle.storage import BundleFolder
from headrace.bundle.table import ItemTable
from headrace.bundle.user import UserEncoder
from headrace.errors import BundleInvalid, FailedPrecondition
from headrace.pictures.pixels import SHAPE

Part = Literal["user", "item", "ranker"]
ALL_PARTS: tuple[Part, ...] = ("user", "item", "ranker")
GRAPHS: dict[Part, tuple[str, ...]] = {
    "user": ("user_step.onnx", "user_sequence.onnx"),
    "item": ("item_encoder.onnx",),
    "ranker": ("ncf.onnx",),
}


class Bundle:
    """A model at work. Make one with `Bundle.load`; it is read-only and safe to share."""

    def __init__(
        self,
        manifest: Manifest,
        graphs: dict[str, Graph],
        items: ItemEncoder | None,
        known_items: KnownItems | None,
    ) -> None:
        self.manifest = manifest
        self._graphs = graphs
        self._items = items
        self._known = known_items

    @classmethod
    def load(cls, url: str, parts: Collection[Part] = ALL_PARTS, *, threads: int = 1) -> Bundle:
        """Read the bundle at `url`, a folder or anything that fsspec knows, and check it.

        Every file that the parts need is compared with its sha256, every graph with the shapes
        in the manifest. `threads` is what one run of a graph may use.

        Raises:
            BundleInvalid: a file is missing or disagrees with the manifest; says which and how.
        """
        folder = BundleFolder(url)
        manifest = folder.manifest
        if manifest.features != FEATURES:
            raise BundleInvalid(
                f"{url}: {FILE}: features are {', '.join(manifest.features)}; "
                f"this release computes {', '.join(FEATURES)}"
            )
        _check_graphs(manifest)
        graphs = {
            name: Graph(name, folder.read(name), manifest.graphs[name], threads)
            for part in parts
            for name in GRAPHS[part]
        }
        items = known_items = None
        if "item" in parts or "ranker" in parts:
            ids = _table(folder)
            items = _items(folder, ids, graphs.get("item_encoder.onnx"))
            if "ranker" in parts:
                arrays = folder.read_arrays(known.FILE)
                known_items = KnownItems(ids, Neighbours.from_arrays(arrays, len(ids.ids)))
        return cls(manifest, graphs, items, known_items)

    @property
    def model_version(self) -> str:
        return self.manifest.model_version

    @property
    def width(self) -> int:
        """D, the width of an item's vector."""
        return self.manifest.width

    @property
    def user_width(self) -> int:
        """D + T, the width of a person's vector; the first D numbers are the query."""
        return self.manifest.user_width

    @property
    def state_width(self) -> int:
        """S, the width of a person's recurrent state."""
        return self.manifest.state_width

    @cached_property
    def user(self) -> UserEncoder:
        """Raises: FailedPrecondition if the part `user` was not loaded."""
        return UserEncoder(
            self.manifest, self._graph("user_step.onnx"), self._graph("user_sequence.onnx")
        )

    @property
    def items(self) -> ItemEncoder:
        """Raises: FailedPrecondition if neither `item` nor `ranker` was loaded."""
        if self._items is None:
            raise FailedPrecondition("the bundle was loaded without its parts 'item' and 'ranker'")
        return self._items

    @property
    def known(self) -> KnownItems:
        """Raises: FailedPrecondition if the part `ranker` was not loaded."""
        if self._known is None:
            raise FailedPrecondition("the bundle was loaded without its part 'ranker'")
        return self._known

    @cached_property
    def ranker(self) -> Ranker:
        """Raises: FailedPrecondition if the part `ranker` was not loaded."""
        return Ranker(self.manifest, self._graph("ncf.onnx"))

    def _graph(self, name: str) -> Graph:
        try:
            return self._graphs[name]
        except KeyError:
            raise FailedPrecondition(f"the bundle was loaded without the part of {name}") from None


def _table(folder: BundleFolder) -> ItemTable:
    items = ItemTable.from_arrays(folder.read_arrays(table.FILE))
    if len(items.ids) != folder.manifest.items:
        raise BundleInvalid(
            f"{folder.url}: {table.FILE} has {len(items.ids)} items, "
            f"{FILE} says {folder.manifest.items}"
        )
    return items


def _items(folder: BundleFolder, items: ItemTable, graph: Graph | None) -> ItemEncoder:
    words = vocabulary.Vocabulary.from_json(folder.read(vocabulary.FILE))
    inputs = folder.manifest.graphs["item_encoder.onnx"].inputs
    for name, width in (
        ("categories", words.category_count),
        ("numeric", words.attribute_count),
        ("embedding", words.embedding_inputs),
    ):
        if inputs.get(name, (0,))[-1] != width:
            raise BundleInvalid(
                f"{folder.url}: {vocabulary.FILE} gives {width} {name}, "
                f"item_encoder.onnx takes {inputs.get(name, (0,))[-1]}"
            )
    shape = inputs.get("picture", ("N", *SHAPE))
    if shape[1:] != SHAPE:
        raise BundleInvalid(
            f"{folder.url}: item_encoder.onnx takes pictures of the shape {shape}; this release "
            f"reads {('N', *SHAPE)}"
        )
    return ItemEncoder(folder.manifest, items, words, graph)


def _check_graphs(manifest: Manifest) -> None:
    """The widths that the manifest names must be those of its own graphs."""
    width, state, features = manifest.width, manifest.state_width, len(manifest.features)
    user = manifest.user_width
    expected: dict[str, dict[str, int | None]] = {
        "user_step.onnx": {"state": state, "item": width},
        "user_sequence.onnx": {"state": state, "items": width},
        "item_encoder.onnx": {"categories": None, "numeric": None},
        "ncf.onnx": {"user": user, "candidates": width, "recent": width, "features": features},
    }
    for graph, inputs in expected.items():
        if graph not in manifest.graphs:
            raise BundleInvalid(f"{FILE}: lacks the graph {graph}")
        for name, size in inputs.items():
            shape = manifest.graphs[graph].inputs.get(name)
            if shape is None or (size is not None and shape[-1] != size):
                raise BundleInvalid(
                    f"{FILE}: {graph} takes {name} {shape}; its last axis must be {size}"
                )
    if "0" not in manifest.event_types:
        raise BundleInvalid(f"{FILE}: event_types lacks '0', the trained default")
