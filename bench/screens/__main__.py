"""Takes every page of the shop and of the console: `python -m bench.screens`.

Where `make run` goes on it is that system, else one is started. A shopper and an operator register,
a crowd gets lists and chooses from them, a catalogue of prints is uploaded; afterwards the accounts
are erased and the prints hidden. Writes a sheet a page to `docs/screens/`, and prints when each was
painted and how much it moved then.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from bench.report import print_table
from bench.screens.browser import browser_path
from bench.screens.pages import ERASED, SHOP, VISITOR, Shown, console
from bench.screens.people import (
    GOODS,
    Account,
    bearer,
    crowd_in,
    date_back,
    registered,
    shop,
)
from bench.screens.sheets import shot, write_sheet
from bench.target import Target, running_target
from headrace.local.home import home_folder
from headrace.local.ports import Ports
from headrace.local.postgres import EmbeddedPostgres

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_SIZES = (ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844))
_PATIENCE_MS = 30_000
_PAINTED = """async () => {
  const moved = await new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((seen) => {
      for (const one of seen.getEntries()) if (!one.hadRecentInput) sum += one.value;
    }).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => setTimeout(() => done(sum)));
  });
  const [page] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource");
  return [
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    moved,
    [page, ...files].reduce((sum, one) => sum + one.transferSize, 0) / 1000,
  ];
}"""

Storage = dict[str, dict[str, Any]]
"""What a browser has stored before the first page: by `localStorage` and `sessionStorage`."""


class Camera:
    """Takes pages. figures: by page, of the first look: ms to the first paint, shift, kB."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.shots: dict[str, list[Image.Image]] = {}
        self.figures: dict[str, list[float]] = {}

    def take(self, pages: Sequence[Shown], session: Storage, whole: Path | None) -> None:
        """Each in every size and scheme, as whoever `session` is."""
        for size in _SIZES:
            for scheme in _SCHEMES:
                with self._window(size, scheme, session) as page:
                    for one in pages:
                        self._take(
                            page, one, whole and whole / f"{one.name}-{size['width']}-{scheme}.png"
                        )

    def _take(self, page: Page, one: Shown, whole: Path | None) -> None:
        page.goto(one.path)
        one.fill(page)
        if "live" not in one.name:
            page.wait_for_load_state("networkidle")
        self.figures.setdefault(one.name, page.evaluate(_PAINTED))
        above = 0.0
        if one.begins_with is not None:
            region = page.get_by_role("region", name=one.begins_with, exact=True).bounding_box()
            assert region is not None
            above = region["y"]
        dialog = page.get_by_role("dialog").count() > 0
        png = page.screenshot(full_page=not dialog, animations="disabled")
        window = page.evaluate("innerWidth")
        if page.evaluate("document.documentElement.scrollWidth") > window:
            sys.stderr.write(f"{page.url} is wider than its window of {window} px\n")
        self.shots.setdefault(one.name, []).append(shot(png, window, above))
        if whole is not None:
            whole.write_bytes(png)

    @contextmanager
    def _window(
        self, size: ViewportSize, scheme: Literal["light", "dark"], stored: Storage
    ) -> Iterator[Page]:
        context = self._browser.new_context(
            base_url=self._url, viewport=size, color_scheme=scheme, reduced_motion="reduce"
        )
        for storage, values in stored.items():
            for key, value in values.items():
                told = json.dumps(json.dumps(value() if callable(value) else value))
                context.add_init_script(
                    f"if (!{storage}.getItem({json.dumps(key)}))"
                    f" {storage}.setItem({json.dumps(key)}, {told})"
                )
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        yield page
        context.close()


def filled(target: Target, home: Path, stack: ExitStack) -> tuple[Storage, Storage, Storage]:
    """Makes everything that is to be seen. Returns what the browsers of a shopper, of somebody who
    was erased and of an operator have stored. What can be taken back is, at the end of `stack`."""
    database = EmbeddedPostgres(home / "postgres", Ports.from_environment().local_postgres)
    http = stack.enter_context(
        httpx.Client(base_url=target.url, headers=target.headers, timeout=30)
    )
    http.post(
        "/v1/items/upload", content=GOODS, headers={"content-type": "text/csv"}
    ).raise_for_status()
    stack.callback(_hide, http)
    crowd_in(target)
    date_back(target, database.dsn)
    mails = home / "mails"
    ann, leaver = registered(target, mails, "Ann"), registered(target, mails, "Lea")
    stack.callback(ann.erased)
    shop(ann)
    shop(leaver)
    operator = registered(target, mails, "Olga", "operator")
    stack.callback(operator.erased)
    _make_keys(operator, http, stack)
    prints = [
        http.get(f"/v1/items/{item}").raise_for_status().json()
        for item in ("print-2", "print-4", "100")
    ]
    shopper: Storage = {"localStorage": {"headrace.session": ann.session, "headrace.cart": prints}}
    erased: Storage = {"sessionStorage": {"headrace.receipt": leaver.erased()}}
    return shopper, erased, {"localStorage": {"headrace.console": operator.session}}


def _make_keys(operator: Account, http: httpx.Client, stack: ExitStack) -> None:
    """Three, of which one is revoked."""
    as_operator = bearer(operator.session()["access_token"])
    keys = {"Shop backend": ["events", "read"], "Catalogue import": ["catalogue"], "Old": ["read"]}
    for name, scopes in keys.items():
        made = operator.http.post(
            "/v1/keys", json={"name": name, "scopes": scopes}, headers=as_operator
        )
        stack.callback(http.delete, f"/v1/keys/{made.raise_for_status().json()['key_id']}")
    http.delete(f"/v1/keys/{made.json()['key_id']}")


def _hide(http: httpx.Client) -> None:
    for line in GOODS.splitlines()[1:-1]:
        http.delete(f"/v1/items/{line.split(',')[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/screens"))
    parser.add_argument(
        "--whole", type=Path, help="also every page in full, as PNG, to this folder"
    )
    given = parser.parse_args()
    path = browser_path()
    for folder in filter(None, (given.out, given.whole)):
        folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=_PATIENCE_MS)
    with ExitStack() as stack:
        target = stack.enter_context(running_target())
        shopper, erased, operator = filled(target, home_folder(), stack)
        playwright = stack.enter_context(sync_playwright())
        # In a container root has no user namespace to put the sandbox in.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        camera = Camera(browser, target.url)
        camera.take(SHOP, shopper, given.whole)
        camera.take(ERASED, erased, given.whole)
        camera.take(VISITOR, {}, given.whole)
        camera.take(console(target), operator, given.whole)
        browser.close()
    sizes = {
        name: write_sheet(given.out / f"{name}.webp", shots) for name, shots in camera.shots.items()
    }
    rows = [[name, *camera.figures[name], sizes[name] / 1_000] for name in sizes]
    columns = ["page", "first paint, ms", "shift", "loaded, kB", "sheet, kB"]
    print_table("On a desktop, by light", columns, rows)


if __name__ == "__main__":
    main()
