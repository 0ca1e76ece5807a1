from dataclasses import replace

import numpy as np
import pytest

from headrace.bundle.content import ItemContent
from headrace.bundle.table import ItemTable
from headrace.bundle.vocabulary import EmbeddingNormalisation, Normalisation, Vocabulary
from headrace.errors import BundleInvalid, InvalidInput

WORDS = Vocabulary(
    tokens=("toy", "story", "été"),
    categories=("Comedy", "Crime"),
    attributes={"year": Normalisation(2000.0, 10.0)},
    max_tokens=4,
)


def test_titles_come_before_tags_and_what_is_too_long_is_cut() -> None:
    item = ItemContent("1", "Story, TOY!", "été", tags=("été toy",))
    assert WORDS.encode([item]).tokens.tolist() == [[3, 2, 4, 2]]


def test_unknown_words_are_known_to_be_unknown() -> None:
    assert WORDS.encode([ItemContent("1", "toy robot")]).tokens.tolist() == [[2, 1, 0, 0]]


def test_categories_are_multi_hot_and_unknown_ones_say_nothing() -> None:
    item = ItemContent("1", categories=("Crime", "Western"))
    assert WORDS.category_matrix([item]).tolist() == [[0.0, 1.0]]


def test_numbers_are_normalised_bounded_and_may_be_missing() -> None:
    items = [ItemContent(str(y), attributes={"year": float(y)}) for y in (2010, 2000, 9999)]
    assert WORDS.attribute_matrix([*items, ItemContent("none")]).tolist() == [[1], [0], [4], [0]]


def test_embeddings_are_centred_scaled_and_may_be_missing() -> None:
    words = replace(WORDS, embedding=EmbeddingNormalisation((1.0, 2.0), 2.0))
    item = ItemContent("1", embedding=np.array([3.0, 0.0], dtype=np.float32))
    assert words.embedding_matrix([item, ItemContent("2")]).tolist() == [[1, -1, 0], [0, 0, 1]]
    assert WORDS.embedding_matrix([item]).shape == (1, 0)
    assert Vocabulary.from_json(words.to_json()) == words


def test_an_embedding_of_another_width_is_refused_by_name() -> None:
    words = replace(WORDS, embedding=EmbeddingNormalisation((1.0, 2.0), 2.0))
    item = ItemContent("odd", embedding=np.zeros(3, dtype=np.float32))
    with pytest.raises(InvalidInput, match=r"embedding: item 'odd' has 3 numbers; .* takes 2"):
        words.encode([item])


def test_a_vocabulary_survives_being_written_and_read() -> None:
    assert Vocabulary.from_json(WORDS.to_json()) == WORDS
    with pytest.raises(BundleInvalid, match="not a vocabulary"):
        Vocabulary.from_json('{"tokens": []}')


def test_an_id_table_must_pair_ids_with_what_was_counted() -> None:
    ids, counts = np.array(["a", "b"]), np.array([3, 1])
    arrays = {"ids": ids, "counts": counts, "ratings": np.array([0.5, -1.0])}
    table = ItemTable.from_arrays(arrays)
    assert table.rows(["b", "x", "a"]).tolist() == [2, 0, 1]
    assert table.popularity("a") == pytest.approx(np.log(4))
    assert table.rating_offsets.tolist() == [0, 0.5, -1]
    with pytest.raises(BundleInvalid, match="do not pair up"):
        ItemTable.from_arrays(arrays | {"counts": counts[:1]})
    with pytest.raises(BundleInvalid, match="twice"):
        ItemTable.from_arrays(arrays | {"ids": np.array(["a", "a"])})
    with pytest.raises(BundleInvalid, match="must be counts, ids, ratings"):
        ItemTable.from_arrays({"ids": ids})
