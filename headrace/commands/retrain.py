"""`headrace retrain`: a new model from Postgres where there is reason, proposed if it is better."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from math import inf
from pathlib import Path

import torch

from headrace.commands.arguments import count, minutes
from headrace.commands.release import ProposeSettings
from headrace.errors import FailedPrecondition
from headrace.evaluation.drift import DRIFTED
from headrace.release.examination import examine, unfit
from headrace.release.live import live_model
from headrace.release.registry import Registry
from headrace.retraining.folder import RunFolder
from headrace.retraining.news import News
from headrace.retraining.reasons import Triggers
from headrace.retraining.record import Ended, Trainings, alone
from headrace.retraining.run import Retraining, Terms
from headrace.retraining.training import Training
from headrace.runtime.settings import load_settings
from headrace.runtime.topics import create_topics
from headrace.store.database import Database
from headrace.training.compute import idle_threads
from headrace.training.settings import TrainingSettings

NOT_BETTER = 3
"""The exit status where a candidate was made and is not better."""
_MINUTES = 60
_EVENTS = 10_000
# What changes neither data nor weights: a run goes on where they are given otherwise.
_ASIDE = {"checkpoint", "checkpoint_minutes", "exit_zero", "keep", "threads"}


def main(arguments: Sequence[str]) -> int:
    """Raises: FailedPrecondition, BundleInvalid, DataInvalid, SettingsInvalid, Unavailable."""
    given = _parser().parse_args(arguments)
    settings = load_settings(ProposeSettings)
    torch.set_num_threads(given.threads or idle_threads())
    with (
        alone(settings.database_url),
        closing(Database(settings.database_url, 1)) as database,
        _folder(given) as folder,
    ):
        trainings, registry = Trainings(database), Registry(database)
        training_id = trainings.start()
        retraining = Retraining(
            settings.database_url,
            registry,
            News(database),
            folder,
            train=Training(
                TrainingSettings(seed=given.seed, max_epochs=given.epochs),
                60 * given.checkpoint_minutes,
            ),
            propose=partial(_propose, registry, settings),
            terms=_terms(given),
            say=_say,
        )
        try:
            ended = retraining.run()
        except Exception as error:
            trainings.finish(training_id, Ended("failed", str(error)))
            raise
        trainings.finish(training_id, ended)
    for line in _lines(ended):
        _say(line)
    return NOT_BETTER if ended.outcome == "not_better" and not given.exit_zero else 0


def _propose(registry: Registry, settings: ProposeSettings, url: str) -> None:
    """Raises: FailedPrecondition, BundleInvalid, Unavailable."""
    candidate = examine(url)
    running = live_model(registry.active(), registry.running())
    against = unfit(candidate, examine(running.bundle_url))
    if against:
        raise FailedPrecondition(
            f"{candidate.model_version} is better, and not proposed: {'; '.join(against)}"
        )
    create_topics(
        settings.kafka(),
        candidate.model_version,
        settings.topic_partitions,
        settings.topic_replication,
    )
    registry.propose(candidate, running)


def _lines(ended: Ended) -> list[str]:
    if ended.outcome == "idle":
        return [f"nothing to do: {ended.reason}"]
    what = {
        "proposed": f"{ended.candidate_version} is proposed; `headrace release status` goes on",
        "not_better": f"{ended.candidate_version} is not proposed",
    }
    return [f"{ended.reason}", f"report: {ended.report_url}", what[ended.outcome]]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def _folder(given: argparse.Namespace) -> Iterator[RunFolder]:
    """That of --checkpoint, or one that does not outlive the run."""
    told = sorted((name, str(value)) for name, value in vars(given).items() if name not in _ASIDE)
    command = " ".join(f"{name}={value}" for name, value in told)
    if given.checkpoint is not None:
        yield RunFolder(given.checkpoint, command)
        return
    with tempfile.TemporaryDirectory(prefix="headrace-retrain-") as scratch:
        yield RunFolder(Path(scratch), command)


def _seconds(given: argparse.Namespace) -> float:
    if given.minutes is None:
        return inf if given.epochs else 60 * _MINUTES
    return 60 * float(given.minutes)


def _terms(given: argparse.Namespace) -> Terms:
    return Terms(
        bundles=given.bundles,
        triggers=Triggers(given.events, given.drift),
        seconds=_seconds(given),
        held_out=given.held_out,
        fewest_people=given.people,
        margin=given.margin,
        anyway=given.anyway,
        warm=not given.cold,
        keep=given.keep,
        seed=given.seed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headrace retrain",
        description=__doc__,
        epilog="Exit status: 0 where a model was proposed or there was nothing to do, "
        f"{NOT_BETTER} where one was made that is not better, 2 after an error. Reads "
        "HEADRACE_DATABASE_URL and, to propose, HEADRACE_KAFKA_BOOTSTRAP_SERVERS.",
    )
    parser.add_argument(
        "--bundles",
        required=True,
        help="folder or fsspec URL that services read too: each candidate gets a folder in it",
    )
    parser.add_argument(
        "--events",
        type=count,
        default=_EVENTS,
        help="new to the live model that are a reason (%(default)s)",
    )
    parser.add_argument(
        "--drift",
        type=_index,
        default=DRIFTED,
        help="stability index of what people do that is a reason (%(default)s)",
    )
    parser.add_argument("--anyway", action="store_true", help="train without a reason too")
    parser.add_argument(
        "--minutes", type=minutes, help=f"time for everything ({_MINUTES}; with --epochs no limit)"
    )
    parser.add_argument("--epochs", type=count, help="so many passes at most, as in training")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="folder of this run alone, for its data and weights: after a kill the same command "
        "goes on from there",
    )
    parser.add_argument(
        "--checkpoint-minutes", type=minutes, default=5.0, help="between two saves (5)"
    )
    parser.add_argument("--cold", action="store_true", help="not from the live model's weights")
    parser.add_argument(
        "--held-out",
        type=_part,
        default=Terms.held_out,
        help="newest share of what is new, for the trial; as much chooses weights (%(default)s)",
    )
    parser.add_argument(
        "--people",
        type=count,
        default=Terms.fewest_people,
        help="that a trial wants (%(default)s)",
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=Terms.margin,
        help="the 95 %% interval of the difference in NDCG@10 must lie above it (%(default)s); "
        "below 0: new data are worth a possible loss",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="the bundle too where it is not better, not its report alone",
    )
    parser.add_argument(
        "--exit-zero",
        action="store_true",
        help=f"0 instead of {NOT_BETTER}, for schedulers that take all else for a failure",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=count, help="of torch: the idle cores")
    return parser


def _index(text: str) -> float:
    number = float(text)
    if not 0 < number < inf:
        raise argparse.ArgumentTypeError(f"must be above 0, is {text}")
    return number


def _part(text: str) -> float:
    share = float(text)
    if not 0 < share <= 0.4:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 0.4, is {text}")
    return share
