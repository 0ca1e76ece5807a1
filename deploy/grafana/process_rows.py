"""Rows that every service's dashboard has."""

from deploy.grafana.panels import Panel, Row
from deploy.grafana.queries import quantile, quantiles, rate, total


def process(job: str) -> Row:
    """Is it there, and what does it use."""
    where = f'job="{job}"'
    return Row(
        "Processes",
        [
            Panel(
                "Answering",
                {"processes": f"sum(up{{{where}}})"},
                kind="stat",
                width=4,
                threshold=1,
                good="high",
            ),
            Panel(
                "Youngest process",
                {"": f"min(time() - process_start_time_seconds{{{where}}})"},
                "s",
                "Since it was started.",
                kind="stat",
                width=4,
            ),
            Panel(
                "CPU",
                {"{{instance}}": f"rate(process_cpu_seconds_total{{{where}}}[$__rate_interval])"},
                "none",
                "Cores in use, by process.",
            ),
            Panel(
                "Resident memory",
                {"{{instance}}": f"process_resident_memory_bytes{{{where}}}"},
                "bytes",
                "Against the limit in the Deployment.",
            ),
        ],
    )


def saturation(job: str, *more: Panel) -> Row:
    """How near it is to having too much to do. more: one panel, or none."""
    where = f'job="{job}"'
    width = 8 if more else 12
    return Row(
        "Saturation",
        [
            Panel(
                "How late the event loop is",
                quantiles("headrace_event_loop_lag_seconds", where),
                "s",
                "Whatever blocks the loop holds up every request of the process.",
                width=width,
                threshold=0.05,
            ),
            Panel(
                "On its way to Kafka",
                {"{{instance}}": f"headrace_kafka_pending_bytes{{{where}}}"},
                "bytes",
                "At 64 MB a publisher takes no more.",
                width=width,
            ),
            *more,
        ],
    )


def grpc(job: str) -> Row:
    """Rate, errors and duration of its calls."""
    where = f'job="{job}"'
    return Row(
        "gRPC",
        [
            Panel(
                "Calls by method",
                {"{{method}}": rate("headrace_grpc_requests_total", "method", where)},
                "reqps",
            ),
            Panel(
                "Errors by code",
                {"{{code}}": rate("headrace_grpc_requests_total", "code", f'{where}, code!="OK"')},
                "reqps",
            ),
            Panel(
                "p99 by method",
                {"{{method}}": quantile("headrace_grpc_request_seconds", 0.99, "method", where)},
                "s",
            ),
        ],
    )


def kafka(job: str) -> Row:
    """What it takes from Kafka and gives to it."""
    where = f'job="{job}"'
    return Row(
        "Kafka",
        [
            Panel(
                "Records done, by topic",
                {"{{topic}}": rate("headrace_kafka_records_processed_total", "topic", where)},
                "cps",
                width=6,
            ),
            Panel(
                "Records published, by topic",
                {"{{topic}}": rate("headrace_kafka_records_published_total", "topic", where)},
                "cps",
                width=6,
            ),
            Panel(
                "Lag, by topic",
                {"{{instance}} {{topic}}": f"headrace_kafka_lag_records{{{where}}}"},
                about="Records that this process has before it.",
                width=6,
            ),
            Panel(
                "Dead letters and repeated batches",
                {
                    "dead: {{topic}} {{reason}}": total(
                        f"headrace_kafka_dead_letters_total{{{where}}}", "topic, reason"
                    ),
                    "repeated: {{topic}}": total(
                        f"headrace_kafka_batch_retries_total{{{where}}}", "topic"
                    ),
                },
                about="Since its processes were started.",
                width=6,
            ),
        ],
    )
