"""What a system of some size needs: `python -m bench.capacity --people … --items … --events …`.

It reckons with the costs in costs.json. `--measure` (some minutes) measures them anew, and `--keep`
writes them there: memory in the services' own objects, each size in a process of its own; disk and
CPU on a system that is started for it, with a toy bundle of the demo's width. Lines go through
three sizes each; `off` says how far the worst of them is from its line.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.capacity import memory, running
from bench.capacity.costs import Costs
from bench.capacity.lines import Line
from bench.capacity.plan import PRODUCTION, Load, needs
from bench.report import print_table
from headrace.local.ports import Ports
from headrace.local.system import LocalSystem
from headrace.training.toy import make_toy_bundle

_KEY = "a-key-for-the-bench-alone"
_WIDTH = 64  # as the demo's model
_OF_ITEMS = ("items", "item_search", "item_vectors")
_OF_PEOPLE = ("user_states", "user_counters")
_OF_EVENTS = ("interactions",)
_FLOWING = ("gateway", "event_ingest", "user_embedding", "ranker", "kafka", "postgres")
_KINDS = {
    "cpu": ("CPU beyond rest, ms", 1e3),
    "tables": ("Postgres, bytes", 1.0),
    "topics": ("Kafka, bytes", 1.0),
}
_LEAST = {"cpu": 1e-5, "tables": 1.0, "topics": 1.0}
"""What one more costs at least, to be told."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=PRODUCTION.people)
    parser.add_argument("--items", type=int, default=PRODUCTION.items)
    parser.add_argument("--history", type=int, default=PRODUCTION.history, help="events in the log")
    parser.add_argument(
        "--events", type=float, default=PRODUCTION.events_per_s, help="a second, when busiest"
    )
    parser.add_argument(
        "--lists", type=float, default=PRODUCTION.lists_per_s, help="a second, when busiest"
    )
    parser.add_argument("--measure", action="store_true", help="what one more costs")
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes that are measured")
    parser.add_argument("--keep", action="store_true", help="write it to costs.json")
    given = parser.parse_args()
    costs = _measured(given.scale) if given.measure else Costs.read()
    if given.measure and given.keep:
        costs.write()
    load = Load(
        people=given.people,
        items=given.items,
        history=given.history,
        events_per_s=given.events,
        lists_per_s=given.lists,
    )
    print_table(
        f"{load.people:,} people, {load.items:,} items, {load.history:,} events, "
        f"{load.events_per_s:,.0f} more and {load.lists_per_s:,.0f} lists a second",
        ["what", "needs"],
        [[need.what, need] for need in needs(costs, load)],
    )


def _measured(scale: float) -> Costs:
    """Prints it as well."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-bench-"))
    bundle = folder / "bundle"
    make_toy_bundle(bundle, width=_WIDTH)
    try:
        held = list(memory.costs(bundle, scale))
        _print_memory(held)
        measured = _run(folder / "system", bundle, scale)
        following = _run(folder / "following", bundle, scale, accuracy=False)
        _print_running(measured, following)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    how = f"python -m bench.capacity --measure --scale {scale:g}, load {os.getloadavg()[0]:.1f}"
    return _costs(how, held, measured.phases, following.phases)


def _run(home: Path, bundle: Path, scale: float, *, accuracy: bool = True) -> running.Measured:
    """Without live accuracy a ranker's clicks cost what they cost in every one of several."""
    share = {"HEADRACE_ACCURACY_SHARE": "1" if accuracy else "0"}
    with LocalSystem(home, Ports.free(), bundle, api_key=_KEY, environment=share) as system:
        return running.measure(system, _KEY, scale, clicks_alone=not accuracy)


def _print_memory(held: Sequence[memory.Cost]) -> None:
    print_table(
        f"Memory, bytes; load {os.getloadavg()[0]:.1f}",
        ["of each", "sizes", "resident", "off", "at most", "the cache's own count"],
        [
            [
                cost.what,
                " ".join(f"{size:,}" for size in cost.sizes),
                f"{cost.resident.each:,.0f}",
                f"{cost.resident.off:.0%}",
                f"{cost.most.each:,.0f}",
                f"{cost.counted.each:,.0f}" if cost.counted.each else "",
            ]
            for cost in held
        ],
    )


def _print_running(measured: running.Measured, following: running.Measured) -> None:
    for kind, (title, factor) in _KINDS.items():
        rows = [
            [phase.each, name, line.each * factor, f"{line.off:.0%}"]
            for phase in measured.phases
            for name, line in phase.lines(kind).items()
            if line.each > _LEAST[kind]
        ]
        print_table(
            f"{title}; load {os.getloadavg()[0]:.1f}", ["of each", "", "costs", "off"], rows
        )
    print_table(
        "Pace of the largest round, in which they were measured",
        ["", "a second"],
        [[phase.each, phase.a_second] for phase in measured.phases],
    )
    [clicks] = following.phases
    line = clicks.lines("cpu")["ranker"]
    print_table(
        "Live accuracy off, CPU beyond rest, ms",
        ["of each", "", "costs", "off"],
        [[clicks.each, "ranker", line.each * 1e3, f"{line.off:.0%}"]],
    )
    at_rest = [[name, 1e3 * s / measured.rest.seconds] for name, s in measured.rest.cpu.items()]
    print_table("CPU at rest, ms a second", ["process", "ms"], at_rest)
    print_table("Resident at the end", ["process", "MiB"], list(measured.resident.items()))


def _costs(
    how: str,
    held: Sequence[memory.Cost],
    phases: Sequence[running.Phase],
    following: Sequence[running.Phase],
) -> Costs:
    lines = {kind: {phase.each: phase.lines(kind) for phase in phases} for kind in _KINDS}
    imported = lines["tables"]["imported event"]
    return Costs(
        measured=how,
        memory={cost.what: round(cost.resident.each) for cost in held},
        counted={cost.what: round(cost.counted.each) for cost in held if cost.counted.each},
        cpu={each: _of(lines["cpu"][each], _FLOWING) for each in ("click", "list")},
        followed=_of(following[0].lines("cpu"), ("ranker",))["ranker"],
        tables={
            "item": _of(lines["tables"]["item"], _OF_ITEMS),
            "person": _of(imported, _OF_PEOPLE, running.EVENTS_OF_A_PERSON),
            "event": _of(imported, _OF_EVENTS),
        },
        topics={
            "item": _of(lines["topics"]["item"], ("items", "item-vectors.MODEL")),
            "click": _of(
                lines["topics"]["click"], ("events", "interactions", "user-vectors.MODEL")
            ),
            "list": _of(lines["topics"]["list"], ("impressions",)),
        },
    )


def _of(lines: Mapping[str, Line], names: Sequence[str], times: int = 1) -> dict[str, float]:
    """Four digits: there is not more in a measurement."""
    return {name: float(f"{max(0.0, lines[name].each) * times:.4g}") for name in names}


if __name__ == "__main__":
    main()
