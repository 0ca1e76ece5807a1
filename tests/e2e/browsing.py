"""What tests in a real browser share."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, ViewportSize, expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


def browser_path() -> str | None:
    """Of the first browser that is installed."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def page_of(browser: Browser, base_url: str) -> Iterator[Page]:
    """Of somebody new. Afterwards nothing may stand in the browser's console, but that a part of
    a busy system did not answer in time: its row is left out then."""
    context = browser.new_context(base_url=base_url, viewport=DESK)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "503" not in message.text:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


def appears(page: Page, what: Locator) -> bool:
    """Whether it is on the page once that is complete; loads the page again where it is not."""
    page.wait_for_load_state("networkidle")
    if what.count():
        return True
    page.reload()
    return False


def assert_nobody_is_kept_out(page: Page, *, streams: bool = False) -> None:
    """Axe finds nothing serious on the page, and nothing is wider than the window.

    streams: the page reads something that has no end.
    """
    if streams:
        expect(page.get_by_role("status").last).not_to_be_empty()
    else:
        page.wait_for_load_state("networkidle")
    found = Axe().run(page)
    serious = [
        violation
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert not serious, f"{page.url}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
