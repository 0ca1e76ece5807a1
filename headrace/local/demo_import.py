"""Brings the demo's catalogue and history into a running system, each once, with progress."""

from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from headrace.local.demo import load_demo
from headrace.local.demo_catalogue import import_catalogue
from headrace.local.demo_history import send_history, wait_applied
from headrace.local.imports import CATALOGUE, HISTORY, is_finished, mark_finished
from headrace.local.system import LocalSystem


def import_demo(system: LocalSystem, newest: datetime, console: Console) -> None:
    """Fill the catalogue, then replay the history until it is part of every person's state.

    newest: when the last rating happens; the same at every attempt.
    Raises: HeadraceError; the next attempt takes up where this one ended.
    """
    demo = load_demo(newest=newest)
    dsn = system.database_url
    with _bars(console) as bars:
        if not is_finished(dsn, CATALOGUE):
            films = bars.add_task("Films into the catalogue", total=len(demo.items))
            import_catalogue(
                system.grpc_address("item_embedding"),
                demo.items,
                lambda count: bars.advance(films, count),
            )
            mark_finished(dsn, CATALOGUE)
        total = len(demo.interactions)
        sent = bars.add_task("Ratings into Kafka", total=total)
        applied = bars.add_task("Ratings applied to people", total=total)
        send_history(
            system.kafka_bootstrap_servers,
            demo.interactions,
            lambda count: bars.update(sent, completed=count),
        )
        wait_applied(
            dsn, system.model_version, total, lambda count: bars.update(applied, completed=count)
        )
    mark_finished(dsn, HISTORY)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        refresh_per_second=4,
    )
