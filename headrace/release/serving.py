"""Which versions serve, for those who work on what they derive."""

from collections.abc import Callable
from typing import Protocol

from headrace.bundle.storage import BundleFolder
from headrace.release.stages import Active


class Releases(Protocol):
    """See `registry`."""

    def active(self) -> Active: ...


def version_in(bundle_url: str) -> str:
    """As its manifest says. Raises: BundleInvalid."""
    return BundleFolder(bundle_url).manifest.model_version


def live_version(
    releases: Releases, first_bundle_url: str, version_of: Callable[[str], str] = version_in
) -> str:
    """The live release's; before the first release that of the bundle in the settings.

    Raises: BundleInvalid, Unavailable.
    """
    live = releases.active().live
    return version_of(first_bundle_url) if live is None else live.model_version


def versions_in_slots(
    releases: Releases, first_bundle_url: str, version_of: Callable[[str], str] = version_in
) -> list[str]:
    """Of all whose processes run or may run again, the live one first. Raises: as above."""
    other = releases.active().other
    live = live_version(releases, first_bundle_url, version_of)
    return [live, *([] if other is None or other.model_version == live else [other.model_version])]
