"""Items of which nothing is known but a picture, on people who each keep to one kind of picture."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from headrace.bundle.content import ItemContent
from headrace.pictures.pixels import Pixels, stacked
from headrace.pictures.reading import Flaw, reduced
from headrace.training.budget import Budget
from headrace.training.catalogue import LearningCatalogue
from headrace.training.checkpoint import Checkpoints
from headrace.training.content import item_inputs
from headrace.training.data import read_log
from headrace.training.job import Job
from headrace.training.model import Model, build_model
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.team import Team
from headrace.training.tower_stage import TowerStage
from headrace.training.towers import catalogue_vectors
from tests.pictures import BLUE, RED, Form, drawn, encoded

FORMS: tuple[Form, ...] = ("disc", "cross")
KINDS = tuple(itertools.product((RED, BLUE), FORMS))
OF_KIND, ROUNDS = 24, 25
SETTINGS = TrainingSettings(width=16, max_epochs=60, learning_rate=5e-3, patience=60)
BRIEF = dataclasses.replace(SETTINGS, max_epochs=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events, items with pictures, the same without, and with pictures that nobody can read."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    cells = []
    for kind, (colour, form) in enumerate(KINDS):
        for i in range(OF_KIND):
            drawn(colour, form, seed=1_000 * kind + i).save(folder / f"{kind}-{i}.png")
            cells.append((f"i{kind}-{i}", f"{kind}-{i}.png"))
    cells[0] = (cells[0][0], "")  # known, but not by a picture
    rows = [
        f"u{user},i{user % len(KINDS)}-{item},{place}"
        for user in range(120)
        for place, item in enumerate(random.permutation(OF_KIND)[:8])
    ]
    (folder / "events.csv").write_text("user_id,item_id,position\n" + "\n".join(rows) + "\n")
    catalogues = {
        "items.csv": [f"{name},{cell}" for name, cell in cells],
        "bare.csv": [f"{name}," for name, _ in cells],
        "unreadable.csv": [f"{name},events.csv" for name, _ in cells],
    }
    for name, lines in catalogues.items():
        (folder / name).write_text("item_id,picture\n" + "\n".join(lines) + "\n")
    return folder


def fitted(
    folder: Path,
    items: str,
    settings: TrainingSettings,
    checkpoints: Checkpoints | None = None,
    tick: Callable[[float], None] = lambda _: None,
) -> Model:
    log = read_log(folder / "events.csv", folder / items)
    model = build_model(log, split(log, "none"), settings)
    stage = TowerStage(model, model.split.train_ends, Budget(600), checkpoints, Team())
    saved = checkpoints.load() if checkpoints else None
    stage.run(saved, lambda _: None, tick, lambda: 0.0)
    return model


def pixels(kind: int, seed: int) -> Pixels:
    picture = reduced(encoded(drawn(*KINDS[kind], seed=seed)))
    assert not isinstance(picture, Flaw)
    return picture


@torch.no_grad()
def right_first(model: Model) -> float:
    """How often who keeps to a kind is offered its new item first, of a new one of each kind."""
    tower, user = model.towers.item.eval(), model.towers.user.eval()
    known, _ = catalogue_vectors(tower, model.inputs)
    column = {item.item_id: column for column, item in enumerate(model.log.catalogue)}
    right = []
    for kind in range(len(KINDS)):
        touched = known[[column[f"i{kind}-{i}"] for i in range(1, 6)]]
        nothing = torch.zeros(1, 5)
        _, after = user.sequence(
            user.initial_state(1), touched[None], nothing.long(), nothing, torch.tensor([5])
        )
        for turn in range(ROUNDS):
            items = [
                ItemContent(f"new-{other}", picture=pixels(other, 50_000 + 10 * turn + other))
                for other in range(len(KINDS))
            ]
            shown = stacked([item.picture for item in items])[0]
            inputs = item_inputs(
                items, model.vocabulary, model.table, shown if tower.cnn.picture else None
            )
            vectors, biases = tower(inputs)
            right.append(int((vectors @ after[0, -1] + biases).argmax()) == kind)
    return float(np.mean(right))


def test_new_items_are_found_by_colour_and_form_of_their_pictures_alone(folder: Path) -> None:
    assert right_first(fitted(folder, "bare.csv", BRIEF)) == 0.25  # chance: all are alike
    # Of colour alone it would be half.
    assert right_first(fitted(folder, "items.csv", SETTINGS)) >= 0.7


def test_pictures_that_nobody_can_read_leave_a_model_as_it_is_without(folder: Path) -> None:
    models = [fitted(folder, items, BRIEF) for items in ("bare.csv", "unreadable.csv")]
    bare, unreadable = (model.towers.state_dict() for model in models)
    assert bare.keys() == unreadable.keys()
    assert not any(".picture." in name for name in bare)
    for name in bare:
        assert torch.equal(bare[name], unreadable[name]), name
    assert models[0].vocabulary.to_json() == models[1].vocabulary.to_json()


def test_where_only_items_that_nobody_touched_have_pictures_the_tower_does_not_look(
    tmp_path: Path,
) -> None:
    drawn(RED, "disc").save(tmp_path / "a.png")
    (tmp_path / "items.csv").write_text("item_id,picture\nnew,a.png\n1,\n")
    (tmp_path / "events.csv").write_text("user_id,item_id,position\nu,1,1\nu,2,2\nu,3,3\n")
    log = read_log(tmp_path / "events.csv", tmp_path / "items.csv")
    model = build_model(log, split(log, "none"), BRIEF)
    assert model.towers.item.cnn.picture is None
    assert log.catalogue[0].picture is not None


def test_a_step_looks_at_some_pictures_anew_and_remembers_the_others(folder: Path) -> None:
    log = read_log(folder / "events.csv", folder / "items.csv")
    model = build_model(log, split(log, "none"), SETTINGS)
    tower = model.towers.item
    learning, cnn = LearningCatalogue(tower, model.inputs, SETTINGS), tower.cnn.picture
    assert learning.seen is not None
    assert cnn is not None
    before = learning.seen.clone()
    with torch.no_grad():
        for weight in cnn.blocks.parameters():
            weight.add_(0.1)
    columns = torch.arange(5)  # the first item has no picture
    learning.vectors(columns)
    changed = (learning.seen != before).any(dim=1)
    assert changed.nonzero().flatten().tolist() == [1, 2, 3, 4]
    torch.autograd.backward(learning.vectors(columns)[0].sum())
    assert all(weight.grad is not None for weight in cnn.parameters())


def test_killed_and_resumed_is_never_killed_with_pictures_too(folder: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    steps = itertools.count(1)

    def kill_at_the_fifth(_: float) -> None:
        if next(steps) == 5:
            raise Killed

    whole = fitted(folder, "items.csv", BRIEF).towers.state_dict()
    ticks = itertools.count()
    checkpoints = Checkpoints(tmp_path, "job", 2, clock=lambda: float(next(ticks)))
    with pytest.raises(Killed):
        fitted(folder, "items.csv", BRIEF, checkpoints, kill_at_the_fifth)
    torch.manual_seed(99)
    resumed = fitted(folder, "items.csv", BRIEF, checkpoints).towers.state_dict()
    for name in whole:
        assert torch.equal(whole[name], resumed[name]), name


def test_data_with_other_pictures_are_other_data(tmp_path: Path) -> None:
    events, items = tmp_path / "events.csv", tmp_path / "items.csv"
    events.write_text("user_id,item_id\nu,1\n")
    items.write_text("item_id,picture\n1,a.png\n")
    job, digests = Job(events, items, tmp_path / "bundle"), []
    for seed in (0, 0, 1):
        drawn(RED, "cross", seed).save(tmp_path / "a.png")
        digests.append(job.data_sha256(read_log(events, items)))
    assert digests[0] == digests[1] != digests[2]
