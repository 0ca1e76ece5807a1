"""What is live, as far as anybody can tell."""

from collections.abc import Sequence

from headrace.errors import FailedPrecondition
from headrace.release.registry import Running
from headrace.release.stages import FIRST_SLOT, Active


def live_model(active: Active, running: Sequence[Running]) -> Running:
    """The live release's; before the first release what the ranker of the first slot runs.

    Raises: FailedPrecondition where nobody can tell what is live.
    """
    if active.live is not None:
        live = active.live
        return Running(
            live.slot, "", "", live.model_version, live.bundle_url, live.manifest_sha256, ready=True
        )
    for one in running:
        if one.slot == FIRST_SLOT and one.service == "ranker":
            return one
    raise FailedPrecondition(f"no ranker of slot {FIRST_SLOT} runs: what is live now?")
