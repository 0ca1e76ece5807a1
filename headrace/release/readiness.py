"""Whether a candidate can make lists as well as the live model does, before anybody gets them."""

from collections.abc import Sequence

from headrace.release.registry import Progress, Running
from headrace.release.stages import Release

SERVICES = ("item_embedding", "user_embedding", "ranker")
"""What runs in a slot."""
GATEWAY = "gateway"

# People act while it is counted, and a handful of a small shop is no reason to wait.
_BEHIND_SHARE = 0.01
_BEHIND_PEOPLE = 10


def missing(candidate: Release, running: Sequence[Running], progress: Progress) -> list[str]:
    """What is still to come; empty: nothing.

    running: of all slots, seen lately.
    """
    here = [one for one in running if one.slot == candidate.slot]
    found = []
    for service in SERVICES:
        its = [
            one
            for one in here
            if one.service == service and one.model_version == candidate.model_version
        ]
        if not its:
            found.append(f"no {service} runs it in slot {candidate.slot}")
        elif not any(one.ready for one in its):
            found.append(f"{service} is not ready")
    found.extend(
        f"gateway {one.process} is not told where the ranker of slot {candidate.slot} is"
        for one in here
        if one.service == GATEWAY and not one.ready
    )
    if progress.lacking:
        found.append(f"{progress.lacking:,} items have no vector of it yet")
    if progress.behind > max(_BEHIND_PEOPLE, _BEHIND_SHARE * progress.people):
        found.append(f"{progress.behind:,} of {progress.people:,} people's states are behind")
    return found
