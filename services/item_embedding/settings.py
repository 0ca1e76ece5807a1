"""Settings of this process."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from headrace.release.slot import SlotSettings
from headrace.runtime.settings import (
    KafkaSettings,
    PeerSettings,
    Port,
)

_ORIGIN = r"https?://[a-z0-9.-]+(:\d{1,5})?"
ORIGINS = rf"^$|^{_ORIGIN}(\s*,\s*{_ORIGIN})*$"


@dataclass(frozen=True, kw_only=True)
class ItemEmbeddingSettings(SlotSettings, PeerSettings, KafkaSettings):
    """Read from HEADRACE_* variables."""

    metrics_port: Port = 9104
    grpc_port: Port = 50053
    database_connections: Annotated[int, Field(ge=7, le=100)] = 12
    """Six are for background work, seven where pictures are fetched; the rest for calls."""
    sweep_period_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """How often Postgres is searched for what was not published or not embedded."""
    picture_origins: Annotated[str, Field(pattern=ORIGINS)] = ""
    """Web servers that pictures of items are fetched from, as their URLs begin:
    `https://pictures.shop.example,https://cdn.example:8443`. Empty: none is fetched."""
    sweep_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Of one thread's time, for embedding what was not: a new model's all, beside live lists."""

    def origins(self) -> frozenset[str]:
        """Of `picture_origins`."""
        return frozenset(name.strip() for name in self.picture_origins.split(",") if name.strip())
