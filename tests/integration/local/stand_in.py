"""A process that behaves like a service: `stand_in.py METRICS_PORT [behaviour]`."""

import http.server
import signal
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = not Path(sys.argv[3]).exists() if len(sys.argv) > 3 else True
        self.send_response(200 if self.path != "/readyz" or ready else 503)
        self.end_headers()
        self.wfile.write(b'headrace_kafka_records_processed_total{topic="a"} 40.0\n')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def main() -> None:
    port, behaviour = int(sys.argv[1]), sys.argv[2]
    print("stand-in started", flush=True)
    if behaviour == "refuses-to-start":
        sys.exit("HEADRACE_SOMETHING=x: must be a number")
    if behaviour == "ignores-sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
