"""The console in a real browser: who is let in, and what they can do there."""

from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from headrace.local.system import LocalSystem
from tests.e2e.browsing import DESK, PHONE, appears, assert_nobody_is_kept_out, page_of
from tests.e2e.staff import log_in, member_of_staff
from tests.e2e.visitor import Visitor, until

PAGES = (
    "/console/list?user_id=259&n=8&kind=for_you&more=",
    "/console/compare",
    "/console/status",
    "/console/item?id=item-1",
    "/console/upload",
    "/console/behaviour",
    "/console/keys",
)
FILE = b"""\
item_id,title,categories,price,currency
up-1,Uploaded knife,Kitchen,4.90,EUR
up-2,Dear,Kitchen,cheap,EUR
"""


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(page: Page, system: LocalSystem) -> None:
    log_in(page, member_of_staff(system, "operator"))
    page.goto("/console/keys")
    page.get_by_label("Name").fill("shop backend")
    page.get_by_label("read lists").check()
    page.get_by_role("button", name="Make a key").click()
    key = page.get_by_label("The new key").input_value()
    lists = f"{system.http_url}/v1/users/ann/recommendations"

    def answered() -> int:
        return httpx.get(lists, headers={"Authorization": f"Bearer {key}"}).status_code

    until(lambda: answered() == httpx.codes.OK, 10, "the key opens lists")
    page.reload()
    expect(page.get_by_role("cell", name="shop backend", exact=True)).to_be_visible()
    assert key not in page.content()
    page.get_by_role("button", name="Revoke shop backend").click()
    page.get_by_role("button", name="Revoke shop backend").click()
    expect(page.get_by_role("cell", name="revoked", exact=False)).to_be_visible()
    until(lambda: answered() == httpx.codes.UNAUTHORIZED, 10, "the key is refused")


def test_a_merchandiser_uploads_a_catalogue_and_pins_an_item(
    page: Page, system: LocalSystem
) -> None:
    log_in(page, member_of_staff(system, "merchandiser"))
    expect(page.get_by_role("link", name="Keys and roles")).to_have_count(0)
    page.goto("/console/upload")
    page.get_by_label("File").set_input_files(
        {"name": "shop.csv", "mimeType": "text/csv", "buffer": FILE}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("1 stored, 1 refused")).to_be_visible()
    refused = page.get_by_role("region", name="Refused lines").get_by_role("row").nth(1)
    expect(refused.get_by_role("cell").nth(0)).to_have_text("3")
    expect(refused.get_by_role("cell").nth(1)).to_have_text("price")

    page.goto("/console/item")
    page.get_by_label("Id, or words").fill("uploaded knif")
    page.get_by_role("button", name="Find an item").click()
    page.get_by_role("link", name="Uploaded knife").click()
    until(lambda: appears(page, page.get_by_label("Place")), 30, "the ranker has the item")
    page.get_by_label("Place").fill("2")
    page.get_by_role("button", name="Try a pin").click()
    second = page.get_by_role("list", name="The list with the pin").get_by_role("listitem").nth(1)
    expect(second).to_contain_text("Uploaded knife")
    expect(second).to_contain_text("pinned")


def test_an_operator_explains_a_list(page: Page, visitor: Visitor, system: LocalSystem) -> None:
    clicks = [("k1", "item-2"), ("k2", "item-6"), ("k3", "item-10")]
    visitor.send(
        [
            {"event_id": event_id, "user_id": "kim", "item_id": item_id, "type": "purchase"}
            for event_id, item_id in clicks
        ]
    )
    visitor.until_applied("kim", len(clicks))
    request = {"user_id": "kim", "n": 6, "max_per_category": 2, "diversity": 0.3}
    told = visitor.http.post("/v1/inspect/recommendations", json=request).json()
    served = visitor.http.post("/v1/recommendations", json=request).json()
    assert told["list"]["items"] == served["items"]

    log_in(page, member_of_staff(system, "operator"))
    page.goto("/console/list")
    page.get_by_label("Person").fill("kim")
    page.get_by_label("Length").fill("6")
    page.get_by_label("Anything else").fill('{"max_per_category": 2, "diversity": 0.3}')
    page.get_by_role("button", name="Look into it").click()
    rows = page.get_by_role("region", name="Candidates").get_by_role("row")
    expect(rows.nth(1)).to_be_visible()
    for place, item in enumerate(served["items"], 1):
        expect(rows.nth(place)).to_contain_text(item["title"])
    seen = page.get_by_role("region", name="Steps").get_by_role("row", name="seen")
    expect(seen.get_by_role("cell").nth(2)).to_have_text("3")
    expect(page.get_by_role("region", name="Steps")).to_contain_text("Its category had its places")
    done = page.get_by_role("region", name="Events").get_by_role("row")
    expect(done).to_have_count(1 + len(clicks))
    first = f"/v1/inspect/items/{served['items'][0]['item_id']}"

    def shown() -> int:
        return int(visitor.http.get(first).json()["windows"][0]["impressions"])

    until(lambda: shown() > 0, 30, "the served list was counted")


