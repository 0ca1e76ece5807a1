"""How items came from their request into a ranker, mark by mark."""

from dataclasses import dataclass

Times = dict[str, float]
"""By item id, s since the epoch."""


@dataclass(frozen=True)
class Passage:
    """When each item passed what lies between its request and a list that holds it."""

    asked: Times
    answered: Times
    changed: Times
    """Its record for topic `items` was made."""
    embedded: Times
    """Its record for topic `item-vectors.<model>` was made."""
    found: Times
    """It is in a ranker's indexes."""
    cpu: dict[str, float]
    """Seconds that each process took for all of them."""


def rates(passage: Passage) -> list[float]:
    """Items/s answered and found, then each process's CPU ms for 1,000 items."""
    count = len(passage.asked)
    began = min(passage.asked.values())
    found = max(passage.found[item_id] for item_id in passage.asked)
    return [
        count / (max(passage.answered.values()) - began),
        count / (found - began),
        *(seconds / count * 1e6 for seconds in passage.cpu.values()),
    ]


def stages(passage: Passage) -> list[tuple[str, list[float]]]:
    """Each way from one mark to another, and the seconds that items took for it."""
    ways = [
        ("asked → on `items`", passage.asked, passage.changed),
        ("asked → answered", passage.asked, passage.answered),
        ("on `items` → vector in Kafka", passage.changed, passage.embedded),
        ("vector in Kafka → found", passage.embedded, passage.found),
        ("answered → vector in Kafka", passage.answered, passage.embedded),
        ("answered → found", passage.answered, passage.found),
    ]
    return [
        (name, [max(0.0, end[item_id] - start[item_id]) for item_id in passage.asked])
        for name, start, end in ways
    ]
