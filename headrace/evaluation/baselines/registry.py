"""The baselines by name. Imports torch; measuring a bundle must not import this."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from headrace.evaluation.baselines.base import Baseline
from headrace.evaluation.baselines.content import ContentBased
from headrace.evaluation.baselines.ease import Ease
from headrace.evaluation.baselines.factors import Pca, Svd
from headrace.evaluation.baselines.implicit_factors import Als, Bpr
from headrace.evaluation.baselines.neighbours import ItemNeighbours, UserNeighbours
from headrace.evaluation.baselines.neural.autoencoders import AutoRec, MultVae
from headrace.evaluation.baselines.neural.deepfm import DeepFm
from headrace.evaluation.baselines.neural.din import Din
from headrace.evaluation.baselines.neural.factors import NeuralFactors
from headrace.evaluation.baselines.neural.learning import Effort
from headrace.evaluation.baselines.neural.sequences import NextItem
from headrace.evaluation.baselines.popularity import MostPopular, RecentlyPopular
from headrace.evaluation.baselines.regression import LogisticRegression
from headrace.evaluation.baselines.tuned import Tuned

Make = Callable[[Effort], Baseline]

MOST_POPULAR = "most popular"

# Cheap ones, whose settings are chosen on validation.
SIMPLE: Mapping[str, Make] = {
    MOST_POPULAR: lambda effort: MostPopular(),
    "recently popular": lambda effort: RecentlyPopular(),
    "content-based": lambda effort: Tuned([ContentBased(last) for last in (5, 20, 1_000)]),
    "user-based CF": lambda effort: Tuned([UserNeighbours(n) for n in (50, 100, 200, 500)]),
    "item-based CF": lambda effort: Tuned([ItemNeighbours(n) for n in (20, 50, 100, 200)]),
    "SVD": lambda effort: Tuned([Svd(n, effort.seed) for n in (16, 32, 64, 128)]),
    "PCA": lambda effort: Tuned([Pca(n, effort.seed) for n in (16, 32, 64, 128)]),
    "ALS": lambda effort: Tuned(
        [Als(n, weight, effort.seed) for n in (32, 128) for weight in (2.0, 10.0)]
    ),
    "BPR": lambda effort: Tuned([Bpr(n, 0.05, effort.seed) for n in (32, 128)]),
    "EASE": lambda effort: Tuned([Ease(penalty) for penalty in (50.0, 200.0, 500.0, 1_000.0)]),
    "logistic regression": lambda effort: LogisticRegression(effort.seed),
}
# By gradient descent, within the time of `effort`.
NEURAL: Mapping[str, Make] = {
    "GMF": lambda effort: NeuralFactors("gmf", effort),
    "MLP": lambda effort: NeuralFactors("mlp", effort),
    "NeuMF": lambda effort: NeuralFactors("neumf", effort),
    "AutoRec": AutoRec,
    "Mult-VAE": MultVae,
    "GRU4Rec": lambda effort: NextItem("gru4rec", effort),
    "SASRec": lambda effort: NextItem("sasrec", effort),
    "DeepFM": DeepFm,
    "DIN": Din,
}