def test_two_requests_stand_side_by_side(
    browser: Browser, system: LocalSystem, visitor: Visitor
) -> None:
    context = browser.new_context(base_url=system.http_url, viewport=DESK)
    page = context.new_page()
    log_in(page, member_of_staff(system, "operator"))
    page.goto("/console/compare")
    page.get_by_label("Request A").fill('{"n": 4, "colour": "red"}')
    page.get_by_label("Request B").fill('{"n": 4')
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("alert").nth(0)).to_contain_text("colour")
    expect(page.get_by_role("alert").nth(1)).to_contain_text("no JSON")
    first = visitor.http.post("/v1/recommendations", json={"n": 4}).json()["items"]
    page.get_by_label("Request A").fill('{"n": 4}')
    # The first at the end, and one less of the others.
    pin = f'[{{"item_id": "{first[0]["item_id"]}", "position": 4}}]'
    page.get_by_label("Request B").fill(
        f'{{"n": 4, "pin": {pin}, "exclude": ["{first[3]["item_id"]}"]}}'
    )
    page.get_by_role("button", name="Compare").click()
    # 3 of 5 are in both; of the 3 pairs one has kept its order.
    expect(page.get_by_text("3 of 4 and 4 items are in both: an overlap of 60 %.")).to_be_visible()
    expect(page.get_by_text("agrees by -0.33")).to_be_visible()
    marks = page.get_by_role("region", name="List A").locator(".mark")
    expect(marks.nth(0)).to_contain_text("3 higher than in the other")
    expect(marks.nth(3)).to_contain_text("only in this list")
    context.close()


def test_an_operator_sees_what_the_ranker_holds(page: Page, system: LocalSystem) -> None:
    log_in(page, member_of_staff(system, "operator"))
    page.goto("/console/status")
    expect(page.get_by_text(system.model_version, exact=True)).to_be_visible()
    indexes = page.get_by_role("region", name="Indexes").get_by_role("row")
    expect(indexes.nth(1)).to_contain_text("retrieval")
    expect(page.get_by_role("region", name="Topics").nth(1)).to_contain_text("caught up")
    page.set_viewport_size(PHONE)
    broken = page.evaluate("""[...document.querySelectorAll("dt")].flatMap((term) =>
      [...term.childNodes].filter((part) => {
        const range = document.createRange();
        range.selectNode(part);
        return part.nodeType === Node.TEXT_NODE && range.getClientRects().length > 1;
      }).map((part) => part.textContent))""")
    assert [part for part in broken if " " not in part] == []  # a name, in the middle of a part


def test_an_operator_watches_what_people_do(
    page: Page, visitor: Visitor, system: LocalSystem
) -> None:
    log_in(page, member_of_staff(system, "operator"))
    with page.expect_response("**/v1/console/events?user_id=lee*") as stream:
        page.goto("/console/live?user_id=lee&type=like")
    assert stream.value.status == httpx.codes.OK
    events = page.get_by_role("region", name="Events").get_by_role("row")
    sent = [0]

    def one_is_shown() -> bool:
        sent[0] += 1  # one that comes before Kafka is read is not shown
        visitor.send(
            [
                {"event_id": f"l{sent[0]}{kind}", "user_id": who, "item_id": "item-3", "type": kind}
                for who, kind in (("lee", "like"), ("lee", "view"), ("kim", "like"))
            ]
        )
        page.wait_for_timeout(500)
        return events.count() > 1

    until(one_is_shown, 30, "an event is shown")
    expect(events.nth(1)).to_contain_text("lee")
    expect(events.nth(1)).to_contain_text("item-3")
    assert "view" not in page.get_by_role("region", name="Events").inner_text()
    assert "kim" not in page.get_by_role("region", name="Events").inner_text()


def test_a_merchandiser_sees_how_far_people_come_and_what_they_spend(
    page: Page, system: LocalSystem, visitor: Visitor
) -> None:
    lamp = {"title": "Lamp", "categories": ["Lights"], "price": {"amount": 900, "currency": "EUR"}}
    assert visitor.http.put("/v1/items/lamp", json=lamp).is_success
    did = [("ann", kind) for kind in ("view", "click", "cart", "purchase")] + [("bob", "view")]
    visitor.send(
        [
            {"event_id": f"{who}-{kind}", "user_id": who, "item_id": "lamp", "type": kind}
            for who, kind in did
        ]
    )

    def counted() -> bool:
        answer = visitor.http.get("/v1/behaviour/funnel", params={"category": "Lights"}).json()
        return [stage["journeys"] for stage in answer["stages"]] == [2, 1, 1, 1]

    until(counted, 30, "behaviour is counted")
    log_in(page, member_of_staff(system, "merchandiser"))
    page.get_by_role("link", name="Behaviour").click()
    funnel = page.get_by_role("region", name="How far people come")
    funnel.get_by_label("Category", exact=True).fill("Lights")
    funnel.get_by_label("Category", exact=True).press("Tab")
    expect(funnel.get_by_text("50% of 2 journeys end with a purchase")).to_be_visible()
    trends = page.get_by_role("region", name="Trends")
    expect(trends.get_by_role("row", name="Lamp")).to_contain_text("5")
    segments = page.get_by_role("region", name="Who is worth most")
    segments.get_by_label("Money").select_option("EUR")
    expect(segments.get_by_text("People: 1, purchases: 1, for €9.00")).to_be_visible()


def test_a_shopper_sees_nothing_of_it(page: Page, system: LocalSystem) -> None:
    log_in(page, member_of_staff(system, "shopper"))
    page.goto("/console/keys")
    expect(page.get_by_role("heading", name="Nothing to see yet")).to_be_visible()


@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", DESK)])
def test_no_page_of_it_keeps_anybody_out(
    browser: Browser, system: LocalSystem, scheme: Literal["light", "dark"], size: ViewportSize
) -> None:
    with page_of(browser, system.http_url, size, scheme) as page:
        page.goto("/console")
        assert_nobody_is_kept_out(page)
        log_in(page, member_of_staff(system, "operator"))
        for path in PAGES:
            page.goto(path)
            assert_nobody_is_kept_out(page)
        page.goto("/console/live")
        assert_nobody_is_kept_out(page, streams=True)
