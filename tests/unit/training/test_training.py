"""The whole way on a catalogue in which item i is followed by item i + 1."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headrace.bundle import Bundle
from headrace.commands.evaluate import main as evaluate
from headrace.errors import BundleInvalid
from headrace.models.user_rnn import TOWER_KINDS, TowerKind
from headrace.training.carry import carry_over
from headrace.training.data import prepared_files, read_log
from headrace.training.job import Job
from headrace.training.model import Model, build_model
from headrace.training.newest import told_of
from headrace.training.prepare import main as prepare
from headrace.training.publish import check_against_torch
from headrace.training.run import Stages
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.start import Start
from headrace.training.towers import user_vectors
from headrace.training.train import main
from tests.unit.training.logs import write_rounds


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    events, items = write_rounds(folder, pictures=True)
    raw = ["--interactions", str(events), "--items", str(items)]
    assert prepare([*raw, "--out", str(folder / "data")]) == 0
    events, items, holdout = prepared_files(folder / "data")
    settings = TrainingSettings(width=16, max_epochs=40, chunk=16, learning_rate=1e-2)
    Stages(Job(events, items, folder / "bundle", holdout=holdout), settings).run()
    return folder


def test_what_follows_is_learned_far_better_than_what_is_popular(trained: Path) -> None:
    metrics = Bundle.load(str(trained / "bundle")).manifest.metrics
    assert metrics["test.HR@10"] > 0.9
    assert metrics["test.NDCG@10"] > 2 * metrics["most_popular.test.NDCG@10"]


def test_evaluating_the_prepared_folder_gives_the_figures_of_training(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(trained / "bundle")
    assert evaluate(["--bundle", bundle, "--interactions", str(trained / "data")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    figures = dict(pair.split("=") for pair in last.split()[1:])
    metrics = Bundle.load(bundle).manifest.metrics
    assert float(figures["NDCG@10"]) == pytest.approx(metrics["test.NDCG@10"], abs=0.005)


def test_the_bundle_recommends_what_follows(trained: Path) -> None:
    bundle = Bundle.load(str(trained / "bundle"))
    log = read_log(trained / "events.csv", trained / "items.csv")
    vectors, biases = bundle.items.encode(log.catalogue)
    history = np.arange(3, 12)
    _, user = bundle.user.sequence(
        bundle.user.initial_state(1),
        vectors[history][None],
        np.full((1, len(history)), 7),
        np.full((1, len(history)), 60.0),
        [len(history)],
    )
    scores = vectors @ user[0, : bundle.width] + biases
    scores[history] = -np.inf
    best = np.argsort(-scores)[:3]
    assert log.catalogue[12] in [log.catalogue[i] for i in best]


def test_a_picture_moves_the_vector_that_a_bundle_gives(trained: Path) -> None:
    bundle = Bundle.load(str(trained / "bundle"))
    assert bundle.items.looks
    item = read_log(trained / "data").catalogue[4]
    assert item.picture is not None
    (with_one, without), _ = bundle.items.encode([item, replace(item, picture=None)])
    assert np.abs(with_one - without).max() > 1e-3


def test_the_manifest_tells_what_was_trained_on(trained: Path) -> None:
    manifest = Bundle.load(str(trained / "bundle")).manifest
    log = read_log(trained / "events.csv", trained / "items.csv")
    assert manifest.split_sha256 == split(log, "leave-one-out").digest
    assert len(manifest.data_sha256) == 64
    assert manifest.event_types == {"0": 0, "7": 0}
    assert manifest.rating_trained
    assert manifest.metrics["test.RMSE"] < 1.0  # a constant has 1.4
    assert manifest.training["seed"] == 0


def test_only_data_from_postgres_say_until_when_a_model_has_learned(trained: Path) -> None:
    assert told_of(trained / "data") == {}


def test_starting_from_a_bundle_takes_its_shape_or_refuses_another_one(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = Start.read(str(trained / "bundle"))
    log = read_log(trained / "data")
    model = build_model(log, split(log, "leave-one-out"), start.settings(TrainingSettings()), start)
    carried = carry_over(start, model)
    model.towers.eval()
    assert (carried.items.carried, carried.items.new, carried.items.gone) == (30, 0, 0)
    assert carried.ratings
    # The same data, so that the weights are all that there is: it is the same model.
    check_against_torch(Bundle.load(str(trained / "bundle")), model)
    command = ["--prepared", str(trained / "data"), "--out", str(tmp_path / "other")]
    command += ["--start-from", str(trained / "bundle"), "--tower", "gru"]
    assert main(command) == 2
    assert "has tower lru, the model to train gru" in capsys.readouterr().err
    assert main([*command[:-2], "--width", "128"]) == 2
    assert f"has width {start.width}, the model to train 128" in capsys.readouterr().err


def untrained(folder: Path, tower: TowerKind) -> Model:
    log = read_log(*write_rounds(folder))
    return build_model(log, split(log, "none"), TrainingSettings(width=8, tower=tower))


@pytest.mark.parametrize("tower", TOWER_KINDS)
def test_both_towers_train_and_are_served(tmp_path: Path, tower: TowerKind) -> None:
    events, items = write_rounds(tmp_path)
    settings = TrainingSettings(width=8, tower=tower, max_epochs=2)
    Stages(Job(events, items, tmp_path / "bundle", 120, "none"), settings).run()
    bundle = Bundle.load(str(tmp_path / "bundle"))
    assert bundle.manifest.tower == tower
    assert "test.HR@10" not in bundle.manifest.metrics


def test_a_bundle_of_other_weights_is_found_out(tmp_path: Path, trained: Path) -> None:
    model = untrained(tmp_path, "lru")
    bundle = Bundle.load(str(trained / "bundle"))
    with pytest.raises(BundleInvalid, match="item vectors differ"):
        check_against_torch(bundle, build_model(model.log, model.split, TrainingSettings(width=16)))


def test_vectors_of_many_positions_come_from_one_pass(tmp_path: Path) -> None:
    model = untrained(tmp_path, "lru")
    vectors = model.facts().vectors
    users = np.array([5, 2, 5, 9])
    positions = model.log.offsets[users] + np.array([3, 15, 14, 1])
    together = user_vectors(model.towers.user, model.events, vectors, users, positions)
    for row in range(len(users)):
        one = slice(row, row + 1)
        alone = user_vectors(model.towers.user, model.events, vectors, users[one], positions[one])
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_the_command_names_what_is_wrong_and_leaves_no_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user,item_id\nu,i\n")
    out = tmp_path / "bundle"
    assert main(["--interactions", str(events), "--out", str(out)]) == 2
    assert "lacks the column user_id" in capsys.readouterr().err
    assert not out.exists()


def test_too_short_histories_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user_id,item_id\nu,i\nv,j\n")
    assert main(["--interactions", str(events), "--out", str(tmp_path / "bundle")]) == 2
    assert "nobody has three interactions" in capsys.readouterr().err


def test_vectors_are_as_wide_as_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, items = write_rounds(tmp_path)
    command = ["--interactions", str(events), "--items", str(items), "--epochs", "1"]
    command += ["--out", str(tmp_path / "bundle"), "--threads", "1"]
    with pytest.raises(SystemExit):
        main([*command, "--width", "4"])
    assert "--width: must be 8 to 1024, is 4" in capsys.readouterr().err
    assert main([*command, "--width", "12"]) == 0
    assert Bundle.load(str(tmp_path / "bundle")).manifest.width == 12
