"""Shows the parts: a table that changes in place on a terminal, lines on change elsewhere."""

from collections.abc import Callable
from threading import Event

from rich.console import Console
from rich.live import Live
from rich.table import Table

from headrace.local.rates import RateMeter, Rates
from headrace.local.supervised import State
from headrace.local.supervisor import PartStatus

_STYLE = {
    State.READY: "green",
    State.STARTING: "yellow",
    State.NOT_READY: "yellow",
    State.RESTARTING: "red",
    State.FAILED: "bold red",
    State.STOPPED: "dim",
}


class StatusBoard:
    """Shows what `read` returns, once a second."""

    def __init__(self, read: Callable[[], list[PartStatus]], console: Console) -> None:
        self._read = read
        self._console = console
        self._meter = RateMeter()

    def show_until(self, leave: Event, every_seconds: float = 1.0) -> None:
        """Show until `leave` is set."""
        if self._console.is_terminal:
            self._show_table(leave, every_seconds)
        else:
            self._show_lines(leave, every_seconds)

    def _show_table(self, leave: Event, every_seconds: float) -> None:
        with Live(console=self._console, auto_refresh=False) as live:
            while not leave.is_set():
                live.update(self._table(self._read()), refresh=True)
                leave.wait(every_seconds)

    def _show_lines(self, leave: Event, every_seconds: float) -> None:
        shown: dict[str, tuple[State, int]] = {}
        while not leave.is_set():
            for part in self._read():
                now = (part.state, part.restarts)
                if shown.get(part.name) != now:
                    self._console.print(
                        f"{part.name}: {part.state}, port {part.port}, restarts {part.restarts}",
                        highlight=False,
                    )
                    shown[part.name] = now
            leave.wait(every_seconds)

    def _table(self, parts: list[PartStatus]) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ("process", "state", "port"):
            table.add_column(heading)
        table.add_column("per second", justify="right", min_width=18)
        table.add_column("restarts", justify="right")
        for part in parts:
            rates = self._meter.read(part.metrics_port) if part.metrics_port else Rates()
            style = _STYLE[part.state]
            table.add_row(
                part.name,
                f"[{style}]{part.state}[/]",
                str(part.port),
                describe(rates),
                str(part.restarts),
            )
        return table


def describe(rates: Rates) -> str:
    """`1,204 events, 3 requests`; empty when nothing moves."""
    shown = [
        f"{value:,.0f} {what}"
        for value, what in ((rates.events, "events"), (rates.requests, "requests"))
        if value >= 0.5
    ]
    return ", ".join(shown)
