"""What is told about items."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.gateway.console.models import Told
from services.gateway.models import ListedItemModel, StoredItem

Visibility = Literal["visible", "deleted", "not_yet", "expired"]
Window = Literal["hour", "day", "week"]


class ItemState(Told):
    """An item as the catalogue keeps it, hidden or not."""

    item_id: str = Field(examples=["50"])
    title: str = Field(examples=["Star Wars (1977)"])
    revision: int = Field(description="Grows by one with each change.")
    updated_at: datetime = Field(description="When it was changed last.")
    visibility: Visibility = Field(
        description="not_yet: before its `publish_at`. expired: after its `expire_at`."
    )


class ShownAndChosen(Told):
    """What became of an item within a window that ends now."""

    window: Window
    impressions: int = Field(
        description="Places in lists that were served, of hours that began within the window.",
        examples=[120],
    )
    events: int = Field(
        description="What people did with it, dislikes and imports left out.", examples=[7]
    )


class InspectedItem(Told):
    """What is known about an item."""

    state: ItemState
    item: StoredItem | None = Field(description="Its content. Null where it is hidden.")
    in_lists: bool = Field(description="Whether the ranker has it, and may show it.")
    similar: list[ListedItemModel] = Field(description="The nearest items, nearest first.")
    windows: list[ShownAndChosen] = Field(description="Hour, day and week.")
