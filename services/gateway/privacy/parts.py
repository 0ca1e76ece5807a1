"""Puts the parts of privacy together."""

from collections.abc import Sequence
from functools import partial

from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_scan import Scanned, scan
from headrace.runtime.people_in_records import PeopleFilter
from headrace.runtime.topics import about_people
from headrace.store.database import Database
from services.gateway.accounts.limits import Limits
from services.gateway.privacy.choice_store import ChoiceStore
from services.gateway.privacy.choices import Choices
from services.gateway.privacy.exports import Exports
from services.gateway.privacy.service import Privacy
from services.gateway.settings import GatewaySettings

_MOST_RECORDS = 10_000


def privacy_parts(
    settings: GatewaySettings, database: Database, choices: Choices, limits: Limits
) -> Privacy:
    """What the doors need."""
    find_records = partial(_find_records, settings.kafka(), settings.kafka_scan_deadline_s)
    return Privacy(ChoiceStore(database), choices, Exports(database, find_records), limits)


def _find_records(kafka: Kafka, deadline_s: float, mine: PeopleFilter) -> Sequence[Scanned]:
    return scan(kafka, about_people, mine, deadline_s=deadline_s, most=_MOST_RECORDS)
