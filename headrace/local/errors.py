"""Errors of the local system."""

from headrace.errors import HeadraceError


class LocalError(HeadraceError):
    """A part of the local system cannot do what was asked; the message says what to change."""


class PortTaken(LocalError):
    """Somebody else listens on a port that is needed."""


class StartFailed(LocalError):
    """A process died, or did not answer in time; the message ends with its last log lines."""


class FetchFailed(LocalError):
    """Something that comes from a package registry could not be fetched, or is not what it was."""
