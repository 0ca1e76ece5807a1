"""Settings of event_ingest."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from headrace.runtime.settings import DatabaseSettings, KafkaSettings, Port, ProcessSettings


@dataclass(frozen=True, kw_only=True)
class EventIngestSettings(ProcessSettings, KafkaSettings, DatabaseSettings):
    """Read from `HEADRACE_*`."""

    metrics_port: Port = 9102
    ingest_batch_records: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Records in one transaction at most."""
    ingest_sweep_period_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Time between two looks for waiting events whose item is there."""
    behaviour_refresh_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    """Time between two counts of behaviour, over all replicas; longer where one takes longer than
    a twentieth of it."""
    trending_window_h: Annotated[float, Field(gt=0, le=10_000)] = 72.0
    """The ranker's: counts behind what is trending are kept for it, and for a week at least."""
