"""A trained model as services run it: ONNX graphs, tables and a manifest in one folder."""

from headrace.bundle.bundle import Bundle
from headrace.bundle.content import ItemContent
from headrace.bundle.manifest import Manifest

__all__ = ["Bundle", "ItemContent", "Manifest"]
