"""The browser that takes pictures."""

import shutil
import sys

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str:
    """Ends the program where none is installed."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        sys.exit(f"No browser is installed: none of {', '.join(_BROWSERS)} (apt install chromium).")
    return path
