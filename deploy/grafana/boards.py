"""The dashboards."""

from deploy.grafana.accuracy import ACCURACY
from deploy.grafana.releases import RELEASES
from deploy.grafana.services import EVENT_INGEST, GATEWAY, ITEM_EMBEDDING, RANKER, USER_EMBEDDING
from deploy.grafana.whole import LATENCY, OVERVIEW, PIPELINE

BOARDS = (
    OVERVIEW,
    LATENCY,
    PIPELINE,
    ACCURACY,
    RELEASES,
    GATEWAY,
    EVENT_INGEST,
    USER_EMBEDDING,
    ITEM_EMBEDDING,
    RANKER,
)
