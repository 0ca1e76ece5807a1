"""What tests in a real browser share."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, ViewportSize, expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE, DESK = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
PATIENCE_MS = 30_000
# Above 0.1 people notice that the page moves under them (web.dev/articles/cls).
MOST_SHIFT = 0.1
expect.set_options(timeout=PATIENCE_MS)

_PRACTICE = """async () => {
  const shift = await new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((seen) => {
      for (const one of seen.getEntries()) if (!one.hadRecentInput) sum += one.value;
    }).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => setTimeout(() => done(sum)));
  });
  const described = document.querySelector('meta[name="description"]');
  return {
    shift,
    paints: performance.getEntriesByName("first-contentful-paint").length,
    language: document.documentElement.lang,
    title: document.title,
    description: described ? described.content : "",
    headings: document.querySelectorAll("h1").length,
    unsized: [...document.images].filter((one) => !one.width || !one.height).length,
  };
}"""


def browser_path() -> str | None:
    """Of the first browser that is installed."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def page_of(
    browser: Browser,
    base_url: str,
    size: ViewportSize = DESK,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Page]:
    """Of somebody new. Afterwards nothing may stand in the browser's console, but that a part of
    a busy system did not answer in time: its row is left out then. What the content security
    policy keeps from being loaded stands there too."""
    context = browser.new_context(
        base_url=base_url, viewport=size, color_scheme=scheme, reduced_motion="reduce"
    )
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
    """Axe finds nothing serious on the page, nothing is wider than the window, and it is made as
    pages should be.

    streams: the page reads something that has no end.
    """
    if streams:
        expect(page.get_by_role("status").last).not_to_be_empty()
    else:
        page.wait_for_load_state("networkidle")
    _assert_good_practice(page)
    found = Axe().run(page)
    serious = [
        violation
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert not serious, f"{page.url}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def _assert_good_practice(page: Page) -> None:
    """It was painted and did not move then; it says what it is, to readers and to machines."""
    told = page.evaluate(_PRACTICE)
    assert told["shift"] <= MOST_SHIFT, f"{page.url} moved by {told['shift']:.2f}"
    assert (told["paints"], told["headings"], told["unsized"]) == (1, 1, 0), f"{page.url}: {told}"
    assert told["language"] == "en"
    assert told["title"].endswith(" · Headrace")
    assert told["description"]
