"""Work in the background that leaves time for what people wait for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """The part of one thread's time that the work takes, above 0 to 1.

    It helps those who wait only where the work comes in pieces of some ten milliseconds: what is
    asked meanwhile waits for a piece to end.
    """

    share: float

    def rest_s(self, worked_s: float) -> float:
        """How long to rest after so much work."""
        return worked_s * (1 / self.share - 1)
