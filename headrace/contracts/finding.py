"""What may be asked of the catalogue: a search, a list to browse, a completion."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from headrace.contracts.filters import Filter

FOUND_LENGTH = 100

Sort = Literal["relevance", "popular", "newest", "price", "price_descending", "title"]


def _visible(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    return text.strip()


Query = Annotated[str, Field(max_length=200), AfterValidator(_visible)]


class FindRequest(BaseModel):
    """A search, or a list to browse where there is no query."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Query = Field(default="", examples=["chef knife"])
    filter: Filter | None = None
    sort: Sort | None = Field(
        default=None, description="Absent: by relevance where there is a query, else popular."
    )
    n: Annotated[int, Field(ge=1, le=FOUND_LENGTH)] = 24
    cursor: Annotated[str, Field(max_length=4_000)] = ""
    facets: bool = False

    @model_validator(mode="after")
    def _relevance_needs_a_query(self) -> Self:
        if self.sort == "relevance" and not self.query:
            raise ValueError("sort: relevance needs a query")
        return self

    @property
    def order(self) -> Sort:
        return self.sort or ("relevance" if self.query else "popular")


class SuggestRequest(BaseModel):
    """What was typed so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: Query = Field(min_length=1, examples=["kni"])
    n: Annotated[int, Field(ge=1, le=20)] = 8
