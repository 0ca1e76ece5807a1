"""Pictures of the dashboards: `python -m bench.boards`.

Prometheus, with the rules as they are deployed, watches the running system or one that is started
here. A crowd uses it for some minutes, and a copy of the demo's model is released to some of them;
then every dashboard is drawn (`deploy.grafana.preview`) and taken to `docs/dashboards/`. Afterwards
the release is rolled back; what the crowd did stays.
"""

import argparse
import asyncio
import io
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from bench.crowd import Crowd
from bench.release import copied, database_of_home, release
from bench.report import print_table
from bench.screens.browser import browser_path
from bench.target import SERVICES, Target, running_target
from deploy.grafana.boards import BOARDS
from headrace.local.home import home_folder
from headrace.local.ports import Ports
from headrace.local.prometheus_server import PrometheusServer
from headrace.local.slots import MODEL_SERVICES

_RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "rules" / "*.yml"
_PERIOD_S = 3
_WIDE = ViewportSize(width=1280, height=900)
_QUALITY = 48
# For the system, if it is started here: a busy machine may be late.
_PATIENT = {"HEADRACE_RANKER_DEADLINE_MS": "5000", "HEADRACE_USER_EMBEDDING_TIMEOUT_MS": "5000"}


def metrics_ports() -> dict[str, Sequence[int]]:
    """By job: of the slot that is always there, and of the second one."""
    ports = Ports.from_environment()
    return {
        name: [
            getattr(ports, f"{slot}{name}_metrics")
            for slot in ("", "green_")[: 2 if name in MODEL_SERVICES else 1]
        ]
        for name in SERVICES
    }


async def released(target: Target, crowd: Crowd, bundle: Path, minutes: float) -> None:
    """The crowd goes on all the time: for a third with the live model alone, then with a shadow,
    then with a canary."""
    database, third = database_of_home(), minutes * 60 / 3
    async with crowd.going():
        await asyncio.sleep(third)
        await release(target, database, "propose", str(bundle), "--force")
        await release(target, database, "shadow", "50%")
        await asyncio.sleep(third)
        await release(target, database, "canary", "30%", "--wait", "120")
        await asyncio.sleep(third)


def retrained(target: Target, bundles: Path) -> None:
    """Asks once whether there is reason to train: so there is a run to be seen."""
    command = [sys.executable, "-m", "headrace.cli", "retrain", "--bundles", str(bundles)]
    environment = {
        **os.environ,
        "HEADRACE_DATABASE_URL": database_of_home(),
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": target.kafka,
    }
    # More than the crowd can do: training takes minutes.
    subprocess.run(
        [*command, "--events", "10000000", "--drift", "1000"], env=environment, check=True
    )


def draw(prometheus: str, minutes: float, folder: Path) -> None:
    command = [sys.executable, "-m", "deploy.grafana.preview", "--prometheus", prometheus]
    command += ["--minutes", f"{minutes:.2f}", "--rate-interval", f"{5 * _PERIOD_S}s"]
    subprocess.run([*command, "--out", str(folder)], check=True)


def take(pages: Path, out: Path, whole: Path | None) -> list[list[object]]:
    """Every page as WebP in `out`. whole: also in every size and scheme, as PNG. Returns rows:
    name, kB."""
    rows: list[list[object]] = []
    with sync_playwright() as playwright:
        # In a container root has no user namespace to put the sandbox in.
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for board in BOARDS:
            page = browser.new_page(viewport=_WIDE, color_scheme="light")
            page.goto((pages / f"{board.name}.html").resolve().as_uri())
            file = out / f"{board.name}.webp"
            picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
            picture.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)
            rows.append([board.title, file.stat().st_size / 1_000])
            if whole is not None:
                page.screenshot(full_page=True, path=whole / f"{board.name}-light.png")
                page.emulate_media(color_scheme="dark")
                page.screenshot(full_page=True, path=whole / f"{board.name}-dark.png")
                page.set_viewport_size(ViewportSize(width=390, height=844))
                page.screenshot(full_page=True, path=whole / f"{board.name}-phone.png")
            page.close()
        browser.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of the crowd")
    parser.add_argument("--out", type=Path, default=Path("docs/dashboards"))
    parser.add_argument(
        "--whole",
        type=Path,
        help="also the pages, pictures in every scheme and what Prometheus has, here",
    )
    given = parser.parse_args()
    browser_path()  # ends here where there is none
    for folder in filter(None, (given.out, given.whole)):
        folder.mkdir(parents=True, exist_ok=True)
    for name, value in _PATIENT.items():
        os.environ.setdefault(name, value)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        target = stack.enter_context(running_target())
        prometheus = PrometheusServer(
            metrics_ports(), _RULES, (given.whole or scratch) / "prometheus", f"{_PERIOD_S}s"
        )
        stack.enter_context(prometheus)
        began = time.time()
        home = home_folder()
        bundle = copied(home / "bundles" / "demo", scratch)
        crowd = Crowd(target, home / "mails")
        stack.callback(crowd.leave)
        retrained(target, scratch / "bundles")
        try:
            asyncio.run(released(target, crowd, bundle, given.minutes))
            pages = given.whole or scratch / "pages"
            draw(prometheus.url, (time.time() - began) / 60, pages)
        finally:
            asyncio.run(release(target, database_of_home(), "rollback", "--reason", "pictures"))
        rows = take(pages, given.out, given.whole)
    print_table("Dashboards", ["dashboard", "kB"], rows)


if __name__ == "__main__":
    main()
