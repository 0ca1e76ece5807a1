"""The gRPC door: translates, decides nothing."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

from headrace.api.catalogue.v1 import search_pb2
from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.runtime.item_messages import item_fields
from services.item_embedding.encoder import ItemTower
from services.item_embedding.messages import Changes, item_vector
from services.item_embedding.search import Search
from services.item_embedding.search_messages import answer_message, asked_fields
from services.item_embedding.service import ItemEmbedding

if TYPE_CHECKING:
    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

SERVICE = item_embedding_pb2.DESCRIPTOR.services_by_name["ItemEmbeddingService"].full_name


class ItemEmbeddingServicer(item_embedding_pb2_grpc.ItemEmbeddingServiceServicer):
    """As the proto says."""

    def __init__(
        self, service: ItemEmbedding, search: Search, tower: ItemTower, changes: Changes
    ) -> None:
        self._service = service
        self._search = search
        self._tower = tower
        self._changes = changes

    async def UpsertItems(  # noqa: N802
        self, request: item_embedding_pb2.UpsertItemsRequest, context: Call
    ) -> item_embedding_pb2.UpsertItemsResponse:
        stored = await self._service.upsert([item_fields(item) for item in request.items])
        return item_embedding_pb2.UpsertItemsResponse(changes=map(self._changes.of, stored))

    async def DeleteItem(  # noqa: N802
        self, request: item_embedding_pb2.DeleteItemRequest, context: Call
    ) -> item_embedding_pb2.DeleteItemResponse:
        hidden = await self._service.delete(request.item_id)
        return item_embedding_pb2.DeleteItemResponse(change=self._changes.of(hidden))

    async def GetItems(  # noqa: N802
        self, request: item_embedding_pb2.GetItemsRequest, context: Call
    ) -> item_embedding_pb2.GetItemsResponse:
        found = await self._service.items(list(request.item_ids))
        return item_embedding_pb2.GetItemsResponse(changes=map(self._changes.of, found))

    async def GetItemVectors(  # noqa: N802
        self, request: item_embedding_pb2.GetItemVectorsRequest, context: Call
    ) -> item_embedding_pb2.GetItemVectorsResponse:
        found = await self._service.vectors(list(request.ordinals), request.model_version)
        tower = self._tower
        return item_embedding_pb2.GetItemVectorsResponse(
            vectors=[
                item_vector(one, self._changes.of(one.item), tower.model_version, tower.width)
                for one in found
            ]
        )

    async def FindItems(  # noqa: N802
        self, request: item_embedding_pb2.FindItemsRequest, context: Call
    ) -> item_embedding_pb2.FindItemsResponse:
        answer = await self._search.find(asked_fields(request))
        return answer_message(answer, self._tower.model_version, self._tower.width)

    async def ListCategories(  # noqa: N802
        self, request: item_embedding_pb2.ListCategoriesRequest, context: Call
    ) -> item_embedding_pb2.ListCategoriesResponse:
        counts = await self._search.categories(request.under)
        return item_embedding_pb2.ListCategoriesResponse(
            categories=[search_pb2.CategoryCount(path=path, items=n) for path, n in counts]
        )

    async def SuggestItems(  # noqa: N802
        self, request: item_embedding_pb2.SuggestItemsRequest, context: Call
    ) -> item_embedding_pb2.SuggestItemsResponse:
        found = await self._search.suggest({"query": request.query, "n": request.n})
        return item_embedding_pb2.SuggestItemsResponse(
            suggestions=[
                search_pb2.Suggestion(item_id=item_id, title=title) for item_id, title in found
            ]
        )

    async def ListUnansweredSearches(  # noqa: N802
        self, request: item_embedding_pb2.ListUnansweredSearchesRequest, context: Call
    ) -> item_embedding_pb2.ListUnansweredSearchesResponse:
        misses = await self._search.misses(request.n)
        return item_embedding_pb2.ListUnansweredSearchesResponse(
            searches=[
                search_pb2.UnansweredSearch(query=query, times=times) for query, times in misses
            ]
        )
