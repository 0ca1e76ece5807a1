"""Items of which nothing is known but an embedding, on people who each keep to one kind of item."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from headrace.bundle import Bundle, ItemContent
from headrace.errors import InvalidInput
from headrace.training.job import Job
from headrace.training.run import Stages
from headrace.training.settings import TrainingSettings

KINDS, OF_KIND, WIDTH = 3, 12, 5


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trained as a user would, and compared with torch before it is written."""
    folder, random = tmp_path_factory.mktemp("embeddings"), np.random.default_rng(0)
    names = [f"i{kind}-{i}" for kind in range(KINDS) for i in range(OF_KIND)]
    column: list[NDArray[np.float64] | None] = [embedding(n // OF_KIND) for n in range(len(names))]
    column[0] = None  # known, but not by an embedding
    table = {"item_id": names, "embedding": pa.array(column, pa.list_(pa.float64()))}
    pq.write_table(pa.table(table), folder / "items.parquet")
    rows = [
        f"u{user},i{user % KINDS}-{item},{place}"
        for user in range(90)
        for place, item in enumerate(random.permutation(OF_KIND)[:8])
    ]
    (folder / "events.csv").write_text("user_id,item_id,position\n" + "\n".join(rows) + "\n")
    settings = TrainingSettings(width=16, max_epochs=25, learning_rate=1e-2)
    job = Job(folder / "events.csv", folder / "items.parquet", folder / "bundle", 240, "none")
    Stages(job, settings).run()
    return Bundle.load(str(folder / "bundle"))


def embedding(kind: int, seed: int = 0) -> NDArray[np.float64]:
    """Somewhere about the kind's own place, far from 0 and in units of its own."""
    random = np.random.default_rng([kind, seed])
    place: NDArray[np.float64] = 100 + 40 * np.eye(WIDTH)[kind]
    return place + random.normal(size=WIDTH)


def new(kind: int, seed: int = 1) -> ItemContent:
    return ItemContent(f"new-{kind}", embedding=embedding(kind, seed).astype(np.float32))


def test_a_new_item_is_placed_among_items_with_near_embeddings(bundle: Bundle) -> None:
    known = [ItemContent(f"i{kind}-{i}") for kind in range(KINDS) for i in range(1, OF_KIND)]
    (known_vectors, _), (vectors, _) = (
        bundle.items.encode(items) for items in (known, [new(kind) for kind in range(KINDS)])
    )
    unit = known_vectors / np.linalg.norm(known_vectors, axis=1, keepdims=True)
    similarity = (vectors @ unit.T).reshape(KINDS, KINDS, OF_KIND - 1).mean(axis=2)
    assert similarity.argmax(axis=1).tolist() == list(range(KINDS))


def test_who_keeps_to_a_kind_is_offered_its_new_item_first(bundle: Bundle) -> None:
    items = [new(kind) for kind in range(KINDS)]
    vectors, biases = bundle.items.encode(items)
    for kind in range(KINDS):
        touched, _ = bundle.items.encode([ItemContent(f"i{kind}-{i}") for i in range(1, 6)])
        _, person = bundle.user.sequence(
            bundle.user.initial_state(1), touched[None], np.full((1, 5), 2), np.zeros((1, 5)), [5]
        )
        assert int(np.argmax(vectors @ person[0] + biases)) == kind


def test_the_bundle_tells_and_demands_its_width(bundle: Bundle) -> None:
    assert bundle.items.embedding_width == WIDTH
    odd = ItemContent("odd", embedding=np.zeros(WIDTH + 1, dtype=np.float32))
    with pytest.raises(InvalidInput, match="embedding: item 'odd' has 6 numbers"):
        bundle.items.encode([odd])


def test_without_an_embedding_an_item_has_a_vector_all_the_same(bundle: Bundle) -> None:
    vectors, _ = bundle.items.encode([ItemContent("nothing"), new(0)])
    assert np.isfinite(vectors).all()
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
