"""Apache Kafka's jars, resolved once from Maven Central into the cache."""

import os
from collections.abc import Callable
from pathlib import Path

from headrace.local.cache import cache_dir, locked
from headrace.local.errors import FetchFailed

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka logs through slf4j 1.7 and brings no output for it. The simplest one writes to stderr.
# It is resolved apart: together with Kafka, the resolver picks other versions of Kafka's jars.
LOGGING = "org.slf4j:slf4j-simple:1.7.36"


def kafka_class_path(say: Callable[[str], None] = print) -> str:
    """The Java class path that runs Kafka; resolves and downloads it (44 MB) if absent.

    Raises FetchFailed if the registry does not answer.
    """
    folder = cache_dir() / "kafka-4.3.1"
    folder.mkdir(exist_ok=True)
    with locked(folder, "resolve"):
        return _known_class_path(folder) or _resolve(folder, say)


def _known_class_path(folder: Path) -> str | None:
    """The class path written by an earlier resolution, if all of its jars are still there."""
    listing = folder / "classpath.txt"
    if not listing.exists():
        return None
    jars = listing.read_text().splitlines()
    if not all((folder / jar).is_file() for jar in jars):
        return None
    return os.pathsep.join(str(folder / jar) for jar in jars)


def _resolve(folder: Path, say: Callable[[str], None]) -> str:
    # Imported here: with a filled cache nobody needs the resolver.
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.env import EnvironmentBuilder, LinkStrategy  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    say(f"Fetching Apache Kafka ({KAFKA}) from Maven Central, about 20 s …")
    maven = MavenContext(
        repo_cache=folder / "m2", remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=60
    )
    builder = EnvironmentBuilder(
        context=maven, cache_dir=folder / "environments", link_strategy=LinkStrategy.HARD
    )
    try:
        kafka = builder.from_endpoint(KAFKA).all_jars
        logging = builder.from_endpoint(LOGGING).all_jars
    except (OSError, RuntimeError, ValueError) as error:
        raise FetchFailed(
            f"Apache Kafka ({KAFKA}) could not be fetched: {error}. It needs the network once; "
            "or set HEADRACE_KAFKA_BOOTSTRAP_SERVERS to a Kafka that runs."
        ) from error
    names = {jar.name for jar in kafka}
    jars = [*kafka, *(jar for jar in logging if jar.name not in names)]
    listing = folder / "classpath.txt"
    partial = listing.with_suffix(".partial")
    partial.write_text("\n".join(str(jar.relative_to(folder)) for jar in jars))
    partial.replace(listing)
    return os.pathsep.join(str(jar) for jar in jars)
