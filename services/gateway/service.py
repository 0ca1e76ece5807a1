"""What the gateway does, whichever door a request came through."""

from dataclasses import dataclass

from services.gateway.batches.service import Batches
from services.gateway.catalogue.items import Items
from services.gateway.events.service import Events
from services.gateway.listing import Lists


@dataclass(frozen=True)
class Gateway:
    """Both doors call these with checked requests; access is checked before."""

    lists: Lists
    events: Events
    batches: Batches
    items: Items
