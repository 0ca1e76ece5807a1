"""Creates the topics that are missing: `python -m headrace.runtime.create_topics`.

Run it before a model's services start: two topics are named by the model's version, which is read
from the bundle. Topics that exist stay as they are.
"""

import sys
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from headrace.bundle.storage import BundleFolder
from headrace.errors import BundleInvalid, SettingsInvalid, Unavailable
from headrace.runtime.settings import BundleSettings, KafkaSettings, load_settings
from headrace.runtime.topics import create_topics


@dataclass(frozen=True, kw_only=True)
class TopicSettings(KafkaSettings, BundleSettings):
    """Read from `HEADRACE_*`."""

    topic_partitions: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Fixed for life; as many consumers of a topic can work at the same time."""
    topic_replication: Annotated[int, Field(ge=1, le=9)] = 1
    """Brokers that keep each record."""


def main() -> int:
    """Returns the exit status: 0, 1 where Kafka or the bundle is away, 2 on bad settings."""
    try:
        settings = load_settings(TopicSettings)
        version = BundleFolder(settings.bundle_url).manifest.model_version
        created = create_topics(
            settings.kafka(),
            version,
            settings.topic_partitions,
            settings.topic_replication,
        )
    except SettingsInvalid as error:
        sys.stderr.write(f"create_topics: settings are wrong\n{error}\n")
        return 2
    except (Unavailable, BundleInvalid) as error:
        sys.stderr.write(f"create_topics: {error}\n")
        return 1
    sys.stdout.writelines(f"created {name}\n" for name in created)
    sys.stdout.write(f"the topics of model {version} are present\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
