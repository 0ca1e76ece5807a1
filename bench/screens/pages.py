"""The pages, and how each comes to show something."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
from playwright.sync_api import FilePayload, Page, expect

from bench.screens.people import GOODS
from bench.target import Target

LIVE = "live-1"  # whose events the page of live events gets


@dataclass(frozen=True)
class Shown:
    """A page as it is looked at. name: of its sheet. fill: makes it show something.

    begins_with: the name of a region; what is above it is left out.
    """

    name: str
    path: str
    fill: Callable[[Page], None] = lambda _page: None
    begins_with: str | None = None


def _rows(page: Page) -> None:
    expect(page.locator(".waiting")).to_have_count(0)


def _menu(page: Page) -> None:
    _rows(page)
    page.get_by_role("button", name="Not interested?").nth(1).click()


def _suggestions(page: Page) -> None:
    page.get_by_label("Search", exact=True).press_sequentially("star")
    expect(page.get_by_role("option").first).to_be_visible()


SHOP = (
    Shown("home", "/", _rows),
    Shown("item", "/items/50", _rows),
    Shown("goods", "/items/print-4", _rows),
    Shown("menu", "/", _menu),
    Shown("categories", "/categories"),
    Shown("category", "/categories/Comedy"),
    Shown("search", "/search?q=star"),
    Shown("suggestions", "/categories", _suggestions),
    Shown("cart", "/cart", _rows),
    Shown("account", "/account"),
    Shown("history", "/history"),
    Shown("preferences", "/preferences"),
    Shown("privacy", "/account/privacy"),
)
ERASED = (Shown("receipt", "/account/receipt", lambda page: _seen(page, "Completed")),)
VISITOR = (Shown("log-in", "/account"),)


def console(target: Target) -> tuple[Shown, ...]:
    """The console's pages. Those that show what happens make something happen."""

    def live(page: Page) -> None:
        rows = page.get_by_role("region", name="Events").get_by_role("row")
        items = ("50", "181", "100", "127", "1", "98")
        kinds = ("view", "click", "like", "cart", "purchase")
        for number in range(200):
            event = {"type": kinds[number % 5], "item_id": items[number % 6], "user_id": LIVE}
            httpx.post(
                f"{target.url}/v1/events", json={"events": [event]}, headers=target.headers
            ).raise_for_status()
            page.wait_for_timeout(100)
            if rows.count() > 12:
                return

    return (
        Shown(
            "console-list",
            "/console/list?user_id=259&n=8&kind=for_you&more=%7B%22max_per_category%22%3A+3%7D",
            lambda page: _region(page, "Candidates"),
        ),
        Shown("console-live", "/console/live", live),
        Shown("console-compare", "/console/compare", _compare),
        Shown("console-status", "/console/status", lambda page: _region(page, "Topics")),
        Shown("console-item", "/console/item?id=50", lambda page: _region(page, "Nearest")),
        Shown("console-upload", "/console/upload", _upload),
        Shown("console-behaviour", "/console/behaviour", _behaviour),
        Shown(
            "console-chosen",
            "/console/behaviour",
            _behaviour,
            begins_with="What is chosen of what was shown",
        ),
        Shown("console-keys", "/console/keys", lambda page: _region(page, "Keys")),
    )


def _region(page: Page, name: str) -> None:
    expect(page.get_by_role("region", name=name).first).to_be_visible()


def _seen(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


def _compare(page: Page) -> None:
    page.get_by_role("button", name="Compare").click()
    _region(page, "List B")


def _upload(page: Page) -> None:
    file = FilePayload(name="prints.csv", mimeType="text/csv", buffer=GOODS.encode())
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    _region(page, "Refused lines")


def _behaviour(page: Page) -> None:
    for name in ("Journeys that reach", "Share of shown items", "People by segment"):
        expect(page.get_by_role("img", name=name)).to_be_visible()
    segments = page.get_by_role("region", name="Who is worth most")
    if segments.get_by_label("Money").locator("option").count() > 1:
        segments.get_by_label("Money").select_option("EUR")
        expect(segments.get_by_text("at present prices")).to_be_visible()
