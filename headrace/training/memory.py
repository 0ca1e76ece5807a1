"""The most memory that this process has held."""

from __future__ import annotations

import resource
import sys


def peak_gb() -> float:
    """Resident, in GB; on Linux it falls never, so it is that of the whole run."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak / (1e9 if sys.platform == "darwin" else 1e6)
