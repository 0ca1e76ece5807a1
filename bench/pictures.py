"""What pictures cost: reading them, and a step of training that looks at some: `python -m …`.

With and without by turns, in one run, medians: what else the machine does hits both.
"""

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from headrace.bundle.content import ItemContent
from headrace.pictures.pixels import SHAPE
from headrace.pictures.reading import reduced
from headrace.training.budget import Budget
from headrace.training.compute import Compute
from headrace.training.course import Course
from headrace.training.fit import TowerFit
from headrace.training.log import EventLog
from headrace.training.model import build_model
from headrace.training.settings import TrainingSettings
from headrace.training.split import split
from headrace.training.team import Team

_EVENTS = 200  # of a person


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=3_416)
    parser.add_argument("--steps", type=int, default=24)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for size in ((400, 300), (1_600, 1_200)):
        for form in ("JPEG", "PNG", "WEBP"):
            took = _seconds(_photograph(size, form))
            sys.stdout.write(f"{form} {size[0]} x {size[1]}: {1e3 * took:.1f} ms\n")
    plain, looking = (_steps(given.items, given.steps, pictures=p) for p in (False, True))
    times: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(given.steps):
        for name, step in (("without", plain), ("with", looking)):
            times[name].append(step())
    for name, of_name in times.items():
        sys.stdout.write(f"a step {name} pictures: {1e3 * statistics.median(of_name):.0f} ms\n")


def _photograph(size: tuple[int, int], form: str) -> bytes:
    """As smooth as photographs are, and as noisy."""
    random = np.random.default_rng(0)
    rough = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    image = np.asarray(rough.resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
    noisy = (image + random.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, form)
    return file.getvalue()


def _seconds(content: bytes, times: int = 9) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        reduced(content)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _steps(items: int, most: int, *, pictures: bool) -> Callable[[], float]:
    """Steps of 2,048 positions against the whole catalogue, one at a time; each gives its time."""
    random = np.random.default_rng(0)
    people = 32 * most
    catalogue = tuple(
        ItemContent(f"i{i}", f"Film {i}", categories=(f"g{i % 18}",)) for i in range(items)
    )
    pixels = random.integers(0, 256, (items, *SHAPE), dtype=np.uint8) if pictures else None
    if pixels is not None:
        catalogue = tuple(
            replace(item, picture=picture) for item, picture in zip(catalogue, pixels, strict=True)
        )
    log = EventLog(
        user_ids=np.array([f"u{u}" for u in range(people)], dtype=object),
        catalogue=catalogue,
        offsets=np.arange(people + 1) * _EVENTS,
        items=random.integers(0, items, people * _EVENTS),
        kinds=np.full(people * _EVENTS, 2),
        gap_s=np.zeros(people * _EVENTS, dtype=np.float32),
        ratings=np.full(people * _EVENTS, np.nan, dtype=np.float32),
        pictures=pixels,
    )
    model = build_model(log, split(log, "none"), TrainingSettings())
    fit = TowerFit(
        model.towers,
        model.events,
        model.inputs,
        model.split.train_ends,
        model.settings,
        team=Team(),
        compute=Compute(),
    )
    before = [0.0]

    def step() -> float:
        fit.run(Course(Budget(0.0), None), lambda _: 0.0, lambda _: None)
        spent = fit.progress.stepping_s - before[0]
        before[0] = fit.progress.stepping_s
        return spent

    return step


if __name__ == "__main__":
    main()
