"""Which service may call which RPC, where callers show certificates.

A certificate speaks for the service that one of its DNS names is, `-` and `_` being the same:
`gateway`, `user-embedding`. Only one without any such name speaks by its common name.
"""

from collections.abc import Iterable, Mapping

from headrace.errors import PermissionDenied
from headrace.runtime.metrics import CALLERS_REFUSED

GATEWAY, RANKER, USER_EMBEDDING = "gateway", "ranker", "user_embedding"

_PACKAGE = "headrace.api"

MAY_CALL: Mapping[str, Mapping[str, frozenset[str]]] = {
    f"{_PACKAGE}.ranker.v1.RankerService": {
        "Recommend": frozenset({GATEWAY}),
        "SimilarItems": frozenset({GATEWAY}),
        "SimilarUsers": frozenset({GATEWAY}),
        "BatchRecommend": frozenset({GATEWAY}),
    },
    f"{_PACKAGE}.ranker.v1.ScoringService": {
        "ScoreItems": frozenset({GATEWAY}),
        "NearestItems": frozenset({GATEWAY}),
    },
    f"{_PACKAGE}.ranker.v1.InspectionService": {
        "InspectList": frozenset({GATEWAY}),
        "GetRankerStatus": frozenset({GATEWAY}),
    },
    f"{_PACKAGE}.user_embedding.v1.UserEmbeddingService": {
        "GetUserVector": frozenset({RANKER}),
        "EmbedSession": frozenset({RANKER}),
        "LeaveOut": frozenset({RANKER}),
        "GetEventStatus": frozenset({RANKER}),
        "ListUserVectors": frozenset({RANKER}),
    },
    f"{_PACKAGE}.item_embedding.v1.ItemEmbeddingService": {
        "UpsertItems": frozenset({GATEWAY}),
        "DeleteItem": frozenset({GATEWAY}),
        "GetItems": frozenset({GATEWAY}),
        "GetItemVectors": frozenset({USER_EMBEDDING}),
        "FindItems": frozenset({GATEWAY}),
        "ListCategories": frozenset({GATEWAY}),
        "SuggestItems": frozenset({GATEWAY}),
        "ListUnansweredSearches": frozenset({GATEWAY}),
    },
}
"""By full name of the service, then by RPC. What is not here is refused to everybody."""

_SERVICES = frozenset(
    caller for rpcs in MAY_CALL.values() for callers in rpcs.values() for caller in callers
)


def check_caller(method: str, certificate: Mapping[str, Iterable[bytes]]) -> None:
    """Raises: PermissionDenied where the certificate's owner may not call the RPC, and counts it.

    method: `/package.Service/Rpc`. Health and reflection are for whoever has a certificate.
    certificate: what gRPC tells of the caller, `ServicerContext.auth_context()`.
    """
    service, _, rpc = method.lstrip("/").rpartition("/")
    if not service.startswith(f"{_PACKAGE}."):
        return
    names = names_in(certificate)
    allowed = MAY_CALL.get(service, {}).get(rpc, frozenset())
    if names & allowed:
        return
    # Other names are without end; a label must not be.
    CALLERS_REFUSED.labels(rpc, min(names & _SERVICES, default="unknown")).inc()
    raise PermissionDenied(
        f"{rpc} is for {', '.join(sorted(allowed)) or 'nobody'}; "
        f"the certificate is of {', '.join(sorted(names)) or 'nobody'}"
    )


def names_in(certificate: Mapping[str, Iterable[bytes]]) -> set[str]:
    """The names that a certificate speaks for."""
    others = certificate.get("x509_subject_alternative_name", ())
    found = list(others) or list(certificate.get("x509_common_name", ()))
    return {name.decode(errors="replace").replace("-", "_") for name in found}
