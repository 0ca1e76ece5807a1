"""A pretended item_embedding, for tests of those who call it."""

from typing import Any

from headrace.api.item_embedding.v1.item_embedding_pb2_grpc import ItemEmbeddingServiceServicer


class PretendedItemEmbedding(ItemEmbeddingServiceServicer):
    """Every method fails; a test overrides those that it needs."""

    def UpsertItems(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def DeleteItem(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def GetItems(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def GetItemVectors(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def FindItems(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def ListCategories(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def SuggestItems(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError

    def ListUnansweredSearches(self, request: Any, context: Any) -> Any:  # noqa: N802
        raise NotImplementedError
