"""Logs: one JSON object a line on standard error, with the request's ids where there is one.

Nothing personal is in them: no ids of people, no addresses, nothing that was sent.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime

from headrace.runtime.context import current

# Where Postgres and pydantic quote what they were given: it may be about a person.
_QUOTED = re.compile(
    r"\n(?:DETAIL|CONTEXT): .*|(?<=\[type=)(\w+), input_value=.*?, (?=input_type=)"
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Writes a record, its `extra` fields and the current request's ids as JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": _unquoted(record.getMessage()),
        }
        if (context := current()) is not None:
            line["request_id"] = context.request_id
            line["trace_id"] = context.trace_id
            if context.span_id:
                line["span_id"] = context.span_id
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["exception"] = _unquoted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def _unquoted(text: str) -> str:
    return _QUOTED.sub(lambda found: f"{found[1]}, " if found[1] else "", text)


def configure_logs(service: str, level: str) -> None:
    """Sends the process's logs to standard error. Libraries speak from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel("WARNING")
    # While Kafka is away its client reports every attempt, several lines a second. What follows
    # from that for our work, our own loggers say.
    logging.getLogger("kafka").setLevel("CRITICAL")
    for ours in ("headrace", "services"):
        logging.getLogger(ours).setLevel(level)
