"""A toy bundle that claims to have been trained on a log, and that log."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np

from headrace.bundle import Bundle
from headrace.evaluation.served import DISLIKE
from headrace.training.log import EventLog
from headrace.training.split import Holdout, split
from headrace.training.toy import toy_items

RATING = 7


def toy_log(people: int = 12, seed: int = 0, shortest: int = 3) -> EventLog:
    """Everybody keeps to one of the four categories; lengths differ, a few events are dislikes."""
    random = np.random.default_rng(seed)
    histories = [
        random.permutation(np.arange(user % 4, 60, 4))[: shortest + user % 9]
        for user in range(people)
    ]
    events = sum(map(len, histories))
    return EventLog(
        user_ids=np.array([f"user-{user}" for user in range(people)], dtype=object),
        catalogue=tuple(toy_items()),
        offsets=np.cumsum([0, *map(len, histories)]),
        items=np.concatenate(histories),
        kinds=np.where(random.random(events) < 0.2, DISLIKE, RATING),
        gap_s=np.full(events, 60.0, dtype=np.float32),
        ratings=np.full(events, np.nan, dtype=np.float32),
    )


def bundle_of(
    toy: Path, folder: Path, log: EventLog, holdout: Holdout = "leave-one-out", **changes: object
) -> Path:
    """A copy of the toy bundle whose manifest names the split of `log`."""
    shutil.copytree(toy, folder)
    manifest = Bundle.load(str(folder)).manifest
    changed = {
        "split_sha256": split(log, holdout).digest,
        "training": {"holdout": holdout},
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(dataclasses.asdict(manifest) | changed))
    return folder
