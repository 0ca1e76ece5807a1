"""Running one ONNX graph, after checking that it is the one in the manifest."""

from __future__ import annotations

import os

# Else its import alone makes an id of this machine in the home folder, and reports models and their
# times to its maker (since 1.29). It reads the variable when it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from headrace.bundle.manifest import GraphEntry, Shape
from headrace.errors import BundleInvalid

Array = NDArray[np.float32]


class Graph:
    """An ONNX Runtime session on the CPU.

    Raises:
        BundleInvalid: the graph cannot be loaded, or its inputs or outputs are not those of
            `entry`.
    """

    def __init__(self, name: str, content: bytes, entry: GraphEntry, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads would otherwise spin and take the CPU from the process next door.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no other base
            raise BundleInvalid(f"{name}: ONNX Runtime refuses it: {error}") from error
        _compare(name, "input", entry.inputs, self._session.get_inputs())
        _compare(name, "output", entry.outputs, self._session.get_outputs())
        self._inputs = tuple(entry.inputs)

    def run(self, *inputs: NDArray[Any]) -> Sequence[Array]:
        """Inputs and outputs in the manifest's order."""
        outputs: Sequence[Array] = self._session.run(
            None, dict(zip(self._inputs, inputs, strict=True))
        )
        return outputs


def _compare(name: str, side: str, expected: Mapping[str, Shape], nodes: Sequence[Any]) -> None:
    actual = {node.name: tuple(node.shape) for node in nodes}
    if list(actual) != list(expected):
        raise BundleInvalid(
            f"{name}: {side}s are {', '.join(actual)}; the manifest says {', '.join(expected)}"
        )
    for key, shape in expected.items():
        if not _agree(shape, actual[key]):
            raise BundleInvalid(
                f"{name}: {side} {key} has shape {actual[key]}; the manifest says {shape}"
            )


def _agree(expected: Shape, actual: Shape) -> bool:
    """Numbers must be equal; an axis that varies has a letter here and any name in the graph."""
    return len(expected) == len(actual) and all(
        a == e if isinstance(e, int) else not isinstance(a, int)
        for e, a in zip(expected, actual, strict=True)
    )
