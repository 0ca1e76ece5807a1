"""The lines that tell where everything listens."""

from headrace.local.ports import Ports
from headrace.local.system import SERVICES, LocalSystem


def summary(system: LocalSystem, ports: Ports, api_key: str) -> str:
    """Addresses for people and programs; the key is on a line of its own."""
    grpc = [name for name in SERVICES if hasattr(ports, f"{name}_grpc")]
    lines = [
        ("HTTP", system.http_url),
        ("Shop", f"{system.http_url}/"),
        ("Console", f"{system.http_url}/console"),
        ("API docs", f"{system.http_url}/docs"),
        *((f"gRPC {name}", system.grpc_address(name)) for name in reversed(grpc)),
        *((f"metrics {name}", system.metrics_url(name)) for name in reversed(SERVICES)),
        ("Kafka", system.kafka_bootstrap_servers),
        ("Postgres", system.database_url),
        *([("Mails", str(system.mails))] if system.keeps_mails else []),
        ("Logs", str(system.logs)),
    ]
    width = max(len(label) for label, _ in lines)
    table = "\n".join(f"  {label:<{width}}  {where}" for label, where in lines)
    return (
        f"\nHeadrace is ready.\n{table}\n\nAPI key: {api_key}\n\n"
        "The console lets in who registered in the shop and was made an operator, with that key:\n"
        "  HEADRACE_API_KEY=… headrace keys "
        f"--address {system.grpc_address('gateway')} role ADDRESS operator\n\n"
        "Ctrl-C stops it; the data stays."
    )
