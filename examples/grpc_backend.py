"""A shop's backend on plain gRPC: it says what people do, and shows them what comes next.

    export HEADRACE_API_KEY=$(cat .headrace/api_key)
    .venv/bin/python examples/grpc_backend.py 259 50

The stubs are generated from protos/headrace/api/gateway/v1 (`make api`; in other languages: `buf
generate`). What a backend needs beside them is here: a deadline, the key as metadata, and a page
that does without recommendations while there are none.
"""

import os
import sys
import uuid

import grpc

from headrace.api.events.v1.events_pb2 import EVENT_TYPE_CLICK
from headrace.api.gateway.v1 import gateway_pb2 as api
from headrace.api.gateway.v1.gateway_pb2_grpc import GatewayServiceStub

DEADLINE_S = 0.5
"""A page does not wait longer for its lists."""


class Recommendations:
    """What the pages of a shop ask for."""

    def __init__(self, channel: grpc.Channel, key: str) -> None:
        self._stub = GatewayServiceStub(channel)
        self._metadata = (("authorization", f"Bearer {key}"),)

    def clicked(self, user_id: str, item_id: str) -> str:
        """Returns the event's id. Made here, it makes sending the event again harmless."""
        event_id = uuid.uuid4().hex
        event = api.NewEvent(
            event_id=event_id, user_id=user_id, item_id=item_id, type=EVENT_TYPE_CLICK
        )
        request = api.RecordEventsRequest(events=[event])
        self._stub.RecordEvents(request, timeout=DEADLINE_S, metadata=self._metadata)
        return event_id

    def for_the_front_page(self, user_id: str, after: str = "") -> list[str]:
        """Titles, best first; none where the page has to do without.

        after: an event that the list shall know of.
        """
        request = api.RecommendRequest(user_id=user_id, n=5, after=after, diversity=0.2)
        try:
            answer = self._stub.Recommend(request, timeout=DEADLINE_S, metadata=self._metadata)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                return []
            raise
        return [item.title for item in answer.items]


def main(user_id: str, item_id: str) -> None:
    address = os.environ.get("HEADRACE_ADDRESS", "127.0.0.1:50051")
    with grpc.insecure_channel(address) as channel:
        recommendations = Recommendations(channel, os.environ["HEADRACE_API_KEY"])
        print("before:", *recommendations.for_the_front_page(user_id), sep="\n  ")
        click = recommendations.clicked(user_id, item_id)
        print("after:", *recommendations.for_the_front_page(user_id, click), sep="\n  ")


if __name__ == "__main__":
    main(*sys.argv[1:])
