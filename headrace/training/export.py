"""From torch to ONNX, checked: the exported graph must give torch's numbers."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch.export import Dim

from headrace.bundle.graph import Graph
from headrace.bundle.manifest import GraphEntry, Shape
from headrace.bundle.writer import Exported
from headrace.errors import BundleInvalid
from headrace.training.graphs import GraphSpec

# Float32 sums in another order differ by less; a wrong graph by far more.
TOLERANCE = 1e-4


def export_graphs(specs: Mapping[str, GraphSpec]) -> dict[str, Exported]:
    """Export each module and run it in ONNX Runtime on its example inputs.

    Raises:
        BundleInvalid: a graph differs from torch by more than `TOLERANCE`.
    """
    exported = {}
    for name, spec in specs.items():
        spec.module.eval()
        graph = Exported(_to_onnx(spec), GraphEntry(spec.inputs, spec.outputs))
        _compare(name, spec, graph)
        exported[name] = graph
    return exported


def _to_onnx(spec: GraphSpec) -> bytes:
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            spec.module,
            spec.examples,
            dynamo=True,
            input_names=list(spec.inputs),
            output_names=list(spec.outputs),
            dynamic_shapes=tuple(_varying(shape) for shape in spec.inputs.values()),
            verbose=False,
        )
    assert program is not None
    content: bytes = program.model_proto.SerializeToString()
    return content


def _varying(shape: Shape) -> dict[int, object]:
    return {axis: Dim.DYNAMIC for axis, size in enumerate(shape) if isinstance(size, str)}


def _compare(name: str, spec: GraphSpec, exported: Exported) -> None:
    with torch.no_grad():
        expected = spec.module(*spec.examples)
    graph = Graph(name, exported.content, exported.entry, threads=1)
    actual = graph.run(*(example.numpy() for example in spec.examples))
    for output, ours, theirs in zip(spec.outputs, expected, actual, strict=True):
        worst = float(np.abs(ours.numpy() - theirs).max())
        if not worst <= TOLERANCE:
            raise BundleInvalid(f"{name}: {output} differs from torch by {worst:.2g} after export")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter prints its progress and warns of its own insides; errors still raise."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)
