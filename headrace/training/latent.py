"""Where content starts from: words and categories that go together lie near each other."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd
from torch import nn

from headrace.models.item_cnn import ContentCnn, ItemInputs, shared, unit_weights

# Root mean square of the length of an item's content at the start. Of 0.25, 0.5, 1 and 2 the
# best for items held out of training of CiteULike-a.
LENGTH = 0.5


@torch.no_grad()
def start_content(cnn: ContentCnn, inputs: ItemInputs) -> None:
    """Latent semantic analysis (Deerwester et al. 1990) of N items gives words and categories
    their first vectors; a word weighs the log of how rare it is (Spärck Jones 1972).

    From random vectors a word of few items would stay where it happens to be. Without words and
    categories, or with a catalogue too small to tell, nothing is done.
    """
    cnn.word_weight.copy_(torch.from_numpy(_rarity(inputs.tokens.numpy(), len(cnn.word_weight))))
    described = sp.hstack([_words(cnn, inputs), sp.csr_matrix(shared(inputs.categories).numpy())])
    rank = min(cnn.word.embedding_dim, *(size - 1 for size in described.shape))
    if rank < 1 or not described.count_nonzero():
        return
    # Not ARPACK: it starts anew at random where singular values are equal.
    _, _, vectors = randomized_svd(described.tocsr(), rank, random_state=0)
    vectors = np.ascontiguousarray(vectors.T, dtype=np.float32)  # [V+C,rank]
    length = float(np.sqrt(np.square(described @ vectors).sum(axis=1).mean()))
    vectors *= LENGTH / max(length, 1e-6)
    words = cnn.word.num_embeddings
    cnn.word.weight[:, :rank] = torch.from_numpy(vectors[:words])
    cnn.word.weight[0].zero_()
    assert isinstance(cnn.category, nn.Linear)
    cnn.category.weight[:rank] = torch.from_numpy(vectors[words:].T)


def _rarity(tokens: NDArray[np.int64], words: int) -> NDArray[np.float32]:
    """log(N / items with the word), 0 for padding and the unknown. Shapes: tokens [N,T] -> [V]."""
    ordered = np.sort(tokens, axis=1)
    first = np.diff(ordered, axis=1, prepend=-1) != 0
    items = np.bincount(ordered[first], minlength=words)
    weights = np.log((1 + len(tokens)) / (1 + items))
    weights[:2] = 0
    return weights.astype(np.float32)


def _words(cnn: ContentCnn, inputs: ItemInputs) -> sp.csr_matrix:
    """Each item's words as the tower weighs them: [N,V]."""
    weights = unit_weights(cnn.word_weight[inputs.tokens])
    rows, places = torch.nonzero(weights, as_tuple=True)
    entries = (weights[rows, places].numpy(), (rows.numpy(), inputs.tokens[rows, places].numpy()))
    return sp.csr_matrix(entries, shape=(len(weights), len(cnn.word_weight)))
