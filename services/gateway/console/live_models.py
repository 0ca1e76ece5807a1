"""What is told of events as they happen, and who asks for which."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from headrace.contracts.identifiers import Identifier
from services.gateway.console.models import Told

LiveType = Literal[
    "view", "click", "cart", "purchase", "like", "dislike", "rating", "retraction", "unspecified"
]


class LiveEvent(Told):
    """An entry of somebody's log, just after it got its number."""

    event_id: str = Field(examples=["c-1"])
    user_id: str = Field(examples=["259"])
    n: int = Field(description="Its number in the person's log.", examples=[17])
    item_id: str = Field(
        description="Empty where it has none, as taking back, or it could not be found out.",
        examples=["50"],
    )
    type: LiveType = Field(description="`retraction`: an earlier entry was taken back.")
    value: float | None = Field(description="Rating or amount.")
    occurred_at: datetime
    accepted_at: datetime | None = Field(description="By the gateway; null for imports.")
    backfill: bool = Field(description="Whether it is history that is imported.")


class WatchQuery(BaseModel):
    """Which events to show as they happen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Identifier | None = Field(default=None, description="Of this person alone.")
    type: Annotated[list[LiveType], Field(max_length=9)] = Field(
        default_factory=list, description="Of these types; none: of all."
    )

    def wants(self, event: LiveEvent) -> bool:
        of_them = self.user_id is None or event.user_id == self.user_id
        return of_them and (not self.type or event.type in self.type)
