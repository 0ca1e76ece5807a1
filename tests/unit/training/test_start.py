"""A warm start: what is known keeps its weights, what is new begins like something unknown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headrace.bundle.content import ItemContent
from headrace.errors import DataInvalid, FailedPrecondition
from headrace.training.budget import Budget
from headrace.training.carry import Carried, carry_over
from headrace.training.compute import Compute
from headrace.training.course import Course
from headrace.training.fit import TowerFit
from headrace.training.log import EventLog
from headrace.training.model import Model, build_model
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.start import Start
from headrace.training.team import Team
from headrace.training.toy import make_toy_bundle, toy_items
from headrace.training.weights import tensors_of
from tests.bundles import toy_bundle  # noqa: F401
from tests.unit.training.logs import log_of

SETTINGS = TrainingSettings(width=16)


@pytest.fixture
def start(toy_bundle: Path) -> Start:  # noqa: F811
    return Start.read(str(toy_bundle))


def log_with(*items: ItemContent) -> EventLog:
    """Everybody takes all of them, in turn from one of them on."""
    count = len(items)
    log = log_of(*([(first + step) % count for step in range(count)] for first in range(count)))
    return replace(log, catalogue=items)


def built(log: EventLog, start: Start | None, settings: TrainingSettings = SETTINGS) -> Model:
    return build_model(log, split(log, "none"), settings, start)


def begun(start: Start, *items: ItemContent) -> tuple[Model, Carried]:
    model = built(log_with(*items), start)
    return model, carry_over(start, model)


def test_what_both_know_keeps_its_weights(start: Start) -> None:
    known = toy_items(60)[7:20]
    model, carried = begun(start, *known)
    tower = model.towers.item
    for row, item in enumerate(model.table.ids.tolist(), start=1):
        old = start.table.rows([item])[0]
        assert torch.equal(tower.ids.weight[row], start.weights["towers.item.ids.weight"][old])
        assert torch.equal(
            tower.biases.weight[row], start.weights["towers.item.biases.weight"][old]
        )
    word = model.vocabulary.tokens.index("comedy") + 2
    old = start.vocabulary.tokens.index("comedy") + 2
    name = "towers.item.cnn.word.weight"
    assert torch.equal(tower.cnn.word.weight[word], start.weights[name][old])
    column = model.vocabulary.categories.index("horror")
    old = start.vocabulary.categories.index("horror")
    name = "towers.item.cnn.category.weight"
    assert torch.equal(tower.cnn.category.weight[:, column], start.weights[name][:, old])
    for name, tensor in tensors_of(model.towers, None, model.head).items():
        if ".user.blocks." in name or name.startswith("head."):
            assert torch.equal(tensor, start.weights[name]), name
    assert (carried.items.carried, carried.items.new, carried.items.gone) == (13, 0, 47)
    assert carried.model_version == start.model_version
    assert not carried.ratings


def test_the_same_model_on_the_same_items_says_the_same(start: Start) -> None:
    model, _ = begun(start, *toy_items(60))
    tower = model.towers.item
    # What is counted in the data, and not learned, differs between the two.
    tower.events.copy_(start.weights["towers.item.events"])
    expected = built(model.log, None).towers.item
    expected.load_state_dict(
        {name.removeprefix("towers.item."): weight for name, weight in start.weights.items()
         if name.startswith("towers.item.")}
    )  # fmt: skip
    tower.cnn.word_weight.copy_(expected.cnn.word_weight)
    rows = torch.from_numpy(start.table.rows([item.item_id for item in model.log.catalogue]))
    again, same = expected.eval()(replace(model.inputs, id_row=rows))
    vectors, biases = tower.eval()(model.inputs)
    assert torch.allclose(vectors, again, atol=1e-6)
    assert torch.allclose(biases, same, atol=1e-6)


def test_a_new_item_is_placed_by_content_and_its_bias_stands_among_the_others(start: Start) -> None:
    start.weights["towers.item.biases.weight"].add_(3.0)
    new = ItemContent("new", "Toy western", categories=("western", "comedy"))
    other = ItemContent("newer", "Western, western", categories=("western",))
    model, carried = begun(start, *toy_items(10), new, other)
    tower = model.towers.item
    (row,) = model.table.rows(["new"])
    assert tower.ids.weight[row].norm() < 0.5
    biases = tower.biases.weight[1:, 0]
    known = torch.from_numpy(start.table.rows(model.table.ids.tolist()) > 0)
    # All have as many events: the new ones stand where the others are on average.
    assert torch.allclose(biases[~known], biases[known].mean().expand(2), atol=1e-5)
    assert (carried.items.new, carried.categories.new, carried.words.new) == (2, 1, 1)
    column = model.vocabulary.categories.index("western")
    assert not tower.cnn.category.weight[:, column].any()
    word = model.vocabulary.tokens.index("western") + 2
    unknown = start.weights["towers.item.cnn.token.weight"][1]
    assert torch.equal(tower.cnn.token.weight[word], unknown)


def test_numbers_are_scaled_as_before(start: Start) -> None:
    late = [replace(item, attributes={"year": 2090.0 + n}) for n, item in enumerate(toy_items(8))]
    model, carried = begun(start, *late)
    assert model.vocabulary.attributes["year"] == start.vocabulary.attributes["year"]
    assert carried.attributes.carried == 1


def test_a_kind_of_event_that_is_new_begins_as_what_it_was_taken_for(start: Start) -> None:
    log = log_with(*toy_items(6))
    kinds = log.kinds.copy()
    kinds[::5] = 4
    model = built(replace(log, kinds=kinds), start)
    carry_over(start, model)
    table = model.towers.user.kind.weight
    assert len(table) == 2
    assert torch.equal(table[0], start.weights["towers.user.kind.weight"][0])
    assert torch.equal(table[1], start.weights["towers.user.kind.weight"][0])


def test_another_shape_is_refused_in_words(start: Start) -> None:
    log = log_with(*toy_items(6))
    for settings, said in (
        (replace(SETTINGS, width=32), "has width 16, the model to train 32"),
        (replace(SETTINGS, tower="gru"), "has tower lru, the model to train gru"),
        (replace(SETTINGS, blocks=3), "has blocks 2, the model to train 3"),
    ):
        with pytest.raises(FailedPrecondition, match=said):
            carry_over(start, built(log, start, settings))
    assert start.settings(TrainingSettings()).width == 16


def test_embeddings_of_another_width_are_refused_in_words(tmp_path: Path) -> None:
    wide = [replace(item, embedding=np.ones(4, np.float32)) for item in toy_items(6)]
    make_toy_bundle(tmp_path / "bundle", wide)
    start = Start.read(str(tmp_path / "bundle"))
    narrow = [replace(item, embedding=np.ones(3, np.float32)) for item in toy_items(6)]
    with pytest.raises(DataInvalid, match=r"embeddings of 3 numbers, .* takes 4"):
        built(log_with(*narrow), start)


def test_a_bundle_without_weights_is_refused_in_words(
    toy_bundle: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    text = (toy_bundle / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"weights.npz"', '"others.npz"'))
    with pytest.raises(FailedPrecondition, match=r"has no weights.npz.*earlier versions"):
        Start.read(str(tmp_path))


def test_weights_that_do_not_become_better_stay(start: Start) -> None:
    model, _ = begun(start, *toy_items(12))
    before = {name: weight.clone() for name, weight in model.towers.state_dict().items()}
    fit = TowerFit(
        model.towers,
        model.events,
        model.inputs,
        model.split.train_ends,
        replace(SETTINGS, max_epochs=2),
        team=Team(),
        compute=Compute(),
    )
    qualities = iter([0.5, 0.4, 0.3])
    fit.run(Course(Budget(600), 2), lambda _: next(qualities), lambda _: None, judge_first=True)
    assert (fit.progress.best, fit.progress.best_epoch, fit.progress.epochs) == (0.5, 0, 2)
    for name, weight in model.towers.state_dict().items():
        assert torch.equal(weight, before[name]), name
