"""What the clients of privacy return."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Personalisation:
    """Whether a person's lists may be personal. changed_at: None where they never said."""

    user_id: str
    enabled: bool
    changed_at: datetime | None
