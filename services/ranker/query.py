"""What may be asked of the ranker."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.categories import CategoryPath
from headrace.contracts.identifiers import Identifier
from headrace.contracts.list_options import ListOptions, ListRules

SESSION_ITEMS = 200
EXCLUDED_ITEMS = 1_000
LONGEST_WAIT_MS = 250
BATCH_PEOPLE = 10_000

Length = Annotated[int, Field(ge=1, le=200)]


class ListQuery(ListOptions):
    """How many, and of which. None: not given."""

    n: Length
    category: CategoryPath | None = None
    exclude: tuple[Identifier, ...] = Field(default=(), max_length=EXCLUDED_ITEMS)


class RecommendQuery(ListQuery):
    """For whom."""

    user_id: Identifier | None = None
    session: tuple[Identifier, ...] = Field(default=(), max_length=SESSION_ITEMS)
    after_event_id: Identifier | None = None
    after_timeout_ms: int = Field(default=LONGEST_WAIT_MS, ge=1, le=LONGEST_WAIT_MS)

    @model_validator(mode="after")
    def _an_event_has_a_person(self) -> Self:
        if self.after_event_id is not None and self.user_id is None:
            raise ValueError("user_id: must be given with after_event_id")
        return self


class BatchQuery(ListRules):
    """For which people: those named, or all of whom something is known; how many, and of which."""

    user_ids: tuple[Identifier, ...] = Field(default=(), max_length=BATCH_PEOPLE)
    active_since: datetime | None = None
    n: Length
    category: CategoryPath | None = None
    exclude: tuple[Identifier, ...] = Field(default=(), max_length=EXCLUDED_ITEMS)

    @model_validator(mode="after")
    def _names_or_a_moment(self) -> Self:
        if self.user_ids and self.active_since is not None:
            raise ValueError("active_since: goes without user_ids")
        return self

    @property
    def of_one(self) -> RecommendQuery:
        """What each list is asked for."""
        rules = {name: getattr(self, name) for name in ListRules.model_fields}
        return RecommendQuery(**rules, n=self.n, category=self.category, exclude=self.exclude)


class SimilarQuery(BaseModel):
    """To which item, how many, and of which."""

    model_config = ConfigDict(frozen=True)

    item_id: Identifier
    n: Length
    category: CategoryPath | None = None


class SimilarUsersQuery(BaseModel):
    """To whom, and how many."""

    model_config = ConfigDict(frozen=True)

    user_id: Identifier
    n: Length
