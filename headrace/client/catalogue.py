"""The blocking client of the catalogue."""

from collections.abc import Mapping
from typing import IO, Any

import grpc

from headrace.api.gateway.v1 import catalogue_pb2_grpc
from headrace.client import catalogue_calls
from headrace.client.catalogue_models import (
    FoundItems,
    Sort,
    Suggestion,
    UploadFormat,
    UploadReport,
)
from headrace.client.connection import Connection
from headrace.runtime.rpc_errors import from_rpc_error


class Catalogue(Connection):
    """Browses, searches and fills the catalogue. Use it in a `with` block, or close it.

    address: host:port of the gateway's gRPC door.
    api_key: for a person's order (scope `read`), uploads and unanswered searches (`catalogue`).
    timeout_s: for each call but uploads, retries included.
    credentials: for TLS; without, the connection is not encrypted.
    Every method raises an error of `headrace.errors`.
    """

    _service = catalogue_pb2_grpc.CatalogueServiceStub

    def find(
        self,
        query: str = "",
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        sort: Sort | None = None,
        n: int = 24,
        cursor: str | None = None,
        facets: bool = False,
        user_id: str | None = None,
    ) -> FoundItems:
        """Searches what is visible now, or browses it where there is no query.

        filter: only items that pass, such as {"category": {"one_of": ["Home > Kitchen"]}}.
        sort: None: by relevance where there is a query, else the popular first.
        n: 1-100. cursor: `next_cursor` of the page before. facets: also count what they share.
        user_id: ranks the best 100 answers by what this person likes, too; goes with neither
            `sort` nor `cursor`.
        """
        return self._do(
            catalogue_calls.find(
                query,
                filter=filter,
                sort=sort,
                n=n,
                cursor=cursor,
                facets=facets,
                user_id=user_id,
            )
        )

    def categories(self, under: str | None = None) -> dict[str, int]:
        """Paths of the categories that have visible items and how many, parents first."""
        return self._do(catalogue_calls.categories(under))

    def suggest(self, query: str, n: int = 8) -> list[Suggestion]:
        """Items whose titles continue what was typed, most popular first. n: 1-20."""
        return self._do(catalogue_calls.suggest(query, n))

    def unanswered(self, n: int = 100) -> dict[str, int]:
        """Searches that found nothing and how often, most frequent first."""
        return self._do(catalogue_calls.unanswered(n))

    def upload(
        self,
        file: IO[bytes],
        format: UploadFormat = "csv",  # noqa: A002
        timeout_s: float = 3_600.0,
    ) -> UploadReport:
        """Stores a file of items; lines that cannot be used are reported, the others count."""
        pieces = catalogue_calls.pieces(file, format)
        try:
            answer = self._stub.UploadItems(pieces, timeout=timeout_s, metadata=self._metadata())
        except grpc.RpcError as error:
            raise from_rpc_error("gateway", error) from error
        return catalogue_calls.report_of(answer)
