"""Which records of `item-vectors` are taken."""

import numpy as np
import pytest

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.vectors.v1 import vectors_pb2
from headrace.errors import MalformedRecord
from headrace.index.encoding import to_bytes
from headrace.runtime.kafka_records import Record
from services.user_embedding.item_client import item_vector_decoder

WIDTH = 4


def _record(
    *, model_version: str = "m1", width: int = WIDTH, ordinal: int = 7, first: float = 0.5
) -> Record:
    vector = np.array([first, 0, 0, 0], dtype=np.float32)
    message = vectors_pb2.ItemVector(
        model_version=model_version,
        change=catalogue_pb2.ItemChange(ordinal=ordinal, revision=1),
        vector=to_bytes(vector),
        width=width,
    )
    return Record("item-vectors.m1", 0, 0, 0, b"i", message.SerializeToString(), [])


def test_a_vector_of_this_model_is_taken() -> None:
    assert item_vector_decoder("m1", WIDTH)(_record()).change.ordinal == 7


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_record(model_version="m2"), "other_model_version"),
        (_record(width=3), "wrong_width"),
        (_record(ordinal=0), "invalid_ordinal"),
        (_record(ordinal=2**32 - 1), "invalid_ordinal"),
        (_record(first=float("nan")), "invalid_vector"),
        (_record(first=float("inf")), "invalid_vector"),
    ],
)
def test_what_would_spoil_states_is_refused(record: Record, reason: str) -> None:
    with pytest.raises(MalformedRecord) as caught:
        item_vector_decoder("m1", WIDTH)(record)
    assert caught.value.reason == reason
