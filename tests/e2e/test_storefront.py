"""The shop in a real browser: what a visitor sees change, and that nobody is kept out."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from headrace.local.system import LocalSystem
from tests.e2e.browsing import DESK, PHONE, appears, assert_nobody_is_kept_out, page_of
from tests.e2e.test_people import PASSWORD, mailed_token
from tests.e2e.visitor import API_KEY, Visitor, until

PAGES = (
    "/",
    "/items/item-1",
    "/categories",
    "/categories/comedy",
    "/search?q=comedy",
    "/cart",
    "/account",
    "/history",
    "/preferences",
    "/account/privacy",
    "/account/receipt",
)


def titles(page: Page, row: str | re.Pattern[str]) -> list[str]:
    """Of the items in a row, once it is filled."""
    links = page.get_by_role("region", name=row).get_by_role("link")
    until(lambda: appears(page, links), 60, f"the row {row} has items")
    return links.all_inner_texts()


def told(page: Page, text: str) -> bool:
    return appears(page, page.get_by_text(text))


def test_a_new_visitor_s_first_page_follows_what_they_look_at(page: Page) -> None:
    page.goto("/")
    before = titles(page, "For you")
    expect(page.get_by_text("until you look at something")).to_be_visible()
    for item in ("item-2", "item-6", "item-10"):
        with page.expect_response(re.compile("/v1/events$")) as accepted:
            page.goto(f"/items/{item}")
        assert accepted.value.status == httpx.codes.ACCEPTED
    page.goto("/")
    until(lambda: told(page, "your last click included"), 60, "the row follows the visit")
    until(lambda: told(page, "is in this list"), 60, "the last click is in the list")
    assert titles(page, "For you") != before
    assert titles(page, re.compile("^Because you viewed"))


def test_an_item_s_page_goes_on_from_the_one_before(page: Page) -> None:
    page.goto("/items/item-2")
    before = page.get_by_role("heading", level=1).inner_text()
    page.goto("/items/item-6")
    own = page.get_by_role("heading", level=1).inner_text()
    shown = titles(page, f"Because you viewed {before}")
    assert shown
    assert own not in shown
    page.reload()  # of this item itself there is no such row
    expect(page.get_by_role("region", name="Similar")).to_be_visible()
    expect(page.get_by_role("region", name=re.compile("^Because"))).to_have_count(0)


def test_what_people_alike_touched_has_a_row(page: Page, visitor: Visitor) -> None:
    tea = [{"type": "click", "item_id": f"item-{n}"} for n in (2, 6, 10)]
    for other in (f"alike-{uuid.uuid4().hex}" for _ in range(3)):
        liked = [*tea, {"type": "like", "item_id": "item-14"}]
        visitor.send([{"event_id": uuid.uuid4().hex, "user_id": other, **one} for one in liked])
        visitor.recommendations(other)
    for one in tea:
        with page.expect_response(re.compile("/v1/events$")):
            page.goto(f"/items/{one['item_id']}")

    def appeared() -> bool:
        page.goto("/")
        page.wait_for_load_state("networkidle")
        row = page.get_by_role("region", name="Popular with people like you")
        return row.is_visible() and row.get_by_role("link").count() > 0

    until(appeared, 60, "people alike are found, who are gathered every ten seconds")


def test_what_is_bought_is_not_offered_again(page: Page) -> None:
    page.goto("/items/item-5")
    title = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Add to the cart").click()
    expect(page.get_by_role("button", name="In the cart")).to_be_disabled()
    page.get_by_role("link", name=re.compile("^Cart")).click()
    page.get_by_role("button", name=re.compile("^Buy")).click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    page.goto("/")
    assert title not in titles(page, "For you")


def test_an_order_that_is_sent_again_counts_once(page: Page) -> None:
    """From another window, and anew where the answer to the first was lost."""
    page.goto("/items/item-9")
    title = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Add to the cart").click()
    expect(page.get_by_role("button", name="In the cart")).to_be_visible()
    page.goto("/cart")
    other = page.context.new_page()
    other.goto("/cart")
    buys = [one.get_by_role("button", name=re.compile("^Buy")) for one in (page, other)]
    expect(buys[1]).to_be_visible()

    def lose_the_answer(route: Route) -> None:
        assert route.fetch().status == httpx.codes.ACCEPTED
        route.fulfill(status=503, json={"title": "Lost", "status": 503, "detail": "Try again"})

    page.route("**/v1/events", lose_the_answer)
    buys[0].click()
    expect(page.get_by_text("Try again")).to_be_visible()
    page.unroute("**/v1/events")
    page.reload()
    buys[0].click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    buys[1].click()
    expect(other.get_by_role("heading", name="Thank you")).to_be_visible()
    other.close()
    page.goto("/history")
    bought = page.get_by_role("button", name=f"Remove {title}, Bought")
    until(lambda: appears(page, bought), 30, "the purchase is in the history")
    expect(bought).to_have_count(1)


def test_what_is_not_wanted_leaves_every_row_until_it_is_wanted_again(page: Page) -> None:
    page.goto("/")
    title = titles(page, "For you")[0]
    assert title in titles(page, "Trending")
    row = page.get_by_role("region", name="For you")
    row.get_by_role("button", name=f"Not interested? {title}", exact=True).press("Enter")
    page.get_by_role("button", name="Not interested in this").press("Enter")
    expect(page.get_by_role("status").filter(has_text="is in no list of yours")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    expect(page.get_by_role("main").get_by_role("link", name=title, exact=True)).to_have_count(0)
    page.goto("/preferences")
    page.get_by_role("button", name=f"Show {title} again", exact=True).click()
    expect(page.get_by_text("Nothing is left out of your lists")).to_be_visible()
    page.goto("/")
    assert title in titles(page, "For you")


def test_who_has_no_personal_lists_refuses_an_item_all_the_same(page: Page) -> None:
    page.goto("/account/privacy")
    page.get_by_role("switch").uncheck()
    expect(page.get_by_text("Nothing else that you do here is kept")).to_be_visible()
    page.goto("/")
    title = titles(page, "Trending")[0]
    assert title in titles(page, "For you")
    row = page.get_by_role("region", name="Trending")
    row.get_by_role("button", name=f"Not interested? {title}", exact=True).click()
    page.get_by_role("button", name="Not interested in this").click()
    links = page.get_by_role("main").get_by_role("link", name=title, exact=True)
    expect(links).to_have_count(0)
    page.goto(f"/search?q={quote(title)}")
    own = page.get_by_role("link", name=title, exact=True)
    found = page.get_by_role("listitem").filter(has=own)
    expect(found).to_contain_text("Not interested")
    page.goto("/preferences")
    expect(page.get_by_text("Your lists are not personal, as you asked")).to_be_visible()
    page.get_by_role("button", name=f"Show {title} again", exact=True).click()
    expect(page.get_by_text("Nothing is left out of your lists")).to_be_visible()
    page.goto("/")
    assert title in titles(page, "Trending")


def test_what_is_removed_from_the_history_is_pressed_no_more(page: Page) -> None:
    page.goto("/items/item-7")
    title = page.get_by_role("heading", level=1).inner_text()
    like = page.get_by_role("button", name="Like", exact=True)
    for name in ("Dislike", "Like", "4 of 5"):
        page.get_by_role("button", name=name, exact=True).click()
        pressed = page.get_by_role("button", name=name, exact=True, pressed=True)
        expect(pressed).to_be_enabled()
    expect(page.get_by_role("button", name="Dislike", pressed=False)).to_be_visible()
    page.get_by_role("contentinfo").get_by_role("link", name="History").click()
    removes = page.get_by_role("button", name=re.compile(f"^Remove {title}"))
    names = ["Rated 4 of 5", "Liked", "Looked at"]
    until(lambda: appears(page, page.get_by_text(names[0])), 30, "the rating is in the history")
    expect(removes).to_have_count(3)
    assert [removes.nth(place).get_attribute("aria-label") for place in range(3)] == [
        f"Remove {title}, {name}" for name in names
    ]
    removes.nth(1).press("Enter")
    expect(page.get_by_role("status").filter(has_text=f"Removed: {title}, Liked")).to_have_count(1)
    expect(removes).to_have_count(2)
    expect(removes.nth(1)).to_be_focused()
    page.goto("/items/item-7")
    expect(page.get_by_role("button", name="4 of 5", pressed=True)).to_be_visible()
    expect(like).to_have_attribute("aria-pressed", "false")


def test_what_a_shop_wrote_is_shown_and_never_run(page: Page, system: LocalSystem) -> None:
    wicked = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    answer = httpx.put(
        f"{system.http_url}/v1/items/wicked",
        json={
            "title": wicked,
            "description": wicked,
            "categories": ["<b onclick=alert(3)"],
            "picture_url": "/docs",  # a page, and no picture
        },
        headers={"Authorization": f"Bearer {API_KEY}"},
    )
    assert answer.is_success, answer.text
    alerts: list[str] = []

    def listen(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", listen)
    page.goto("/items/wicked")
    expect(page.get_by_role("heading", level=1)).to_have_text(wicked)
    expect(page.locator("svg.poster").first).to_be_visible()
    expect(page.locator("img.poster")).to_have_count(0)
    assert not alerts
    httpx.delete(
        f"{system.http_url}/v1/items/wicked", headers={"Authorization": f"Bearer {API_KEY}"}
    )


def test_a_person_erases_themselves_and_the_receipt_checks_out(
    page: Page, browser: Browser, system: LocalSystem, tmp_path: Path
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    _become_a_customer(page, system, email)
    page.goto("/items/item-6")
    page.get_by_role("button", name="Like", exact=True).click()
    page.get_by_role("button", name="Add to the cart").click()
    expect(page.get_by_role("link", name="Cart 1")).to_be_visible()
    page.goto("/account/privacy")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download everything").click()
    stored = json.loads(downloading.value.path().read_text(encoding="utf-8"))
    assert [one["email"] for one in stored["postgres"]["accounts"]] == [email]

    page.get_by_role("switch").uncheck()
    expect(page.get_by_text("Nothing else that you do here is kept")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("personal lists are turned off").first).to_be_visible()

    page.goto("/account/privacy")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("I know that this cannot be undone").check()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", name="You are erased")).to_be_visible()
    expect(page.get_by_role("link", name="Cart", exact=True)).to_be_visible()
    expect(page.get_by_text("Completed")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save the receipt").click()
    receipt = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(receipt)
    assert_nobody_is_kept_out(page)

    with page_of(browser, system.http_url) as later:
        later.goto("/account/receipt")
        later.get_by_label("The file that you saved").set_input_files(receipt)
        later.get_by_role("button", name="Look again").click()
        expect(later.get_by_text("nothing of you is left")).to_be_visible()
    user_id = json.loads(receipt.read_text(encoding="utf-8"))["user_id"]
    answer = httpx.get(
        f"{system.http_url}/v1/users/{user_id}/export",
        headers={"Authorization": f"Bearer {API_KEY}"},
        timeout=60,
    )
    assert not any(answer.json()["postgres"].values())


def _become_a_customer(page: Page, system: LocalSystem, email: str) -> None:
    page.goto("/account")
    register = page.get_by_role("form", name="Register")
    register.get_by_label("E-mail").fill(email)
    register.get_by_label("Password").fill(PASSWORD)
    register.get_by_role("button", name="Register").click()
    page.goto(f"/account/confirm#token={mailed_token(system, email)}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Open the account").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_windows_of_one_person_stay_logged_in_and_leave_together(
    page: Page, system: LocalSystem
) -> None:
    """Whose access has run out renew it one after the other: a refresh token goes once."""
    _become_a_customer(page, system, f"{uuid.uuid4().hex}@example.com")
    page.goto("/items/item-5")
    page.get_by_role("button", name="Add to the cart").click()
    expect(page.get_by_role("button", name="In the cart")).to_be_visible()
    page.evaluate(
        "localStorage.setItem('headrace.session', JSON.stringify("
        "{...JSON.parse(localStorage.getItem('headrace.session')), until: 0}))"
    )
    windows = [page.context.new_page() for _ in range(3)]
    for window in windows:
        window.goto("/account", wait_until="commit")
    for window in windows:
        expect(window.get_by_role("button", name="Log out")).to_be_visible()
        expect(window.get_by_role("link", name="Cart 1")).to_be_visible()
    first, *_, last = windows
    first.get_by_role("button", name="Log out").click()
    for window in (first, last):  # a cart is its person's, not the browser's
        expect(window.get_by_role("link", name="Cart", exact=True)).to_be_visible()


def test_a_search_answers_in_the_order_of_who_is_here(page: Page) -> None:
    page.goto("/search?q=comedy")
    expect(page.get_by_label("Order").locator("option").first).to_have_text("Best answer")
    with page.expect_response(re.compile("/v1/events$")):
        page.goto("/items/item-2")
    with page.expect_response(re.compile(r"/v1/search\?.*user_id=")) as answered:
        page.goto("/search?q=comedy")
    assert answered.value.json()["items"]
    with page.expect_response(re.compile(r"/v1/search\?.*sort=relevance")) as answered:
        page.get_by_label("Order").select_option("Best answer")
    assert "user_id" not in answered.value.url
    assert not answered.value.json()["personal"]


@pytest.fixture
def shelf(system: LocalSystem) -> Iterator[str]:
    """A category with three things in it: of 5, 15 and 25 EUR, and as many cm wide."""
    name = f"Shelf {uuid.uuid4().hex[:6]}"
    goods = [
        {
            "item_id": f"{name}-{n}",
            "title": f"Thing {n}",
            "categories": [name],
            "price": {"amount": n * 100, "currency": "EUR"},
            "attributes": {"width_cm": n},
            "text_attributes": {"brand": "Mill" if n == 5 else "Race"},
        }
        for n in (5, 15, 25)
    ]
    api = httpx.Client(
        base_url=system.http_url, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=30
    )
    with api:
        assert api.post("/v1/items", json={"items": goods}).is_success
        yield name
        for one in goods:
            api.delete(f"/v1/items/{one['item_id']}")


def test_what_is_found_is_narrowed_by_what_it_has_in_common(page: Page, shelf: str) -> None:
    def found(*numbers: int) -> None:
        names = [f"Thing {n}" for n in numbers]
        expect(page.locator(".cards .title")).to_have_text(names)

    page.goto(f"/categories/{quote(shelf)}?sort=title")
    found(15, 25, 5)
    page.get_by_role("link", name="€15.00", exact=True).click()
    found(15)
    page.get_by_role("link", name="Not only €15.00").click()
    page.get_by_role("link", name="Race", exact=True).click()
    found(15, 25)
    wide = page.get_by_role("group", name="Width cm")
    wide.get_by_label("From").fill("20")
    wide.get_by_role("button", name="Apply").click()
    found(25)
    assert_nobody_is_kept_out(page)
    page.get_by_role("link", name="Not only Brand: Race").click()
    page.get_by_role("link", name="Not only Width cm: from 20").click()
    found(15, 25, 5)
    page.goto(f"/categories/{quote(shelf)}?sort=title&price=X&number.width_cm=wide")
    found(15, 25, 5)  # an address that somebody wrote


def test_no_title_leaves_its_poster(page: Page) -> None:
    page.goto("/categories")
    ends = page.evaluate(
        """async (titles) => {
      const { poster } = await import("/static/posters.js");
      return titles.map((title) => {
        const drawn = poster({ item_id: "1", title, categories: [] });
        document.body.append(drawn);
        return Math.max(...[...drawn.querySelectorAll("text")].map((line) => {
          const box = line.getBBox();
          return box.x + box.width;
        }));
      });
    }""",
        ["MMMM WWWW MMMM WWWW MMMM WWWW MMMM", "W" * 40, "Ordinary, The", "i" * 40, "私" * 30],
    )
    assert all(100 < end <= 186.5 for end in ends), ends


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(
    browser: Browser, system: LocalSystem, scheme: Literal["light", "dark"]
) -> None:
    for size in (PHONE, DESK):
        with page_of(browser, system.http_url, size, scheme) as page:
            for path in PAGES:
                page.goto(path)
                assert_nobody_is_kept_out(page)
