"""A whole system with a toy model and catalogue, for tests that use it and break it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from headrace.bundle import Bundle
from headrace.local.errors import FetchFailed
from headrace.local.ports import Ports
from headrace.local.system import LocalSystem
from headrace.training.toy import toy_items
from tests.e2e.browsing import BROWSERS, browser_path, page_of
from tests.e2e.prometheus import Prometheus
from tests.e2e.toy_catalogue import stock
from tests.e2e.visitor import API_KEY, Visitor


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Variables of every service. A module may have an `environment` of its own instead."""
    return {
        "HEADRACE_BEHAVIOUR_REFRESH_S": "5",
        # Where the machine is busy, lists are to be late rather than other ones.
        "HEADRACE_RANKER_DEADLINE_MS": "2000",
        "HEADRACE_USER_EMBEDDING_TIMEOUT_MS": "1000",
    }


@pytest.fixture(scope="module")
def system(
    server_folder: Path,
    toy_bundle: Path,
    environment: dict[str, str],
    request: pytest.FixtureRequest,
) -> Iterator[LocalSystem]:
    """Everything, on ports of its own, with the toy catalogue in it."""
    home = server_folder / request.module.__name__
    with LocalSystem(
        home,
        Ports.free(),
        toy_bundle,
        api_key=API_KEY,
        environment=environment,
    ) as running:
        try:
            stock(running.http_url)
        except httpx.TransportError as error:
            log = (running.logs / "gateway.log").read_text(encoding="utf-8")
            pytest.fail(f"{error}\n{running.status()}\n{log[-4_000:]}")
        yield running


@pytest.fixture(scope="module")
def item_ids() -> list[str]:
    return [item.item_id for item in toy_items()]


@pytest.fixture(scope="module")
def bundle(toy_bundle: Path) -> Bundle:
    """The model that the system runs, for replays outside it."""
    return Bundle.load(str(toy_bundle))


@pytest.fixture(scope="module")
def prometheus(
    system: LocalSystem, server_folder: Path, request: pytest.FixtureRequest
) -> Iterator[Prometheus]:
    """Skips, loudly, where there is none and none can be fetched."""
    try:
        server = Prometheus(system, server_folder / f"{request.module.__name__}-prometheus")
    except FetchFailed as absent:
        pytest.skip(f"PROMETHEUS IS NOT TRIED: {absent}")
    with server:
        yield server


@pytest.fixture
def visitor(system: LocalSystem) -> Iterator[Visitor]:
    """A client; before it comes, everything that an earlier test broke is up again."""
    assert system.wait_ready(90)
    client = Visitor(system)
    yield client
    client.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = browser_path()
    if path is None:
        pytest.skip(
            f"no browser is installed: none of {', '.join(BROWSERS)} (apt install chromium)"
        )
    with sync_playwright() as playwright:
        # In a container root has no user namespace to put the sandbox in.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, system: LocalSystem) -> Iterator[Page]:
    with page_of(browser, system.http_url) as page:
        yield page
